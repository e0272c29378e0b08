/** Reads decoded OTLP: attributes as plain values, and totals of a metric. */
import type {
  AnyValue,
  HistogramDataPoint,
  KeyValue,
  NumberDataPoint,
  OtlpMetric,
  OtlpRequest,
} from './otlp-receiver.ts';

export type PlainValue = string | number | boolean | undefined | PlainValue[];

function plainValue(value: AnyValue | undefined): PlainValue {
  if (value?.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value?.intValue !== undefined) return Number(value.intValue);
  return value?.stringValue ?? value?.boolValue ?? value?.doubleValue;
}

export function attributesOf(pairs: readonly KeyValue[] = []): Record<string, PlainValue> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

/** The metric of a name; undefined when the request has none. */
export function findMetric(request: OtlpRequest, name: string): OtlpMetric | undefined {
  return request.resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .find((metric) => metric.name === name);
}

/**
 * Sum over a metric's points that have all of `attributes`: values of a sum or gauge, counts of a histogram.
 * NaN when there is no such point, which equals nothing.
 */
export function otlpTotal(
  request: OtlpRequest,
  name: string,
  attributes: Readonly<Record<string, PlainValue>> = {},
): number {
  const metric = findMetric(request, name);
  const points: readonly (NumberDataPoint | HistogramDataPoint)[] =
    metric?.sum?.dataPoints ?? metric?.gauge?.dataPoints ?? metric?.histogram?.dataPoints ?? [];
  const found = points.filter((point) => {
    const own = attributesOf(point.attributes);
    return Object.entries(attributes).every(([key, value]) => own[key] === value);
  });
  return found.length === 0 ? NaN : found.reduce((sum, point) => sum + valueOf(point), 0);
}

function valueOf(point: NumberDataPoint | HistogramDataPoint): number {
  return Number('count' in point ? point.count : (point.asInt ?? point.asDouble));
}
