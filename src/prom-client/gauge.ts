import { format } from 'node:util';
import { systemClock } from '../base/platform.ts';
import type { BoundLastValue } from '../state/last-value-stream.ts';
import { labelsOf, Metric, startClock, type MetricConfiguration } from './metric.ts';
import { StoredMetric } from './metric-store.ts';
import type { Labels, LocalSeries } from './label-series.ts';
import type { CollectFunction, LabelValues, MetricObjectWithValues, MetricValue } from './types.ts';
import { isObject, validateLabels } from './validation.ts';

export interface GaugeConfiguration<T extends string> extends MetricConfiguration<T> {
  collect?: CollectFunction<Gauge<T>>;
}

/**
 * A value that goes up and down. Each thread has its own; what is shown is what the metric's `aggregator`
 * makes of the values of all live threads, by default their sum.
 */
export class Gauge<T extends string = string> extends Metric {
  declare readonly type: 'gauge';
  constructor(configuration: GaugeConfiguration<T>) {
    super(configuration);
    this.type = 'gauge';
    this.enter();
    this.#begin();
  }

  protected override makeStored(): StoredMetric {
    return new StoredMetric({
      name: this.name,
      help: this.help,
      kind: 'GAUGE',
      aggregation: { type: 'last-value' },
      aggregator: this.aggregator,
    });
  }

  #begin(): void {
    if (this.labelNames.length === 0) this.#setTo(this.obtain({}), 0);
  }

  #setTo(series: LocalSeries, value: number): void {
    series.value = value;
    this.recordTo(series, value);
  }

  /** @throws TypeError if the value is no number; Error if a label is not declared. */
  set(labels: LabelValues<T>, value: number): void;
  set(value: number): void;
  set(first: unknown, second?: unknown): void {
    const labels = isObject(first) ? first : {};
    const value = isObject(first) ? second : first;
    if (typeof value !== 'number') throw new TypeError(`Value is not a valid number: ${format(value)}`);
    const series = this.known(labels) ?? this.obtain(labels);
    series.labels = labels as Labels;
    this.#setTo(series, value);
  }

  /** Adds to this thread's value, by default 1. @throws as `set` does. */
  inc(labels: LabelValues<T>, value?: number): void;
  inc(value?: number): void;
  inc(first?: unknown, second?: unknown): void {
    const labels = isObject(first) ? first : {};
    const value = isObject(first) ? second : first;
    this.#change(labels, value === undefined ? 1 : value);
  }

  /** Subtracts from this thread's value, by default 1. @throws as `set` does. */
  dec(labels: LabelValues<T>, value?: number): void;
  dec(value?: number): void;
  dec(first?: unknown, second?: unknown): void {
    const labels = isObject(first) ? first : {};
    const value = isObject(first) ? second : first;
    this.#change(labels, value === undefined ? -1 : -(value as number));
  }

  #change(labels: object, delta: unknown): void {
    if (typeof delta !== 'number') throw new TypeError(`Delta is not a valid number: ${format(delta)}`);
    const series = this.known(labels) ?? this.obtain(labels);
    this.#setTo(series, series.value + delta);
  }

  /** Sets the value to the seconds since the epoch. */
  setToCurrentTime(labels?: LabelValues<T>): void {
    const seconds = systemClock.now() / 1000;
    if (labels === undefined) this.set(seconds);
    else this.set(labels, seconds);
  }

  /** The function that is returned sets the value to the seconds since now, and returns them. */
  startTimer(labels?: LabelValues<T>): (labels?: LabelValues<T>) => number {
    const seconds = startClock();
    return (endLabels) => {
      const value = seconds();
      this.set({ ...labels, ...endLabels } as LabelValues<T>, value);
      return value;
    };
  }

  async get(): Promise<MetricObjectWithValues<MetricValue<T>>> {
    const pending = this.runCollect();
    if (pending !== undefined) await pending;
    const { help, name, type, aggregator } = this;
    return { help, name, type, values: this.#values(), aggregator } as never;
  }

  #values(): object[] {
    const values: object[] = [];
    for (const { labels, row, series } of this.rows())
      values.push({ value: row?.[0] ?? series?.value ?? 0, labels });
    return values;
  }

  /** This thread's value. */
  _getValue(labels?: LabelValues<T>): number {
    return this.usedSeries(labels ?? {})?.value ?? 0;
  }

  labels(...values: string[]): Gauge.Internal<T>;
  labels(labels: LabelValues<T>): Gauge.Internal<T>;
  labels(...args: unknown[]): Gauge.Internal<T> {
    const labels = labelsOf(this.labelNames, args) as LabelValues<T>;
    validateLabels(this.labelNames, labels);
    return {
      inc: (value?: number) => this.inc(labels, value),
      dec: (value?: number) => this.dec(labels, value),
      set: (value: number) => this.set(labels, value),
      setToCurrentTime: () => this.setToCurrentTime(labels),
      startTimer: () => this.startTimer(labels),
    };
  }

  /** Withdraws the values of this thread. */
  reset(): void {
    for (const series of this.series.values()) withdraw(series);
    this.series.clear();
    this.#begin();
  }

  /** Withdraws a value of this thread. */
  remove(...values: string[]): void;
  remove(labels: LabelValues<T>): void;
  remove(...args: unknown[]): void {
    const series = this.usedSeries(this.checkedLabels(args));
    if (series === undefined) return;
    withdraw(series);
    this.series.delete(series);
  }
}

function withdraw({ bound }: LocalSeries): void {
  (bound as BoundLastValue | undefined)?.withdraw();
}

export declare namespace Gauge {
  interface Internal<T extends string> {
    inc(value?: number): void;
    dec(value?: number): void;
    set(value: number): void;
    setToCurrentTime(): void;
    startTimer(): (labels?: LabelValues<T>) => number;
  }
}
