/**
 * The data model of OpenTelemetry as the official readers and exporters take it: plain objects, plain arrays,
 * plain numbers, and the numeric enums of `@opentelemetry/sdk-metrics`. It is written here once more, so that
 * a thread that only reads metrics loads nothing of that package. A test compares the two.
 */
import type { Attributes, HrTime, ValueType } from '@opentelemetry/api';
import type { Scope } from '../state/records.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';

export const DATA_POINT_HISTOGRAM = 0;
export const DATA_POINT_EXPONENTIAL_HISTOGRAM = 1;
export const DATA_POINT_GAUGE = 2;
export const DATA_POINT_SUM = 3;
export const TEMPORALITY_DELTA = 0;
export const TEMPORALITY_CUMULATIVE = 1;

export type Temporality = typeof TEMPORALITY_DELTA | typeof TEMPORALITY_CUMULATIVE;

/** What the metrics are about: a service, a process, a host. */
export interface Resource {
  /** Such as `service.name`, which names the service. */
  readonly attributes: Attributes;
  /** The schema that the attributes follow. */
  readonly schemaUrl?: string;
}

/** What a metric is called, and which instrument it is of. */
export interface MetricDescriptor {
  /** As the instrument or its view gives it. */
  readonly name: string;
  /** Empty where none was given. */
  readonly description: string;
  /** In the code of UCUM, such as `ms` or `By`; empty where none was given. */
  readonly unit: string;
  /** Kind of the instrument. */
  readonly type: InstrumentKind;
  /** Whether its values are whole numbers. */
  readonly valueType: ValueType;
}

/** One measurement of a series, kept as an example (specification, exemplar). */
export interface Exemplar {
  /** Attributes of the measurement that a view dropped. */
  readonly filteredAttributes: Attributes;
  /** The value that was recorded. */
  readonly value: number;
  /** When it was recorded. */
  readonly timestamp: HrTime;
  /** Both present where a sampled span was active. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** The state of one series at one time. `T`: a number for sums and gauges, else a distribution. */
export interface DataPoint<T> {
  /**
   * Cumulative: when the first measurement of the series was made; it moves only if an observed total is
   * reset. Delta: when the reader collected before.
   */
  readonly startTime: HrTime;
  /** When the snapshot was taken. */
  readonly endTime: HrTime;
  /** Which series of the metric. */
  readonly attributes: Attributes;
  /** Cumulative: since `startTime`. Delta: of the time since then alone. */
  readonly value: T;
  /** Left out if there are none. The official exporters ignore them. */
  readonly exemplars?: readonly Exemplar[];
}

/** What a histogram with explicit bounds has counted. */
export interface HistogramValue {
  /** The smallest value; absent where the metric does not keep it. */
  readonly min?: number;
  /** The greatest value; absent where the metric does not keep it. */
  readonly max?: number;
  /** Absent where measurements may be negative. */
  readonly sum?: number;
  /** Values that were recorded. */
  readonly count: number;
  /** Upper inclusive bounds, ascending; and the count of each bucket, with one more above the last bound. */
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
}

/**
 * What an exponential histogram has counted. Bucket i of scale s has the values above 2^(i / 2^s) and up to
 * 2^((i + 1) / 2^s).
 */
export interface ExponentialHistogramValue {
  /** The smallest value; absent where the metric does not keep it. */
  readonly min?: number;
  /** The greatest value; absent where the metric does not keep it. */
  readonly max?: number;
  /** Absent where measurements may be negative. */
  readonly sum?: number;
  /** Values that were recorded, zeros included. */
  readonly count: number;
  /** Resolution of the buckets, -10 to 20; the metric's highest where nothing but zeros was recorded. */
  readonly scale: number;
  /** Values that were 0. */
  readonly zeroCount: number;
  /** Counts of the buckets of positive values, from index `offset` on. */
  readonly positive: { readonly offset: number; readonly bucketCounts: number[] };
  /** The same of negative values, by their absolute value. */
  readonly negative: { readonly offset: number; readonly bucketCounts: number[] };
}

interface MetricBase {
  /** Name, unit and kind. */
  readonly descriptor: MetricDescriptor;
  /** Whether values are totals (cumulative), or what was recorded since the collection before (delta). */
  readonly aggregationTemporality: Temporality;
}

/** A metric whose values are sums. */
export interface SumMetric extends MetricBase {
  /** `DataPointType.SUM` of the official SDK. */
  readonly dataPointType: typeof DATA_POINT_SUM;
  /** True for counters, whose sums never fall. */
  readonly isMonotonic: boolean;
  /** One for each series. */
  readonly dataPoints: DataPoint<number>[];
}

/** A metric whose values are the latest that were set or observed. */
export interface GaugeMetric extends MetricBase {
  /** `DataPointType.GAUGE` of the official SDK. */
  readonly dataPointType: typeof DATA_POINT_GAUGE;
  /** One for each series. */
  readonly dataPoints: DataPoint<number>[];
}

/** A metric whose values are histograms with explicit bounds. */
export interface HistogramMetric extends MetricBase {
  /** `DataPointType.HISTOGRAM` of the official SDK. */
  readonly dataPointType: typeof DATA_POINT_HISTOGRAM;
  /** One for each series. */
  readonly dataPoints: DataPoint<HistogramValue>[];
}

/** A metric whose values are exponential histograms. */
export interface ExponentialHistogramMetric extends MetricBase {
  /** `DataPointType.EXPONENTIAL_HISTOGRAM` of the official SDK. */
  readonly dataPointType: typeof DATA_POINT_EXPONENTIAL_HISTOGRAM;
  /** One for each series. */
  readonly dataPoints: DataPoint<ExponentialHistogramValue>[];
}

/** A metric of any kind; `dataPointType` tells which. */
export type Metric = SumMetric | GaugeMetric | HistogramMetric | ExponentialHistogramMetric;

/** The metrics of one meter. */
export interface ScopeMetrics {
  /** What the meter was asked for with. */
  readonly scope: Scope;
  /** All metrics of the meter that have data. */
  readonly metrics: Metric[];
}

/** A snapshot of a store: for each series its state after one whole update, merged over all writers. */
export interface ResourceMetrics {
  /** What they are about. */
  readonly resource: Resource;
  /** By meter. */
  readonly scopeMetrics: ScopeMetrics[];
}
