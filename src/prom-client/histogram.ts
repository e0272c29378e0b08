import { format } from 'node:util';
import { HISTOGRAM_ROW_BUCKETS, HISTOGRAM_ROW_COUNT, HISTOGRAM_ROW_SUM } from '../collect/rows/histogram.ts';
import { exemplarOf, type Exemplar } from './exemplar.ts';
import type { Labels, LocalSeries } from './label-series.ts';
import { labelsOf, Metric, startClock, type MetricConfiguration } from './metric.ts';
import { StoredMetric } from './metric-store.ts';
import type {
  CollectFunction,
  LabelValues,
  MetricObjectWithValues,
  MetricValueWithName,
  ObserveDataWithExemplar,
} from './types.ts';
import { isObject, validateLabels } from './validation.ts';

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const NO_LABELS: Labels = {};

export interface HistogramConfiguration<T extends string> extends MetricConfiguration<T> {
  buckets?: number[];
  collect?: CollectFunction<Histogram<T>>;
}

/** Counts observations by size, over all threads and processes that have the store. */
export class Histogram<T extends string = string> extends Metric {
  declare readonly type: 'histogram';
  declare buckets: readonly number[];
  declare upperBounds: readonly number[];

  constructor(configuration: HistogramConfiguration<T>) {
    super(configuration, { buckets: DEFAULT_BUCKETS });
    this.type = 'histogram';
    this.enableExemplars = Boolean(configuration.enableExemplars);
    const { buckets } = this;
    this.upperBounds = buckets;
    if (this.labelNames.includes('le')) throw new Error('le is a reserved label keyword');
    const isAscending = buckets.every(
      (bound, i) => typeof bound === 'number' && (i === 0 ? bound > -Infinity : bound > buckets[i - 1]!),
    );
    if (!isAscending) throw new TypeError(`Buckets must be numbers in ascending order: ${format(buckets)}`);
    Object.freeze(buckets);
    this.enter();
    if (this.labelNames.length === 0) this.obtain({});
  }

  protected override makeStored(): StoredMetric {
    return new StoredMetric({
      name: this.name,
      help: this.help,
      kind: 'HISTOGRAM',
      aggregation: {
        type: 'explicit-bucket-histogram',
        boundaries: this.upperBounds.filter(Number.isFinite),
        recordMinMax: false,
        hasSum: true,
      },
      aggregator: this.aggregator,
    });
  }

  /**
   * Counts a value. With `enableExemplars` it takes one object: labels, value, exemplarLabels.
   *
   * @throws TypeError if the value is no finite number; Error if a label is not declared.
   */
  observe(value: number): void;
  observe(labels: LabelValues<T>, value: number): void;
  observe(observeData: ObserveDataWithExemplar<T>): void;
  observe(first: unknown, second?: unknown): void {
    if (this.enableExemplars) this.#observeWithExemplar(first as ObserveDataWithExemplar<T>);
    else this.#observe(first === 0 ? 0 : first || {}, second);
  }

  #observe(first: unknown, second: unknown): LocalSeries {
    const labels = isObject(first) ? first : {};
    const value = isObject(first) ? second : first;
    const known = this.known(labels);
    if (!Number.isFinite(value)) throw new TypeError(`Value is not a valid number: ${format(value)}`);
    const series = known ?? this.obtain(labels);
    this.recordTo(series, value as number);
    return series;
  }

  #observeWithExemplar(
    {
      labels = {},
      value,
      exemplarLabels = {},
    }: ObserveDataWithExemplar<T> = {} as ObserveDataWithExemplar<T>,
  ): void {
    const series = this.#observe(labels || {}, value);
    if (Object.keys(exemplarLabels).length === 0) return;
    const found = this.upperBounds.findIndex((bound) => value <= bound);
    const bucket = found === -1 ? this.upperBounds.length : found;
    (series.exemplars ??= [])[bucket] = exemplarOf(exemplarLabels, value);
  }

  async get(): Promise<MetricObjectWithValues<MetricValueWithName<T>>> {
    const data = await this.getForPromString();
    const values = data.values.map(({ labels, sharedLabels, ...value }) => ({
      ...value,
      labels: { ...labels, ...sharedLabels },
    }));
    return { ...data, values } as never;
  }

  /** As `get`, with the labels of a series apart from that of its buckets. */
  async getForPromString(): Promise<{ readonly values: HistogramValue[] }> {
    const pending = this.runCollect();
    if (pending !== undefined) await pending;
    const { name, help, type, aggregator } = this;
    return { name, help, type, values: this.#values(), aggregator } as never;
  }

  #values(): HistogramValue[] {
    const values: HistogramValue[] = [];
    for (const { labels, row, series } of this.rows())
      bucketValues(values, this, labels, row, series?.exemplars);
    return values;
  }

  /** Ends all series, also that without labels: it comes back with the next observation. */
  reset(): void {
    this.stored.endAll();
    this.series.clear();
  }

  /** Begins a series anew, with nothing observed. */
  zero(labels: LabelValues<T>): void {
    this.zeroSeries(labels);
  }

  /** The function that is returned observes the seconds since now, and returns them. */
  startTimer(
    labels?: LabelValues<T>,
    exemplarLabels?: LabelValues<T>,
  ): (labels?: LabelValues<T>, exemplarLabels?: LabelValues<T>) => number {
    const seconds = startClock();
    return (endLabels, endExemplarLabels) => {
      const value = seconds();
      const all = { ...labels, ...endLabels } as LabelValues<T>;
      const exemplar = { ...exemplarLabels, ...endExemplarLabels } as LabelValues<T>;
      if (this.enableExemplars) this.observe({ labels: all, value, exemplarLabels: exemplar });
      else this.observe(all, value);
      return value;
    };
  }

  labels(...values: string[]): Histogram.Internal<T>;
  labels(labels: LabelValues<T>): Histogram.Internal<T>;
  labels(...args: unknown[]): Histogram.Internal<T> {
    const labels = labelsOf(this.labelNames, args) as LabelValues<T>;
    validateLabels(this.labelNames, labels);
    return {
      observe: (value: number) => void this.#observe(labels, value),
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

/** Adds the values of one series; `row`: undefined if nobody has observed anything. */
export function bucketValues(
  values: object[],
  { name, upperBounds, enableExemplars = false }: BucketedMetric,
  sharedLabels: Labels,
  row: Float64Array | undefined,
  exemplars: readonly Exemplar[] = [],
): void {
  const bucketName = `${name}_bucket`;
  const count = row?.[HISTOGRAM_ROW_COUNT] ?? 0;
  const last = upperBounds.length;
  const exemplarIn = (bucket: number): Exemplar | null | undefined =>
    exemplars[bucket] ?? (bucket === last && enableExemplars ? undefined : null);
  const add = (labels: Labels, value: number, metricName: string, exemplar?: Exemplar | null): void => {
    values.push({ labels, sharedLabels, value, metricName, exemplar });
  };
  let total = 0;
  for (let i = 0; i < last; i++) {
    total += row?.[HISTOGRAM_ROW_BUCKETS + i] ?? 0;
    add({ le: upperBounds[i]! }, total, bucketName, exemplarIn(i));
  }
  const sum = row?.[HISTOGRAM_ROW_SUM] ?? 0;
  add({ le: '+Inf' }, count, bucketName, exemplarIn(last));
  add(NO_LABELS, sum, `${name}_sum`);
  add(NO_LABELS, count, `${name}_count`);
}

interface BucketedMetric {
  readonly name: string;
  readonly upperBounds: readonly number[];
  readonly enableExemplars?: boolean;
}

/** A value as `getForPromString` has it. */
export interface HistogramValue {
  readonly labels: Labels;
  readonly sharedLabels: Labels;
  readonly value: number;
  readonly metricName: string;
  readonly exemplar: Exemplar | null | undefined;
}

export declare namespace Histogram {
  interface Internal<T extends string> {
    observe(value: number): void;
    startTimer(): (labels?: LabelValues<T>) => void;
  }
  interface Config {
    buckets?: number[];
  }
}
