/**
 * The `MetricsProvider` interface of the founding specification, in TypeScript. Names of types begin with
 * `Metrics`, so that `Counter`, `Gauge` and `Histogram` stay OpenTelemetry's.
 *
 * Recording never throws: a value that cannot be recorded has no effect, and is warned of once per metric and
 * cause, through `diag`. Making a metric throws an `OptionError` if something about it is wrong. Objects
 * belong to the thread that made them.
 */
import type { ResourceMetrics } from '../../collect/metric-data.ts';
import type { ExpositionOptions } from '../../export/family-plan.ts';
import type { MetricsDocument } from '../../export/json.ts';
import type { HistogramStats } from './histogram-stats.ts';

/**
 * Which implementation: `seqlock` on shared memory, `standard` on the official SDK, `compare` on both at
 * once.
 */
export type MetricsMode = 'seqlock' | 'standard' | 'compare';

/** Kept as text: 200 and '200' are one value. */
export type MetricsLabelValue = string | number | boolean;

/** The labels of a series: exactly the names that the metric was made with, or any if it was made without. */
export type MetricsLabels<L extends string = string> = { readonly [name in L]: MetricsLabelValue };

/** A counter of one set of labels. */
export interface MetricsCounterSeries {
  /** Adds `amount`, a finite number from 0; 1 by default. */
  inc(amount?: number): void;
  /** Adds `amount`, a finite number from 0. */
  incBy(amount: number): void;
  /** The count so far; 0 at first. In seqlock mode that of all threads, also of those that have ended. */
  value(): number;
}

/** A gauge of one set of labels. In seqlock mode all threads share its value. */
export interface MetricsGaugeSeries {
  /** Sets the value, a finite number, in place of the one that any thread set or added to before. */
  set(value: number): void;
  /** Adds `amount`, a finite number; 1 by default. */
  inc(amount?: number): void;
  /** Subtracts `amount`, a finite number; 1 by default. */
  dec(amount?: number): void;
  /** The value; 0 at first. */
  value(): number;
}

/** A histogram of one set of labels. */
export interface MetricsHistogramSeries {
  /** Counts an observation: a finite number from 0. */
  observe(value: number): void;
  /** All observations so far, as one consistent state. In seqlock mode those of all threads. */
  stats(): HistogramStats;
}

interface MetricsFamily<L extends string, S> {
  /** As it is exported. */
  readonly name: string;
  /** What the metric is, for people. */
  readonly help: string;
  /**
   * The series with these labels: made on first use, and the same object for equal labels. Keep it where
   * speed counts. Never throws: labels that the metric does not take are warned of, and the series that is
   * returned then records nothing.
   */
  labels(labels: MetricsLabels<L>): S;
}

/** A counter, and its series. Its own methods use the series without labels. */
export interface MetricsCounter<L extends string = string>
  extends MetricsCounterSeries, MetricsFamily<L, MetricsCounterSeries> {}

/** A gauge, and its series. Its own methods use the series without labels. */
export interface MetricsGauge<L extends string = string>
  extends MetricsGaugeSeries, MetricsFamily<L, MetricsGaugeSeries> {}

/** A histogram, and its series. Its own methods use the series without labels. */
export interface MetricsHistogram<L extends string = string>
  extends MetricsHistogramSeries, MetricsFamily<L, MetricsHistogramSeries> {}

/** What `counter`, `gauge` and `histogram` of a metrics provider take. */
export interface MetricsFamilyOptions<L extends string = string> {
  /**
   * Names of the labels: letters, digits and `_`, no digit first, no `__` first. If given, every series has
   * exactly these labels. Default: any.
   */
  readonly labelNames?: readonly L[];
}

/** The result of a collection. */
export interface CollectedMetrics {
  /** All metrics, as one snapshot. */
  readonly resourceMetrics: ResourceMetrics;
  /** Errors of observable callbacks. */
  readonly errors: readonly unknown[];
}

/** Metrics by name: counters, gauges and histograms with labels. Belongs to the thread that made it. */
export interface MetricsProvider {
  /** Which implementation this is. */
  readonly mode: MetricsMode;
  /** Defaults of the options of `exportPrometheus` and of a handler. */
  readonly exposition: ExpositionOptions;
  /**
   * Makes a counter, or returns the one of that name. `name`: letters, digits, `_` and `:`, no digit first;
   * it is exported unchanged.
   *
   * @throws OptionError if the name, regardless of case, belongs to another kind, spelling or set of label
   * names.
   */
  counter<L extends string = string>(
    name: string,
    help: string,
    options?: MetricsFamilyOptions<L>,
  ): MetricsCounter<L>;
  /** Makes a gauge, or returns the one of that name. As `counter`. */
  gauge<L extends string = string>(
    name: string,
    help: string,
    options?: MetricsFamilyOptions<L>,
  ): MetricsGauge<L>;
  /**
   * Makes a histogram, or returns the one of that name. `buckets`: upper inclusive bounds, finite and
   * ascending, 1 to `MAX_BUCKETS` of them; the bucket above the last one is added. Default
   * `RESPONSE_TIME_BUCKETS`. Otherwise as `counter`.
   *
   * @throws OptionError also if the name has other buckets already.
   */
  histogram<L extends string = string>(
    name: string,
    help: string,
    buckets?: readonly number[],
    options?: MetricsFamilyOptions<L>,
  ): MetricsHistogram<L>;
  /**
   * Prometheus text 0.0.4, as `createPrometheusHandler(provider)` serves it: the metrics of this provider
   * under their own names and, in `seqlock` mode, those of all other meters of the store. It has no
   * `target_info` unless the options say so. A series appears from its first recording on. Observable
   * instruments have the values of their latest round, and the call starts the next round.
   *
   * @throws OptionError on a wrong option.
   */
  exportPrometheus(options?: ExpositionOptions): string;
  /** The same metrics as a JSON value; `metricsJsonSchema` describes its form. */
  exportJson(): MetricsDocument;
  /**
   * Calls observable callbacks, for at most `timeoutMillis` milliseconds each, then gives all metrics. With
   * it the provider can be a source of `createPrometheusHandler`.
   */
  collect(options?: { readonly timeoutMillis?: number }): Promise<CollectedMetrics>;
  /** Seconds since the provider was made, with fractions, by a monotonic clock. */
  uptimeSeconds(): number;
  /**
   * Exports what push readers have not exported yet, and frees memory. What is recorded afterwards is not
   * exported.
   */
  shutdown(): Promise<void>;
}
