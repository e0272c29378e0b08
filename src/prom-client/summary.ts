import { format } from 'node:util';
import { ROW_COUNT, ROW_SUM } from '../collect/rows/exponential.ts';
import type { Labels, LocalSeries } from './label-series.ts';
import { labelsOf, Metric, startClock, type MetricConfiguration } from './metric.ts';
import { StoredMetric } from './metric-store.ts';
import { quantileOf } from './quantile.ts';
import { SummaryWindow } from './summary-window.ts';
import type { CollectFunction, LabelValues, MetricObjectWithValues, MetricValueWithName } from './types.ts';
import { isObject, validateLabels } from './validation.ts';

const DEFAULT_PERCENTILES = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999];
/** Buckets of each sign. */
const MAX_SIZE = 320;
const MAX_SCALE = 20;

export interface SummaryConfiguration<T extends string> extends MetricConfiguration<T> {
  percentiles?: number[];
  maxAgeSeconds?: number;
  ageBuckets?: number;
  pruneAgedBuckets?: boolean;
  compressCount?: number;
  collect?: CollectFunction<Summary<T>>;
}

/**
 * Count, sum and quantiles of what all threads and processes observed. Behind it is an exponential histogram
 * of 320 buckets: quantiles are off by at most 2.2 % if the largest observation is less than 10^6 times the
 * smallest, and by at most 4.4 % if it is less than 10^12 times the smallest.
 */
export class Summary<T extends string = string> extends Metric {
  declare readonly type: 'summary';
  declare percentiles: readonly number[];
  declare maxAgeSeconds: number | undefined;
  declare ageBuckets: number | undefined;
  declare pruneAgedBuckets: boolean | undefined;

  constructor(configuration: SummaryConfiguration<T>) {
    super(configuration, { percentiles: DEFAULT_PERCENTILES, compressCount: 1000 });
    this.type = 'summary';
    if (this.labelNames.includes('quantile')) throw new Error('quantile is a reserved label keyword');
    this.enter();
    if (this.labelNames.length === 0) this.obtain({});
  }

  protected override makeStored(): StoredMetric {
    return new StoredMetric({
      name: this.name,
      help: this.help,
      kind: 'HISTOGRAM',
      aggregation: {
        type: 'exponential-histogram',
        maxSize: MAX_SIZE,
        maxScale: MAX_SCALE,
        recordMinMax: true,
        hasSum: true,
        negative: true,
      },
      aggregator: this.aggregator,
      percentiles: this.percentiles,
    });
  }

  protected override obtain(labels: object): LocalSeries {
    const series = super.obtain(labels);
    const { maxAgeSeconds, ageBuckets } = this;
    if (maxAgeSeconds && ageBuckets) series.window ??= new SummaryWindow(maxAgeSeconds, ageBuckets, MAX_SIZE);
    return series;
  }

  /** @throws TypeError if the value is no finite number; Error if a label is not declared. */
  observe(value: number): void;
  observe(labels: LabelValues<T>, value: number): void;
  observe(first: unknown, second?: unknown): void {
    this.#observe(first === 0 ? 0 : first || {}, second);
  }

  #observe(first: unknown, second: unknown): void {
    const labels = second === undefined ? {} : first;
    const value = second === undefined ? first : second;
    const known = isObject(first) ? this.known(first) : undefined;
    if (!isObject(first)) validateLabels(this.labelNames, first as object);
    if (!Number.isFinite(value)) throw new TypeError(`Value is not a valid number: ${format(value)}`);
    const series = (second === undefined ? undefined : known) ?? this.obtain(labels as object);
    series.window?.rotate(() => this.#total(series));
    this.recordTo(series, value as number);
  }

  #total(series: LocalSeries): Float64Array | undefined {
    this.stored.refresh();
    return this.stored.row(series);
  }

  async get(): Promise<MetricObjectWithValues<MetricValueWithName<T>>> {
    const pending = this.runCollect();
    if (pending !== undefined) await pending;
    const { name, help, type, aggregator } = this;
    return { name, help, type, values: this.#values(), aggregator } as never;
  }

  #values(): object[] {
    const values: object[] = [];
    for (const { labels, row, series } of this.rows()) {
      const window = series?.window;
      window?.rotate(() => row);
      const within = row === undefined ? undefined : (window?.within(row) ?? row);
      if (series !== undefined && this.pruneAgedBuckets && !within?.[ROW_COUNT])
        this.endSeries(labels as LabelValues<T>);
      else addSummary(values, this, labels, row, within);
    }
    return values;
  }

  /** Sets all series back to nothing observed. */
  reset(): void {
    this.stored.endAll();
    for (const series of this.series.values()) {
      series.number = -1;
      series.window?.reset();
    }
  }

  /** The function that is returned observes the seconds since now, and returns them. */
  startTimer(labels?: LabelValues<T>): (labels?: LabelValues<T>) => number {
    const seconds = startClock();
    return (endLabels) => {
      const value = seconds();
      this.observe({ ...labels, ...endLabels } as LabelValues<T>, value);
      return value;
    };
  }

  labels(...values: string[]): Summary.Internal<T>;
  labels(labels: LabelValues<T>): Summary.Internal<T>;
  labels(...args: unknown[]): Summary.Internal<T> {
    const labels = labelsOf(this.labelNames, args) as LabelValues<T>;
    validateLabels(this.labelNames, labels);
    return {
      observe: (value: number) => this.#observe(labels, value),
      startTimer: () => this.startTimer(labels),
    };
  }

  /** Ends a series. */
  remove(...values: string[]): void;
  remove(labels: LabelValues<T>): void;
  remove(...args: unknown[]): void {
    this.endSeries(this.checkedLabels(args));
  }
}

/** Adds the values of one series. `total`: of all time; `within`: of the window. */
export function addSummary(
  values: object[],
  { name, percentiles }: { readonly name: string; readonly percentiles: readonly number[] },
  labels: Labels,
  total: Float64Array | undefined,
  within: Float64Array | undefined,
): void {
  for (const quantile of percentiles) {
    const value = within === undefined ? 0 : quantileOf(within, quantile, MAX_SIZE) || 0;
    values.push({ labels: { quantile, ...labels }, value });
  }
  values.push({ metricName: `${name}_sum`, labels, value: total?.[ROW_SUM] ?? 0 });
  values.push({ metricName: `${name}_count`, labels, value: total?.[ROW_COUNT] ?? 0 });
}

export declare namespace Summary {
  interface Internal<T extends string> {
    observe(value: number): void;
    startTimer(): (labels?: LabelValues<T>) => number;
  }
  interface Config {
    percentiles?: number[];
  }
}
