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
