/** What arrived over OTLP, in the form of the app's own books. */
import { attributesOf } from '../../../examples/demo/otlp-read.ts';
import type {
  HistogramDataPoint,
  NumberDataPoint,
  OtlpMetric,
  OtlpRequest,
} from '../../../examples/demo/otlp-receiver.ts';
import { addUp, seriesKey, type BookedValue, type Books, type Labels } from '../app/account.ts';
import { SCOPE } from '../app/instruments.ts';

export const DELTA = 1;
export const CUMULATIVE = 2;

/** Nanoseconds since the epoch are beyond what a number holds. */
export interface ArrivedPoint {
  readonly key: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly value: BookedValue;
  /** Undefined for gauges. */
  readonly temporality: number | undefined;
}

/** What was recorded by the process with this `service.instance.id`, export by export; not what the package says of itself. */
export function arrivals(requests: readonly OtlpRequest[], instance: string): ArrivedPoint[][] {
  return requests
    .map(({ resourceMetrics }) =>
      resourceMetrics
        .filter(({ resource }) => attributesOf(resource?.attributes)['service.instance.id'] === instance)
        .flatMap(({ scopeMetrics }) => scopeMetrics.filter(({ scope }) => scope?.name === SCOPE.name))
        .flatMap(({ metrics }) => metrics.flatMap(pointsOf)),
    )
    .filter((points) => points.length > 0);
}

/** What a receiver ends up with: the sum of a series' deltas, or its last value. */
export function receivedBooks(exports: readonly ArrivedPoint[][]): Books {
  return exports.reduce<Books>((books, points) => {
    const news = Object.fromEntries(points.map(({ key, value }) => [key, value]));
    const deltas = points.filter(({ temporality }) => temporality === DELTA).map(({ key }) => key);
    const before = Object.fromEntries(deltas.filter((key) => key in books).map((key) => [key, books[key]!]));
    return { ...books, ...addUp([before, news]) };
  }, {});
}

function pointsOf({ name, sum, gauge, histogram }: OtlpMetric): ArrivedPoint[] {
  const points: readonly (NumberDataPoint | HistogramDataPoint)[] = (sum ?? gauge ?? histogram)!.dataPoints;
  return points.map((point) => ({
    key: seriesKey(name, attributesOf(point.attributes) as Labels),
    start: BigInt(point.startTimeUnixNano ?? 0),
    end: BigInt(point.timeUnixNano),
    value: valueOf(point),
    temporality: (sum ?? histogram)?.aggregationTemporality,
  }));
}

function valueOf(point: NumberDataPoint | HistogramDataPoint): BookedValue {
  if (!('bucketCounts' in point)) return Number(point.asInt ?? point.asDouble);
  return {
    count: Number(point.count),
    sum: point.sum!,
    min: point.min!,
    max: point.max!,
    buckets: point.bucketCounts.map(Number),
  };
}

/** Deltas need not have minimum and maximum; the exporter thread has none where the main thread has no delta reader. */
export function withoutExtremes(books: Books): Books {
  const without = (value: BookedValue): BookedValue =>
    typeof value === 'number' ? value : { ...value, min: NaN, max: NaN };
  return Object.fromEntries(Object.entries(books).map(([key, value]) => [key, without(value)]));
}
