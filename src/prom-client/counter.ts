import { format } from 'node:util';
import { exemplarOf } from './exemplar.ts';
import type { LocalSeries } from './label-series.ts';
import { labelsOf, Metric, type MetricConfiguration } from './metric.ts';
import { StoredMetric } from './metric-store.ts';
import type {
  CollectFunction,
  IncreaseDataWithExemplar,
  LabelValues,
  MetricObjectWithValues,
  MetricValue,
} from './types.ts';
import { isObject, validateLabels } from './validation.ts';

export interface CounterConfiguration<T extends string> extends MetricConfiguration<T> {
  collect?: CollectFunction<Counter<T>>;
}

/** A total that only grows. It is one total over all threads and processes that have the store. */
export class Counter<T extends string = string> extends Metric {
  declare readonly type: 'counter';
  constructor(configuration: CounterConfiguration<T>) {
    super(configuration);
    this.type = 'counter';
    this.enter();
    this.#begin();
  }

  protected override makeStored(): StoredMetric {
    return new StoredMetric({
      name: this.name,
      help: this.help,
      kind: 'COUNTER',
      aggregation: { type: 'sum', monotonic: true },
      aggregator: this.aggregator,
    });
  }

  #begin(): void {
    if (this.labelNames.length === 0) this.obtain({});
  }

  /**
   * Adds `value`, by default 1. With `enableExemplars` it takes one object: labels, value, exemplarLabels.
   *
   * @throws TypeError if the value is no finite number; Error if it is negative, or a label is not declared.
   */
  inc(labels: LabelValues<T>, value?: number): void;
  inc(value?: number): void;
  inc(incData: IncreaseDataWithExemplar<T>): void;
  inc(first?: unknown, value?: unknown): void {
    if (this.enableExemplars) this.#addWithExemplar(first as IncreaseDataWithExemplar<T> | undefined);
    else this.#add(first, value);
  }

  #add(first: unknown, second: unknown): LocalSeries {
    const labels = isObject(first) ? first : {};
    const known = this.known(labels);
    const given = isObject(first) ? second : first;
    const value = given === undefined || given === null ? 1 : given;
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new TypeError(`Value is not a valid number: ${format(value)}`);
    if (value < 0) throw new Error('It is not possible to decrease a counter');
    const series = known ?? this.obtain(labels);
    this.recordTo(series, value);
    return series;
  }

  #addWithExemplar({ labels = {}, value = 1, exemplarLabels }: IncreaseDataWithExemplar<T> = {}): void {
    const series = this.#add(labels, value);
    if (exemplarLabels === undefined) return;
    series.exemplars = [exemplarOf(exemplarLabels, value || 1)];
  }

  /** What all threads have counted. */
  async get(): Promise<MetricObjectWithValues<MetricValue<T>>> {
    const pending = this.runCollect();
    if (pending !== undefined) await pending;
    const { help, name, type, aggregator } = this;
    return { help, name, type, values: this.#values(), aggregator } as never;
  }

  #values(): object[] {
    const values: object[] = [];
    for (const { labels, row, series } of this.rows()) {
      const value = row?.[0] ?? 0;
      const exemplar = series?.exemplars?.[0];
      values.push(exemplar === undefined ? { value, labels } : { value, labels, exemplar });
    }
    return values;
  }

  labels(...values: string[]): Counter.Internal;
  labels(labels: LabelValues<T>): Counter.Internal;
  labels(...args: unknown[]): Counter.Internal {
    const labels = (labelsOf(this.labelNames, args) ?? {}) as LabelValues<T>;
    return { inc: (value?: number) => this.inc(labels, value) };
  }

  /** Ends all series, and begins that without labels anew if the metric has no others. */
  reset(): void {
    this.stored.endAll();
    this.series.clear();
    this.#begin();
  }

  /** Ends a series. */
  remove(...values: string[]): void;
  remove(labels: LabelValues<T>): void;
  remove(...args: unknown[]): void {
    const labels = labelsOf(this.labelNames, args) ?? {};
    validateLabels(this.labelNames, labels);
    this.endSeries(labels);
  }
}

export declare namespace Counter {
  interface Internal {
    inc(value?: number): void;
  }
}
