/**
 * The series of a `ComparingMetricsProvider`. Every operation is done on both sides; reads use the seqlock
 * side.
 */
import type { Attributes } from '@opentelemetry/api';
import type { HistogramStats } from './histogram-stats.ts';
import type { MetricDefinition } from './metric-definition.ts';
import type { MetricsCounterSeries, MetricsGaugeSeries, MetricsHistogramSeries } from './metrics-provider.ts';
import type { OperationTimer } from './operation-cost.ts';

/** A number that differs between the two sides. */
export interface MetricDifference {
  /** Name of the metric. */
  readonly metric: string;
  /** Which series of it. */
  readonly labels: Readonly<Record<string, string>>;
  /** `value`, `count`, `sum`, `min`, `max`, or `bucket` and its upper bound. */
  readonly field: string;
  /** The number in seqlock mode. */
  readonly seqlock: number;
  /** The number in standard mode. */
  readonly standard: number;
}

/** Which series is compared. */
export interface ComparedSeries {
  readonly definition: MetricDefinition;
  readonly attributes: Attributes;
  differences(): MetricDifference[];
}

/** Gives the timer of an operation. */
export type TimerOf = (operation: string) => OperationTimer;

abstract class Comparison<S> implements ComparedSeries {
  readonly definition: MetricDefinition;
  readonly attributes: Attributes;
  protected readonly seqlock: S;
  protected readonly standard: S;

  constructor(definition: MetricDefinition, attributes: Attributes, seqlock: S, standard: S) {
    this.definition = definition;
    this.attributes = attributes;
    this.seqlock = seqlock;
    this.standard = standard;
  }

  abstract differences(): MetricDifference[];

  /** Runs an operation on both sides. */
  protected both<T>(timer: OperationTimer, work: (side: S) => T): T {
    if (timer.isTimed())
      return timer.time(
        () => work(this.seqlock),
        () => work(this.standard),
      );
    work(this.standard);
    return work(this.seqlock);
  }

  protected difference(field: string, seqlock: number, standard: number): MetricDifference[] {
    if (Object.is(seqlock, standard) || seqlock === standard) return [];
    const labels = this.attributes as Record<string, string>;
    return [{ metric: this.definition.name, labels, field, seqlock, standard }];
  }
}

type Sides<S> = ConstructorParameters<new (d: MetricDefinition, a: Attributes, one: S, other: S) => object>;

export class ComparingCounterSeries extends Comparison<MetricsCounterSeries> implements MetricsCounterSeries {
  readonly #inc: OperationTimer;
  readonly #value: OperationTimer;

  constructor(timerOf: TimerOf, ...sides: Sides<MetricsCounterSeries>) {
    super(...sides);
    this.#inc = timerOf('counter.inc');
    this.#value = timerOf('counter.value');
  }

  inc(amount: number = 1): void {
    this.incBy(amount);
  }

  incBy(amount: number): void {
    this.both(this.#inc, (side) => side.incBy(amount));
  }

  value(): number {
    return this.both(this.#value, (side) => side.value());
  }

  differences(): MetricDifference[] {
    return this.difference('value', this.seqlock.value(), this.standard.value());
  }
}

export class ComparingGaugeSeries extends Comparison<MetricsGaugeSeries> implements MetricsGaugeSeries {
  readonly #set: OperationTimer;
  readonly #inc: OperationTimer;
  readonly #value: OperationTimer;

  constructor(timerOf: TimerOf, ...sides: Sides<MetricsGaugeSeries>) {
    super(...sides);
    this.#set = timerOf('gauge.set');
    this.#inc = timerOf('gauge.inc');
    this.#value = timerOf('gauge.value');
  }

  set(value: number): void {
    this.both(this.#set, (side) => side.set(value));
  }

  inc(amount: number = 1): void {
    this.both(this.#inc, (side) => side.inc(amount));
  }

  dec(amount: number = 1): void {
    this.both(this.#inc, (side) => side.dec(amount));
  }

  value(): number {
    return this.both(this.#value, (side) => side.value());
  }

  differences(): MetricDifference[] {
    return this.difference('value', this.seqlock.value(), this.standard.value());
  }
}

export class ComparingHistogramSeries
  extends Comparison<MetricsHistogramSeries>
  implements MetricsHistogramSeries
{
  readonly #observe: OperationTimer;
  readonly #stats: OperationTimer;

  constructor(timerOf: TimerOf, ...sides: Sides<MetricsHistogramSeries>) {
    super(...sides);
    this.#observe = timerOf('histogram.observe');
    this.#stats = timerOf('histogram.stats');
  }

  observe(value: number): void {
    this.both(this.#observe, (side) => side.observe(value));
  }

  stats(): HistogramStats {
    return this.both(this.#stats, (side) => side.stats());
  }

  differences(): MetricDifference[] {
    const [one, other] = [this.seqlock.stats(), this.standard.stats()];
    return [
      ...(['count', 'sum', 'min', 'max'] as const).flatMap((field) =>
        this.difference(field, one[field], other[field]),
      ),
      ...one.buckets.flatMap(({ upperBound, cumulativeCount }, i) =>
        this.difference(`bucket ${upperBound}`, cumulativeCount, other.buckets[i]!.cumulativeCount),
      ),
    ];
  }
}
