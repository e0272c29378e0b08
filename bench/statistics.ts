/** The arithmetic of the benchmarks. */

/** The middle of the values; of an even number of them, the mean of the two in the middle. Throws on none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * How many times `other` is as large as `own`: the median of the ratios round by round. The two of one round ran one after
 * the other, so what slowed the machine down for a while slowed both down, and the ratio keeps still where the values do not.
 */
export function pairedRatio(other: readonly number[], own: readonly number[]): number {
  return median(paired(other, own, (a, b) => a / b));
}

/** How much `other` is above `own`: the median of the differences round by round. */
export function pairedDifference(other: readonly number[], own: readonly number[]): number {
  return median(paired(other, own, (a, b) => a - b));
}

function paired(
  other: readonly number[],
  own: readonly number[],
  compare: (other: number, own: number) => number,
): number[] {
  if (other.length !== own.length) throw new RangeError(`${other.length} rounds against ${own.length}`);
  return other.map((value, round) => compare(value, own[round]!));
}
