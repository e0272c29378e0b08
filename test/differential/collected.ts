/** What a program's collections came to, with all that rules may adapt. */
import type { Attributes, HrTime } from '@opentelemetry/api';

export interface HistogramValue {
  count: number;
  sum?: number | undefined;
  min?: number | undefined;
  max?: number | undefined;
}

export interface ExponentialValue extends HistogramValue {
  scale: number;
  zeroCount: number;
  positive: { offset: number; bucketCounts: number[] };
  negative: { offset: number; bucketCounts: number[] };
}

export interface Point {
  startTime: HrTime;
  endTime: HrTime;
  attributes: Attributes;
  exemplars?: unknown;
  value: number | HistogramValue | ExponentialValue;
}

export interface Metric {
  aggregationTemporality: number;
  isMonotonic?: boolean;
  descriptor: {
    name: string;
    description: string;
    type: string;
    unit: string;
    valueType: number;
    advice?: unknown;
  };
  dataPoints: Point[];
}

export const DELTA = 0;
export const CUMULATIVE = 1;

/** Whether a metric is of an asynchronous instrument. */
export function isObserved({ descriptor }: Metric): boolean {
  return descriptor.type.startsWith('OBSERVABLE_');
}

export interface Scope {
  scope: {
    name: string;
    version?: string | undefined;
    schemaUrl?: string | undefined;
    attributes?: Attributes;
  };
  metrics: Metric[];
}

export type Collection = Scope[];

export function allPoints(
  collection: Collection,
): { readonly scope: Scope; readonly metric: Metric; readonly point: Point }[] {
  return collection.flatMap((scope) =>
    scope.metrics.flatMap((metric) => metric.dataPoints.map((point) => ({ scope, metric, point }))),
  );
}

/** Without metrics that have no points, and scopes that have no metrics. */
export function withoutEmpty(collection: Collection): Collection {
  for (const scope of collection)
    scope.metrics = scope.metrics.filter(({ dataPoints }) => dataPoints.length > 0);
  return collection.filter(({ metrics }) => metrics.length > 0);
}
