/**
 * The data model of OpenTelemetry as the official readers and exporters take it: plain objects, plain arrays,
 * plain numbers, and the numeric enums of `@opentelemetry/sdk-metrics`. Written here once more so that
 * nothing of that package is loaded where metrics are only read; a test holds the two together.
 */
import type { Attributes, HrTime, ValueType } from '@opentelemetry/api';
import type { InstrumentKind, Scope } from '../state/records.ts';

export const DATA_POINT_HISTOGRAM = 0;
export const DATA_POINT_EXPONENTIAL_HISTOGRAM = 1;
export const DATA_POINT_GAUGE = 2;
export const DATA_POINT_SUM = 3;
export const TEMPORALITY_DELTA = 0;
export const TEMPORALITY_CUMULATIVE = 1;

export type Temporality = typeof TEMPORALITY_DELTA | typeof TEMPORALITY_CUMULATIVE;

export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string;
}

export interface MetricDescriptor {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: InstrumentKind;
  readonly valueType: ValueType;
}

/** One measurement of a series, kept as an example (specification, exemplar). */
export interface Exemplar {
  /** Attributes of the measurement that a view dropped. */
  readonly filteredAttributes: Attributes;
  readonly value: number;
  readonly timestamp: HrTime;
  /** Both present where a sampled span was active. */
  readonly traceId?: string;
  readonly spanId?: string;
}

export interface DataPoint<T> {
  /**
   * Cumulative: when the series' first measurement was made; moves only where an observed total is set back.
   * Delta: when the reader collected before.
   */
  readonly startTime: HrTime;
  /** When the snapshot was taken. */
  readonly endTime: HrTime;
  readonly attributes: Attributes;
  readonly value: T;
  /** Left out where there are none. The official exporters pass them by. */
  readonly exemplars?: readonly Exemplar[];
}

export interface HistogramValue {
  /** Both absent where the stream does not keep them. */
  readonly min?: number;
  readonly max?: number;
  /** Absent where measurements may be negative. */
  readonly sum?: number;
  readonly count: number;
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
}

/** Bucket i of scale s has the values above 2^(i / 2^s) and up to 2^((i + 1) / 2^s). */
export interface ExponentialHistogramValue {
  /** Both absent where the stream does not keep them. */
  readonly min?: number;
  readonly max?: number;
  /** Absent where measurements may be negative. */
  readonly sum?: number;
  readonly count: number;
  /** The stream's highest scale where nothing but zeros was recorded. */
  readonly scale: number;
  readonly zeroCount: number;
  /** Counts of the buckets from index `offset` on; of the negative values, by their absolute value. */
  readonly positive: { readonly offset: number; readonly bucketCounts: number[] };
  readonly negative: { readonly offset: number; readonly bucketCounts: number[] };
}

interface MetricBase {
  readonly descriptor: MetricDescriptor;
  readonly aggregationTemporality: Temporality;
}

export interface SumMetric extends MetricBase {
  readonly dataPointType: typeof DATA_POINT_SUM;
  readonly isMonotonic: boolean;
  readonly dataPoints: DataPoint<number>[];
}

export interface GaugeMetric extends MetricBase {
  readonly dataPointType: typeof DATA_POINT_GAUGE;
  readonly dataPoints: DataPoint<number>[];
}

export interface HistogramMetric extends MetricBase {
  readonly dataPointType: typeof DATA_POINT_HISTOGRAM;
  readonly dataPoints: DataPoint<HistogramValue>[];
}

export interface ExponentialHistogramMetric extends MetricBase {
  readonly dataPointType: typeof DATA_POINT_EXPONENTIAL_HISTOGRAM;
  readonly dataPoints: DataPoint<ExponentialHistogramValue>[];
}

export type Metric = SumMetric | GaugeMetric | HistogramMetric | ExponentialHistogramMetric;

export interface ScopeMetrics {
  readonly scope: Scope;
  readonly metrics: Metric[];
}

/** A snapshot of a store: for each series its state after one whole update, merged over all writers. */
export interface ResourceMetrics {
  readonly resource: Resource;
  readonly scopeMetrics: ScopeMetrics[];
}
