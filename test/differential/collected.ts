/** What a program's collections came to, with all that rules may adapt. */
import type { Attributes, HrTime } from '@opentelemetry/api';

export interface Point {
  startTime: HrTime;
  endTime: HrTime;
  attributes: Attributes;
  value: number | { count: number; sum?: number | undefined; min?: number | undefined; max?: number | undefined };
}

export interface Metric {
  descriptor: { name: string; type: string; unit: string; valueType: number; advice?: unknown };
  dataPoints: Point[];
}

export interface Scope {
  scope: { name: string; version?: string | undefined; schemaUrl?: string | undefined };
  metrics: Metric[];
}

export type Collection = Scope[];

export function allPoints(collection: Collection): { readonly scope: Scope; readonly metric: Metric; readonly point: Point }[] {
  return collection.flatMap((scope) =>
    scope.metrics.flatMap((metric) => metric.dataPoints.map((point) => ({ scope, metric, point }))),
  );
}
