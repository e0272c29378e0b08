/**
 * Metrics as a JSON document, whose form is promised: `json-schema.ts` says it for machines. Fields may be
 * added; none changes its meaning while `schemaVersion` is 1.
 */
import { millisOf } from '../collect/hr-time.ts';
import type { Attributes, HrTime } from '@opentelemetry/api';
import type {
  DataPoint,
  Exemplar,
  ExponentialHistogramValue,
  HistogramValue,
  Metric,
  ResourceMetrics,
} from '../collect/metric-data.ts';
import {
  DATA_POINT_EXPONENTIAL_HISTOGRAM,
  DATA_POINT_HISTOGRAM,
  DATA_POINT_SUM,
} from '../collect/metric-data.ts';
import { wellFormed } from './prometheus-name.ts';

/** A number. JSON has none for NaN and the infinities: these are texts. */
export type JsonNumber = number | 'NaN' | '+Inf' | '-Inf';

/** The value of an attribute. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The state of one series. */
export interface JsonPoint {
  /** Which series of the metric. */
  readonly attributes: Readonly<Record<string, JsonValue>>;
  /** When the series began: milliseconds since the epoch. */
  readonly startTimeUnixMillis: number;
  /** When the snapshot was taken: milliseconds since the epoch. */
  readonly timeUnixMillis: number;
  /** Single measurements of the series; left out where there are none. */
  readonly exemplars?: readonly JsonExemplar[];
}

/** One measurement, kept as an example. */
export interface JsonExemplar {
  /** Attributes of the measurement that a view dropped. */
  readonly filteredAttributes: Readonly<Record<string, JsonValue>>;
  /** The value that was recorded. */
  readonly value: JsonNumber;
  /** When it was recorded: milliseconds since the epoch. */
  readonly timeUnixMillis: number;
  /** In hexadecimal digits; present with `spanId`, where a sampled span was active. */
  readonly traceId?: string;
  /** In hexadecimal digits; see `traceId`. */
  readonly spanId?: string;
}

/** A point of a counter or a gauge. */
export interface JsonNumberPoint extends JsonPoint {
  /** The total, or the latest value of a gauge. */
  readonly value: JsonNumber;
}

interface JsonDistributionPoint extends JsonPoint {
  /** Values that were recorded. */
  readonly count: number;
  /** Their sum; left out where values may be negative. */
  readonly sum?: JsonNumber;
  /** The smallest; left out where the metric does not keep it. */
  readonly min?: JsonNumber;
  /** The greatest; left out where the metric does not keep it. */
  readonly max?: JsonNumber;
}

/** A point of a histogram with explicit bounds. */
export interface JsonHistogramPoint extends JsonDistributionPoint {
  /**
   * `count` is of this bucket alone: above the bound before it, up to and with `upperBound`. The last bound
   * is `+Inf`.
   */
  readonly buckets: readonly { readonly upperBound: JsonNumber; readonly count: number }[];
}

/** Counts of neighbouring buckets, the first of which is bucket `offset`. */
export interface JsonExponentialBuckets {
  /** Index of the first bucket. */
  readonly offset: number;
  /** Values in each bucket, by ascending index. */
  readonly bucketCounts: readonly number[];
}

/**
 * A point of an exponential histogram. Bucket i has the values above 2^(i / 2^scale) and up to
 * 2^((i + 1) / 2^scale).
 */
export interface JsonExponentialHistogramPoint extends JsonDistributionPoint {
  /** Resolution of the buckets, -10 to 20. */
  readonly scale: number;
  /** Values that were 0. */
  readonly zeroCount: number;
  /** Counts of positive values. */
  readonly positive: JsonExponentialBuckets;
  /** Counts of negative values, by their absolute value. */
  readonly negative: JsonExponentialBuckets;
}

interface JsonMetricBase {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
}

/** A metric with its points, one for each series; `type` tells which form the points have. */
export type JsonMetric =
  | (JsonMetricBase & {
      readonly type: 'counter' | 'updowncounter' | 'gauge';
      readonly points: readonly JsonNumberPoint[];
    })
  | (JsonMetricBase & { readonly type: 'histogram'; readonly points: readonly JsonHistogramPoint[] })
  | (JsonMetricBase & {
      readonly type: 'exponentialhistogram';
      readonly points: readonly JsonExponentialHistogramPoint[];
    });

/**
 * All metrics of a store as a JSON value. Names, units and attributes are OpenTelemetry's own, not
 * translated.
 */
export interface MetricsDocument {
  /** Fields may be added; none changes its meaning while this is 1. */
  readonly schemaVersion: 1;
  /** What the metrics are about. */
  readonly resource: { readonly attributes: Readonly<Record<string, JsonValue>> };
  /** By meter. Name, version and schema URL are empty where the meter was asked for without. */
  readonly scopes: readonly {
    readonly name: string;
    readonly version: string;
    readonly schemaUrl: string;
    /** Left out where there are none. */
    readonly attributes?: Readonly<Record<string, JsonValue>>;
    readonly metrics: readonly JsonMetric[];
  }[];
}

/** A snapshot as plain values that `JSON.stringify` writes and `JSON.parse` gives back unchanged. */
export function metricsDocument({ resource, scopeMetrics }: ResourceMetrics): MetricsDocument {
  return {
    schemaVersion: 1,
    resource: { attributes: attributesOf(resource.attributes) },
    scopes: scopeMetrics.map(({ scope, metrics }) => ({
      name: wellFormed(scope.name),
      version: wellFormed(scope.version ?? ''),
      schemaUrl: wellFormed(scope.schemaUrl ?? ''),
      ...(scope.attributes !== undefined && { attributes: attributesOf(scope.attributes) }),
      metrics: metrics.map(metricOf),
    })),
  };
}

function metricOf(metric: Metric): JsonMetric {
  const { name, description, unit } = metric.descriptor;
  const base = { name: wellFormed(name), description: wellFormed(description), unit: wellFormed(unit) };
  if (metric.dataPointType === DATA_POINT_HISTOGRAM)
    return {
      ...base,
      type: 'histogram',
      points: metric.dataPoints.map((point) => ({ ...pointOf(point), ...histogramOf(point.value) })),
    };
  if (metric.dataPointType === DATA_POINT_EXPONENTIAL_HISTOGRAM)
    return {
      ...base,
      type: 'exponentialhistogram',
      points: metric.dataPoints.map((point) => ({ ...pointOf(point), ...exponentialOf(point.value) })),
    };
  const isSum = metric.dataPointType === DATA_POINT_SUM;
  return {
    ...base,
    type: isSum ? (metric.isMonotonic ? 'counter' : 'updowncounter') : 'gauge',
    points: metric.dataPoints.map((point) => ({ ...pointOf(point), value: jsonNumber(point.value) })),
  };
}

function pointOf(point: Omit<DataPoint<unknown>, 'value'>): JsonPoint {
  const { exemplars = [] } = point;
  return {
    attributes: attributesOf(point.attributes),
    startTimeUnixMillis: wholeMillisOf(point.startTime),
    timeUnixMillis: wholeMillisOf(point.endTime),
    ...(exemplars.length > 0 && { exemplars: exemplars.map(jsonExemplar) }),
  };
}

function jsonExemplar({ filteredAttributes, value, timestamp, traceId, spanId }: Exemplar): JsonExemplar {
  return {
    filteredAttributes: attributesOf(filteredAttributes),
    value: jsonNumber(value),
    timeUnixMillis: wholeMillisOf(timestamp),
    ...(traceId !== undefined && spanId !== undefined && { traceId, spanId }),
  };
}

function histogramOf(value: HistogramValue): Omit<JsonHistogramPoint, keyof JsonPoint> {
  const { counts, boundaries } = value.buckets;
  return {
    ...distributionOf(value),
    buckets: counts.map((count, i) => ({ upperBound: jsonNumber(boundaries[i] ?? Infinity), count })),
  };
}

function exponentialOf(
  value: ExponentialHistogramValue,
): Omit<JsonExponentialHistogramPoint, keyof JsonPoint> {
  const { scale, zeroCount, positive, negative } = value;
  return { ...distributionOf(value), scale, zeroCount, positive, negative };
}

function distributionOf({
  count,
  sum,
  min,
  max,
}: HistogramValue | ExponentialHistogramValue): Omit<JsonDistributionPoint, keyof JsonPoint> {
  return {
    count,
    ...(sum !== undefined && { sum: jsonNumber(sum) }),
    ...(min !== undefined && { min: jsonNumber(min) }),
    ...(max !== undefined && { max: jsonNumber(max) }),
  };
}

function wholeMillisOf(time: HrTime): number {
  return Math.round(millisOf(time));
}

function jsonNumber(value: number): JsonNumber {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : value + 0; // no minus zero: JSON would lose its sign
}

/** As JSON holds them, bytes as base64; keys without a value are left out. */
function attributesOf(attributes: Attributes): Record<string, JsonValue> {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [wellFormed(key), jsonValue(value)]));
}

function jsonValue(value: unknown): JsonValue {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null') as JsonValue;
  } catch {
    return null;
  }
}
