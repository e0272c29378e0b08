import type { ExponentialHistogramValue } from '../metric-data.ts';

type Buckets = ExponentialHistogramValue['positive'];

/**
 * What was counted between two cumulative states of one series. `before` is the earlier, undefined where there is none; its scale is not
 * the lower one, since scales only fall. The difference has the scale of the later state, which may be lower than the interval
 * alone would need. `extremes` are the interval's; left out where they are not known, as the sum is once it has grown beyond the largest number.
 */
export function exponentialDifference(
  now: ExponentialHistogramValue,
  before: ExponentialHistogramValue | undefined,
  extremes: { readonly min: number; readonly max: number } | undefined,
): ExponentialHistogramValue {
  if (before === undefined) return { ...now, positive: copyOf(now.positive), negative: copyOf(now.negative) };
  const change = before.scale - now.scale;
  const { scale } = now;
  const count = now.count - before.count;
  const zeroCount = now.zeroCount - before.zeroCount;
  const positive = bucketsBetween(now.positive, before.positive, change);
  const negative = bucketsBetween(now.negative, before.negative, change);
  const { min, max } = (now.min === undefined ? undefined : extremes) ?? {};
  const sum = Number.isFinite(before.sum) && now.sum !== undefined ? now.sum - before.sum! : undefined;
  // Written out, and not put together by spreading: see `SeriesValues.histogram`.
  if (min !== undefined && max !== undefined && sum !== undefined)
    return { min, max, sum, count, scale, zeroCount, positive, negative };
  if (min !== undefined && max !== undefined)
    return { min, max, count, scale, zeroCount, positive, negative };
  if (sum !== undefined) return { sum, count, scale, zeroCount, positive, negative };
  return { count, scale, zeroCount, positive, negative };
}

function copyOf({ offset, bucketCounts }: Buckets): Buckets {
  return { offset, bucketCounts: bucketCounts.slice() };
}

/** Buckets of `now` less those of `before`, which are finer by `change` steps of scale. Empty ones at both ends are cut off. */
function bucketsBetween(now: Buckets, before: Buckets, change: number): Buckets {
  const counts = now.bucketCounts.slice();
  const { bucketCounts: earlier, offset } = before;
  for (let i = 0; i < earlier.length; i++) {
    const count = earlier[i]!;
    if (count !== 0) counts[((offset + i) >> change) - now.offset]! -= count;
  }
  let first = 0;
  let end = counts.length;
  while (first < end && counts[first] === 0) first++;
  while (end > first && counts[end - 1] === 0) end--;
  return { offset: first < end ? now.offset + first : 0, bucketCounts: counts.slice(first, end) };
}
