/**
 * An exponential histogram as a row of numbers: how merging leaves it and the formats take it.
 *
 *   0       1     2     3     4            5       6          7          8          9          10
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+-------------+-------------+
 *   | count | sum | min | max | zero count | scale | offset + | length + | offset - | length - | counts +... | counts -... |
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+-------------+-------------+
 *
 * offset, length   index of the first bucket that has counts, and buckets up to the last one that has; 0 and 0 where none has
 * counts           `size` words for each range, of which `length` are used
 */
import type { ExponentialHistogramValue } from './metric-data.ts';

export const ROW_COUNT = 0;
export const ROW_SUM = 1;
export const ROW_MIN = 2;
export const ROW_MAX = 3;
export const ROW_ZERO_COUNT = 4;
export const ROW_SCALE = 5;
/** Offset and length of the positive range; those of the negative one follow. */
export const ROW_RANGES = 6;
export const ROW_COUNTS = 10;

/** Words of a row for two ranges of at most `size` buckets. */
export function exponentialRowWords(size: number): number {
  return ROW_COUNTS + 2 * size;
}

/** The index of a bucket at a scale that is lower by `change`; of other producers, whose scales may be anything, the nearest to it. */
export function coarserIndex(index: number, change: number): number {
  return index >> Math.min(Math.max(change, 0), 31);
}

/** The row at `at` as a data point has it: plain numbers in plain arrays. */
export function exponentialValueOf(
  row: Float64Array,
  at: number,
  size: number,
  { recordMinMax, hasSum }: { readonly recordMinMax: boolean; readonly hasSum: boolean },
): ExponentialHistogramValue {
  return {
    ...(recordMinMax && { min: row[at + ROW_MIN]!, max: row[at + ROW_MAX]! }),
    ...(hasSum && { sum: row[at + ROW_SUM]! }),
    count: row[at + ROW_COUNT]!,
    scale: row[at + ROW_SCALE]!,
    zeroCount: row[at + ROW_ZERO_COUNT]!,
    positive: bucketsOf(row, at, 0, size),
    negative: bucketsOf(row, at, 1, size),
  };
}

function bucketsOf(
  row: Float64Array,
  at: number,
  range: number,
  size: number,
): ExponentialHistogramValue['positive'] {
  const counts = at + ROW_COUNTS + range * size;
  const length = row[at + ROW_RANGES + 2 * range + 1]!;
  const bucketCounts: number[] = [];
  for (let i = 0; i < length; i++) bucketCounts.push(row[counts + i]!);
  return { offset: row[at + ROW_RANGES + 2 * range]!, bucketCounts };
}

/** Writes a data point's value to the row at `at`, which has room for all its buckets. Empty ones at the ends are cut off. */
export function fillExponentialRow(
  row: Float64Array,
  at: number,
  size: number,
  value: ExponentialHistogramValue,
): void {
  row.fill(0, at, at + exponentialRowWords(size));
  row[at + ROW_COUNT] = value.count;
  row[at + ROW_SUM] = value.sum ?? 0;
  row[at + ROW_MIN] = value.min ?? Infinity;
  row[at + ROW_MAX] = value.max ?? -Infinity;
  row[at + ROW_ZERO_COUNT] = value.zeroCount;
  row[at + ROW_SCALE] = value.scale;
  [value.positive, value.negative].forEach(({ offset, bucketCounts }, range) => {
    let first = 0;
    while (first < bucketCounts.length && bucketCounts[first] === 0) first++;
    if (first === bucketCounts.length) return;
    let end = bucketCounts.length;
    while (bucketCounts[end - 1] === 0) end--;
    row[at + ROW_RANGES + 2 * range] = offset + first;
    row[at + ROW_RANGES + 2 * range + 1] = end - first;
    row.set(bucketCounts.slice(first, end), at + ROW_COUNTS + range * size);
  });
}
