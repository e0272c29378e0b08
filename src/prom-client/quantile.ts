import {
  ROW_COUNT,
  ROW_COUNTS,
  ROW_MAX,
  ROW_MIN,
  ROW_RANGES,
  ROW_SCALE,
  ROW_ZERO_COUNT,
} from '../collect/rows/exponential.ts';

/**
 * The value that a part `q` of the observations do not exceed, from a row of an exponential histogram;
 * undefined if nothing was observed. Within its bucket it is the number whose relative error is the same to
 * both bounds: at most (base - 1) / (base + 1). Never outside of what was observed, if that is known.
 */
export function quantileOf(row: Float64Array, q: number, maxSize: number): number | undefined {
  const count = row[ROW_COUNT]!;
  if (count === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * count));
  const value = valueAt(row, rank, maxSize);
  const min = row[ROW_MIN]!;
  const max = row[ROW_MAX]!;
  return min <= max ? Math.min(Math.max(value, min), max) : value;
}

/** The value of the observation that is the `rank`-th when they are sorted. */
function valueAt(row: Float64Array, rank: number, maxSize: number): number {
  let seen = 0;
  const offset = row[ROW_RANGES + 2]!;
  const negative = row[ROW_RANGES + 3]!;
  for (let i = negative; i-- > 0;) {
    seen += row[ROW_COUNTS + maxSize + i]!;
    if (seen >= rank) return -middle(offset + i, row[ROW_SCALE]!);
  }
  seen += row[ROW_ZERO_COUNT]!;
  if (seen >= rank) return 0;
  const first = row[ROW_RANGES]!;
  const length = row[ROW_RANGES + 1]!;
  for (let i = 0; i < length; i++) {
    seen += row[ROW_COUNTS + i]!;
    if (seen >= rank) return middle(first + i, row[ROW_SCALE]!);
  }
  return row[ROW_MAX]!;
}

/** Of the bucket from base^index to base^(index + 1). */
function middle(index: number, scale: number): number {
  const low = 2 ** (index * 2 ** -scale);
  const base = 2 ** (2 ** -scale);
  return (2 * low * base) / (1 + base);
}
