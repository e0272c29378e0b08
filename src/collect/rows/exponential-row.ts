/**
 * An exponential histogram as a row of numbers: how a cell is copied (drawn in exponential-histogram-cell.ts), how merging leaves it and the formats take it.
 * What its buckets have beyond `length` is undefined.
 */
import type { ExponentialHistogramValue } from '../metric-data.ts';
import {
  EXPONENTIAL_COUNT as ROW_COUNT,
  EXPONENTIAL_COUNTS as ROW_COUNTS,
  EXPONENTIAL_MAX as ROW_MAX,
  EXPONENTIAL_MIN as ROW_MIN,
  EXPONENTIAL_RANGES as ROW_RANGES,
  EXPONENTIAL_SCALE as ROW_SCALE,
  EXPONENTIAL_SUM as ROW_SUM,
  EXPONENTIAL_ZERO_COUNT as ROW_ZERO_COUNT,
} from '../../state/cells/exponential-histogram-cell.ts';

export { ROW_COUNT, ROW_COUNTS, ROW_MAX, ROW_MIN, ROW_RANGES, ROW_SCALE, ROW_SUM, ROW_ZERO_COUNT };

/** Words of a row for so many ranges (1: no negative one) of at most `size` buckets. */
export function exponentialRowWords(size: number, ranges: number): number {
  return ROW_COUNTS + ranges * size;
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
  const min = row[at + ROW_MIN]!;
  const max = row[at + ROW_MAX]!;
  const sum = row[at + ROW_SUM]!;
  const count = row[at + ROW_COUNT]!;
  const scale = row[at + ROW_SCALE]!;
  const zeroCount = row[at + ROW_ZERO_COUNT]!;
  const positive = bucketsOf(row, at, 0, size);
  const negative = bucketsOf(row, at, 1, size);
  // Written out, and not put together by spreading: see `SeriesValues.histogram`.
  if (hasSum && recordMinMax) return { min, max, sum, count, scale, zeroCount, positive, negative };
  if (hasSum) return { sum, count, scale, zeroCount, positive, negative };
  if (recordMinMax) return { min, max, count, scale, zeroCount, positive, negative };
  return { count, scale, zeroCount, positive, negative };
}

function bucketsOf(
  row: Float64Array,
  at: number,
  range: number,
  size: number,
): ExponentialHistogramValue['positive'] {
  const counts = at + ROW_COUNTS + range * size;
  const length = row[at + ROW_RANGES + 2 * range + 1]!;
  // oxlint-disable-next-line unicorn/no-new-array -- of the length it will have: one that grows by pushing takes five times as long
  const bucketCounts = new Array<number>(length);
  for (let i = 0; i < length; i++) bucketCounts[i] = row[counts + i]!;
  return { offset: row[at + ROW_RANGES + 2 * range]!, bucketCounts };
}

/** Copies a row, or what was copied of a cell, to the row at `at`. */
export function copyExponentialRow(from: Float64Array, row: Float64Array, at: number, size: number): void {
  for (let i = 0; i < ROW_COUNTS; i++) row[at + i] = from[i]!;
  for (let range = 0; range < 2; range++) {
    const counts = ROW_COUNTS + range * size;
    const end = counts + from[ROW_RANGES + 2 * range + 1]!;
    for (let i = counts; i < end; i++) row[at + i] = from[i]!;
  }
}

/** Writes a data point's value to the row at `at`, which has room for all its buckets. Empty ones at the ends are cut off. */
export function fillExponentialRow(
  row: Float64Array,
  at: number,
  size: number,
  value: ExponentialHistogramValue,
): void {
  row[at + ROW_COUNT] = value.count;
  row[at + ROW_SUM] = value.sum ?? 0;
  row[at + ROW_MIN] = value.min ?? Infinity;
  row[at + ROW_MAX] = value.max ?? -Infinity;
  row[at + ROW_ZERO_COUNT] = value.zeroCount;
  row[at + ROW_SCALE] = value.scale;
  [value.positive, value.negative].forEach(({ offset, bucketCounts }, range) => {
    let first = 0;
    let end = bucketCounts.length;
    while (first < end && bucketCounts[first] === 0) first++;
    while (end > first && bucketCounts[end - 1] === 0) end--;
    row[at + ROW_RANGES + 2 * range] = first < end ? offset + first : 0;
    row[at + ROW_RANGES + 2 * range + 1] = end - first;
    row.set(bucketCounts.slice(first, end), at + ROW_COUNTS + range * size);
  });
}
