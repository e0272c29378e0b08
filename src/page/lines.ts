/** Points of a stream as lines of a chart. */
import type { Point, StreamInfo, StreamKind } from '../exporter/page-protocol.ts';
import { addedBuckets, explicitQuantile, exponentialBuckets, exponentialQuantile } from './quantile.ts';

export interface Line {
  readonly label: string;
  /** Null where nothing is known. */
  readonly values: (number | null)[];
  /** What the values are: amounts in the unit of the metric, or increases a second. */
  readonly isRate: boolean;
}

/** Quantiles are of the values of so many seconds: those of one second alone jump. */
export const QUANTILE_SECONDS = 10;
export const QUANTILES: readonly number[] = [0.5, 0.9, 0.99];

/** Whether points of this kind say what happened in a frame. Otherwise a value stays until the next one. */
export function isOfFrame(kind: StreamKind): boolean {
  return kind !== 'level' && kind !== 'gauge';
}

type Points = readonly (Point | undefined)[];

/** All lines that show the stream as a whole. `times`: milliseconds since the epoch, one for each point. */
export function linesOf(info: StreamInfo, times: readonly number[], points: Points): Line[] {
  switch (info.kind) {
    case 'counter':
      return [{ label: 'rate', values: ratesOf(times, points), isRate: true }];
    case 'level':
      return [{ label: info.series > 1 ? 'sum' : 'value', values: heldOf(points, 0), isRate: false }];
    case 'gauge':
      return info.series > 1
        ? ['mean', 'lowest', 'highest'].map((label, i) => ({
            label,
            values: heldOf(points, i),
            isRate: false,
          }))
        : [{ label: 'value', values: heldOf(points, 0), isRate: false }];
    default:
      return quantilesOf(info, times, points);
  }
}

/** The one line that stands for a group of a stream; without a point, the group was not shown. */
export function lineOf(info: StreamInfo, label: string, times: readonly number[], points: Points): Line {
  switch (info.kind) {
    case 'counter':
      return {
        label,
        values: ratesOf(times, points).map((rate, i) => (points[i] === undefined ? null : rate)),
        isRate: true,
      };
    case 'level':
    case 'gauge':
      return { label, values: heldOf(points, 0), isRate: false };
    default:
      return { label, values: quantilesOf(info, times, points, [0.99])[0]!.values, isRate: false };
  }
}

/** Increases a second: of counters what was added, of histograms how many values. */
export function ratesOf(times: readonly number[], points: Points): (number | null)[] {
  return points.map((point, i) => {
    const seconds = (times[i]! - times[i - 1]!) / 1000;
    return i === 0 ? null : (point?.[0] ?? 0) / seconds;
  });
}

/** Values that stay until the next one. */
function heldOf(points: Points, part: number): (number | null)[] {
  let held: number | null = null;
  return points.map((point) => {
    if (point !== undefined) held = point[part] ?? null;
    return held;
  });
}

function quantilesOf(
  { kind, bounds }: StreamInfo,
  times: readonly number[],
  points: Points,
  quantiles: readonly number[] = QUANTILES,
): Line[] {
  const lines = quantiles.map((q) => ({
    label: `p${q * 100}`,
    values: [] as (number | null)[],
    isRate: false,
  }));
  let from = 0;
  for (let i = 0; i < points.length; i++) {
    while (times[i]! - times[from]! >= 1000 * QUANTILE_SECONDS) from++;
    const window = points.slice(from, i + 1);
    const isEmpty = window.every((point) => point === undefined || point[0] === 0);
    const at = isEmpty
      ? (): undefined => undefined
      : kind === 'histogram'
        ? explicitIn(window, bounds)
        : exponentialIn(window);
    quantiles.forEach((q, n) => lines[n]!.values.push(at(q) ?? null));
  }
  return lines;
}

function explicitIn(window: Points, bounds: readonly number[]): (q: number) => number | undefined {
  const counts = addedBuckets(window, bounds.length + 1);
  return (q) => explicitQuantile(q, bounds, counts);
}

function exponentialIn(window: Points): (q: number) => number | undefined {
  const buckets = exponentialBuckets(window);
  return (q) => exponentialQuantile(q, buckets);
}
