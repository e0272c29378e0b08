import * as R from './exponential-row.ts';

const { ROW_RANGES, ROW_COUNTS } = R;

/**
 * Adds the row `part` to the one at `at`; both have `size` buckets a range. Where their scales differ, the finer is brought to the coarser, and both
 * further down until the sum fits. Added up in any order, the buckets are what one writer would have that had recorded everything.
 */
export function addExponentialRow(row: Float64Array, at: number, part: Float64Array, size: number): void {
  const rowScale = row[at + R.ROW_SCALE]!;
  const partScale = part[R.ROW_SCALE]!;
  let scale = Math.min(rowScale, partScale);
  for (let range = 0; range < 2; range++)
    while (widthOf(row, at, part, range, rowScale - scale, partScale - scale) > size) scale--;
  row[at + R.ROW_COUNT]! += part[R.ROW_COUNT]!;
  row[at + R.ROW_SUM]! += part[R.ROW_SUM]!;
  row[at + R.ROW_ZERO_COUNT]! += part[R.ROW_ZERO_COUNT]!;
  row[at + R.ROW_MIN] = Math.min(row[at + R.ROW_MIN]!, part[R.ROW_MIN]!);
  row[at + R.ROW_MAX] = Math.max(row[at + R.ROW_MAX]!, part[R.ROW_MAX]!);
  row[at + R.ROW_SCALE] = scale;
  for (let range = 0; range < 2; range++) {
    const head = ROW_RANGES + 2 * range;
    const counts = at + ROW_COUNTS + range * size;
    coarsen(row, at + head, counts, rowScale - scale);
    const length = part[head + 1]!;
    if (length === 0) continue;
    const change = partScale - scale;
    const offset = part[head]!;
    widen(row, at + head, counts, offset >> change, (offset + length - 1) >> change);
    const to = counts - row[at + head]!;
    const from = ROW_COUNTS + range * size;
    for (let i = 0; i < length; i++) row[to + ((offset + i) >> change)]! += part[from + i]!;
  }
}

/** Buckets from the first to the last one that has counts in either row, at scales that are lower by so much. */
function widthOf(
  row: Float64Array,
  at: number,
  part: Float64Array,
  range: number,
  rowChange: number,
  partChange: number,
): number {
  const head = ROW_RANGES + 2 * range;
  const rowLength = row[at + head + 1]!;
  const partLength = part[head + 1]!;
  if (rowLength === 0 || partLength === 0) return 0; // the other has fitted so far
  const low = Math.min(row[at + head]! >> rowChange, part[head]! >> partChange);
  const high = Math.max(
    (row[at + head]! + rowLength - 1) >> rowChange,
    (part[head]! + partLength - 1) >> partChange,
  );
  return high - low + 1;
}

/** Brings a range down in its place. `head`: where its offset and length are. */
function coarsen(row: Float64Array, head: number, counts: number, change: number): void {
  const offset = row[head]!;
  const length = row[head + 1]!;
  if (change === 0 || length === 0) return;
  const low = offset >> change;
  for (let i = 0; i < length; i++) {
    const count = row[counts + i]!;
    row[counts + i] = 0;
    row[counts + ((offset + i) >> change) - low]! += count;
  }
  row[head] = low;
  row[head + 1] = ((offset + length - 1) >> change) - low + 1;
}

/** Makes a range reach from bucket `low` to bucket `high` at least. */
function widen(row: Float64Array, head: number, counts: number, low: number, high: number): void {
  const length = row[head + 1]!;
  const offset = length === 0 ? low : row[head]!;
  const before = Math.max(0, offset - low);
  const end = Math.max(length + before, high + 1 - offset + before);
  if (before > 0) {
    row.copyWithin(counts + before, counts, counts + length);
    row.fill(0, counts, counts + before);
  }
  row.fill(0, counts + before + length, counts + end);
  row[head] = offset - before;
  row[head + 1] = end;
}
