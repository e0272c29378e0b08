/** Exponential histograms as they arrived over OTLP, and as they must be for the values that were recorded. */
import { attributesOf } from '../../../examples/demo/otlp-read.ts';
import type { KeyValue, OtlpRequest } from '../../../examples/demo/otlp-receiver.ts';
import { seriesKey, type Labels } from '../app/account.ts';

type Long = string | number;

export interface ExponentialPoint {
  readonly key: string;
  readonly temporality: number;
  readonly count: number;
  readonly sum: number;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly scale: number;
  readonly zeroCount: number;
  /** By bucket index. */
  readonly positive: Readonly<Record<number, number>>;
}

interface OtlpExponentialHistogram {
  readonly aggregationTemporality: number;
  readonly dataPoints: readonly {
    readonly attributes?: readonly KeyValue[];
    readonly count: Long;
    readonly sum: number;
    readonly min?: number;
    readonly max?: number;
    readonly scale?: number;
    readonly zeroCount?: Long;
    readonly positive?: { readonly offset?: number; readonly bucketCounts?: readonly Long[] };
  }[];
}

/** In the order in which they came. */
export function exponentialPoints(requests: readonly OtlpRequest[], instance: string): ExponentialPoint[] {
  return requests
    .flatMap(({ resourceMetrics }) => resourceMetrics)
    .filter(({ resource }) => attributesOf(resource?.attributes)['service.instance.id'] === instance)
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
    .flatMap((metric) => {
      const { exponentialHistogram } = metric as { exponentialHistogram?: OtlpExponentialHistogram };
      return (exponentialHistogram?.dataPoints ?? []).map((point): ExponentialPoint => {
        const { offset = 0, bucketCounts = [] } = point.positive ?? {};
        const buckets = bucketCounts.map((count, i): [number, number] => [offset + i, Number(count)]);
        return {
          key: seriesKey(metric.name, attributesOf(point.attributes) as Labels),
          temporality: exponentialHistogram!.aggregationTemporality,
          count: Number(point.count),
          sum: point.sum,
          min: point.min,
          max: point.max,
          scale: point.scale ?? 0,
          zeroCount: Number(point.zeroCount ?? 0),
          positive: Object.fromEntries(buckets.filter(([, count]) => count > 0)),
        };
      });
    });
}

/** The index of the bucket (base^index, base^(index + 1)] with base = 2^(2^-scale); OpenTelemetry's data model. */
function bucketOf(value: number, scale: number): number {
  return Math.ceil(Math.log2(value) * 2 ** scale) - 1;
}

/** What a point of this scale has to say about the values that were recorded. */
export function expectedAt(
  scale: number,
  values: Readonly<Record<number, number>>,
): Pick<ExponentialPoint, 'count' | 'sum' | 'zeroCount' | 'positive'> {
  const positive: Record<number, number> = {};
  let [count, sum, zeroCount] = [0, 0, 0];
  for (const [text, times] of Object.entries(values)) {
    const value = Number(text);
    count += times;
    sum += value * times;
    if (value === 0) zeroCount += times;
    else positive[bucketOf(value, scale)] = (positive[bucketOf(value, scale)] ?? 0) + times;
  }
  return { count, sum, zeroCount, positive };
}

/** Buckets of a coarser scale: each step joins two. */
export function positiveAt(scale: number, point: ExponentialPoint): Record<number, number> {
  const joined: Record<number, number> = {};
  for (const [index, count] of Object.entries(point.positive)) {
    const at = Number(index) >> (point.scale - scale);
    joined[at] = (joined[at] ?? 0) + count;
  }
  return joined;
}
