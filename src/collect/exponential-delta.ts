import type { ExponentialHistogramValue } from './metric-data.ts';

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
  return {
    ...(now.min !== undefined && extremes),
    ...(now.sum !== undefined && Number.isFinite(before.sum) && { sum: now.sum - before.sum! }),
    count: now.count - before.count,
    scale: now.scale,
    zeroCount: now.zeroCount - before.zeroCount,
    positive: bucketsBetween(now.positive, before.positive, change),
    negative: bucketsBetween(now.negative, before.negative, change),
  };
}

function copyOf({ offset, bucketCounts }: Buckets): Buckets {
  return { offset, bucketCounts: bucketCounts.slice() };
}

/** Buckets of `now` less those of `before`, which are finer by `change` steps of scale. Empty ones at both ends are cut off. */
function bucketsBetween(now: Buckets, before: Buckets, change: number): Buckets {
  const counts = now.bucketCounts.slice();
  before.bucketCounts.forEach((count, i) => {
    if (count !== 0) counts[((before.offset + i) >> change) - now.offset]! -= count;
  });
  let first = 0;
  while (first < counts.length && counts[first] === 0) first++;
  if (first === counts.length) return { offset: 0, bucketCounts: [] };
  let end = counts.length;
  while (counts[end - 1] === 0) end--;
  return { offset: now.offset + first, bucketCounts: counts.slice(first, end) };
}
