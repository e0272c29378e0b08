/**
 * Quantiles of histograms as Prometheus' `histogram_quantile` gives them: with linear interpolation in
 * buckets with explicit bounds, and exponential interpolation in those of exponential histograms.
 */
import type { Point } from '../exporter/page-protocol.ts';

/** Values in a bucket: above `low`, up to `high`. */
export interface Bucket {
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Adds up histogram points with explicit bounds. The result has a count for each of `buckets` buckets. */
export function addedBuckets(points: readonly (Point | undefined)[], buckets: number): number[] {
  const counts = Array.from({ length: buckets }, () => 0);
  for (const point of points)
    if (point !== undefined)
      for (let i = 2; i + 1 < point.length; i += 2) counts[point[i]!]! += point[i + 1]!;
  return counts;
}

/** `counts`: one more than `bounds`. Undefined if nothing is counted. */
export function explicitQuantile(
  q: number,
  bounds: readonly number[],
  counts: readonly number[],
): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || bounds.length === 0) return undefined;
  const rank = q * total;
  let below = 0;
  let i = 0;
  while (i < bounds.length && below + counts[i]! < rank) below += counts[i++]!;
  // What lies above the last bound is not known.
  if (i === bounds.length) return bounds[i - 1];
  const high = bounds[i]!;
  if (i === 0 && high <= 0) return high;
  const low = i === 0 ? 0 : bounds[i - 1]!;
  return counts[i] === 0 ? low : low + (high - low) * ((rank - below) / counts[i]!);
}

/** The buckets of exponential points, added up at their coarsest scale, from low values to high ones. */
export function exponentialBuckets(points: readonly (Point | undefined)[]): Bucket[] {
  const given = points.filter((point) => point !== undefined && point[0]! > 0) as Point[];
  const scale = given.reduce((least, point) => Math.min(least, point[2]!), Infinity);
  const positive = new Map<number, number>();
  const negative = new Map<number, number>();
  let zeros = 0;
  for (const point of given) {
    zeros += point[3]!;
    const end = 5 + 2 * point[4]!;
    const change = point[2]! - scale;
    for (let i = 5; i < point.length; i += 2) {
      const range = i < end ? positive : negative;
      const index = Math.floor(point[i]! / 2 ** change);
      range.set(index, (range.get(index) ?? 0) + point[i + 1]!);
    }
  }
  const bound = (index: number): number => 2 ** (index / 2 ** scale);
  const sorted = (range: Map<number, number>): [number, number][] => [...range].sort(([a], [b]) => a - b);
  return [
    ...sorted(negative)
      .reverse()
      .map(([index, count]) => ({ low: -bound(index + 1), high: -bound(index), count })),
    ...(zeros > 0 ? [{ low: 0, high: 0, count: zeros }] : []),
    ...sorted(positive).map(([index, count]) => ({ low: bound(index), high: bound(index + 1), count })),
  ];
}

/** Undefined if nothing is counted. */
export function exponentialQuantile(q: number, buckets: readonly Bucket[]): number | undefined {
  const total = buckets.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = q * total;
  let below = 0;
  let i = 0;
  while (i < buckets.length - 1 && below + buckets[i]!.count < rank) below += buckets[i++]!.count;
  const { low, high, count } = buckets[i]!;
  if (low === high) return low;
  const share = Math.min(1, (rank - below) / count);
  return low * (high / low) ** share;
}
