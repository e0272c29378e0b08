import { nanoseconds } from '../base/platform.ts';
import { NONE } from '../collect/directory/merged-stream.ts';
import { answerOtherThreads } from './collect-callbacks.ts';
import { hashLabels, LabelSeries, LocalSeries, type Labels } from './label-series.ts';
import type { StoredMetric } from './metric-store.ts';
import { globalRegistry, Registry } from './registry.ts';
import type { Aggregator, CollectFunction, LabelValues, OpenMetricsContentType } from './types.ts';
import { isObject, validateLabelNames, validateLabels, validateMetricName } from './validation.ts';

export interface MetricConfiguration<T extends string> {
  name: string;
  help: string;
  labelNames?: T[] | readonly T[];
  registers?: (Registry | Registry<OpenMetricsContentType>)[];
  aggregator?: Aggregator;
  collect?: CollectFunction<any>;
  enableExemplars?: boolean;
}

/** What prom-client's metrics have in common. */
export abstract class Metric {
  declare name: string;
  declare help: string;
  declare labelNames: readonly string[];
  declare sortedLabelNames: readonly string[];
  declare registers: Registry<any>[];
  declare aggregator: Aggregator;
  declare enableExemplars: boolean;
  /** Called before each `get`, in this thread. May be set later. */
  declare collect: CollectFunction<any> | undefined;
  #stored: StoredMetric | undefined;
  readonly #series: LabelSeries;

  /** `own`: defaults of the class. All options become properties, as in prom-client. */
  constructor(config: object, own: object = {}) {
    if (!isObject(config)) throw new TypeError('constructor expected a config object');
    const defaults = {
      labelNames: [],
      registers: [globalRegistry],
      aggregator: 'sum',
      enableExemplars: false,
    };
    Object.assign(this, defaults, own, config);
    if (!this.registers) this.registers = [globalRegistry];
    if (!this.help) throw new Error('Missing mandatory help parameter');
    if (!this.name) throw new Error('Missing mandatory name parameter');
    if (!validateMetricName(this.name)) throw new Error('Invalid metric name');
    if (!validateLabelNames(this.labelNames)) throw new Error('Invalid label name');
    if (this.collect && typeof this.collect !== 'function')
      throw new Error('Optional "collect" parameter must be a function');
    this.sortedLabelNames = this.labelNames ? [...this.labelNames].sort() : [];
    this.#series = new LabelSeries(this.sortedLabelNames);
    for (const register of this.registers) {
      if (this.enableExemplars && register.contentType === Registry.PROMETHEUS_CONTENT_TYPE)
        throw new TypeError('Exemplars are supported only on OpenMetrics registries');
      register.registerMetric(this as never);
    }
  }

  /** Called by the constructor of the class, when it has checked what it alone knows. */
  protected enter(): void {
    void this.stored;
    if (this.collect) answerOtherThreads();
  }

  protected abstract makeStored(): StoredMetric;

  /** Made with the metric, unless the metric is one that threw after it was registered. */
  protected get stored(): StoredMetric {
    return (this.#stored ??= this.makeStored());
  }

  /** The series that this thread has used. */
  protected get series(): LabelSeries {
    return this.#series;
  }

  /**
   * The series of labels that were seen before in this form, or undefined. Throws for labels that are not
   * declared.
   */
  protected known(labels: object): LocalSeries | undefined {
    const series = this.#series.find(labels);
    if (series === undefined) validateLabels(this.labelNames, labels);
    return series;
  }

  /** The series of labels that `known` took. It is made if it is not there. */
  protected obtain(labels: object): LocalSeries {
    const series = this.#series.obtain(labels as Labels);
    this.#series.learn(labels, series);
    return series;
  }

  /** Records to a series, for all threads. */
  protected recordTo(series: LocalSeries, value: number): void {
    (series.bound ??= this.stored.bind(series)).record(value);
  }

  /**
   * The series that this thread has used, in the order of first use, then those that only others have. Each
   * with what all threads recorded, until the next one; undefined if nobody has.
   */
  protected *rows(): Generator<SeriesRow> {
    const { stored } = this;
    stored.refresh();
    for (const series of this.#series.values())
      if (this.labelNames.length > 0 && stored.hasEnded(series)) this.#series.delete(series);
      else yield { labels: series.labels, row: stored.row(series), series };
    yield* stored.others(this.#series.values());
  }

  /** Runs the callback of this thread. A promise only if the callback is asynchronous: then wait for it. */
  protected runCollect(): Promise<void> | undefined {
    if (!this.collect) return undefined;
    const result: unknown = this.collect();
    return result instanceof Promise ? result : undefined;
  }

  /** The labels of `remove(...)`. */
  protected checkedLabels(args: readonly unknown[]): LabelValues<string> {
    const labels = labelsOf(this.labelNames, args);
    validateLabels(this.labelNames, labels);
    return labels;
  }

  /** Ends the series with these labels, of all threads. */
  protected endSeries(labels: LabelValues<string>): void {
    const series = this.usedSeries(labels);
    this.stored.end(series ?? this.#newSeries(labels));
    if (series !== undefined) this.#series.delete(series);
  }

  /** Ends the series with these labels, and begins it anew with nothing recorded. */
  protected zeroSeries(labels: LabelValues<string>): void {
    const series = this.#series.obtain(labels);
    this.stored.end(series);
    series.labels = labels;
    series.number = NONE; // the next that begins
    series.exemplars = undefined;
  }

  #newSeries(labels: LabelValues<string>): LocalSeries {
    return new LocalSeries(labels, hashLabels(labels, this.sortedLabelNames), this.sortedLabelNames);
  }

  /** The series that this thread has used with these labels. */
  protected usedSeries(labels: LabelValues<string>): LocalSeries | undefined {
    return this.#series.get(hashLabels(labels, this.sortedLabelNames));
  }
}

/** What all threads recorded to a series; `series`: if this thread has used it. */
export interface SeriesRow {
  readonly labels: Labels;
  readonly row: Float64Array | undefined;
  readonly series?: LocalSeries;
}

/** How long a timer has run, in seconds. */
export function startClock(): () => number {
  const start = nanoseconds();
  return () => Number(nanoseconds() - start) / 1e9;
}

/** What `labels(...)` and `remove(...)` were given: one object, or a value for each declared name. */
export function labelsOf(names: readonly string[], args: readonly unknown[]): LabelValues<string> {
  if (typeof args[0] === 'object') return args[0] as LabelValues<string>;
  if (names.length !== args.length)
    throw new Error(
      `Invalid number of arguments (${args.length}): "${args.join(', ')}" for label names (${names.length}): "${names.join(', ')}".`,
    );
  return Object.fromEntries(names.map((name, i) => [name, args[i]])) as LabelValues<string>;
}
