/**
 * The series of a `StandardMetricsProvider`. They record to the official SDK, which cannot be read
 * synchronously: its `collect` is asynchronous. So each series also keeps what it recorded.
 */
import type { Attributes, Counter, Gauge, Histogram, HrTime } from '@opentelemetry/api';
import { systemClock } from '../../base/platform.ts';
import type { HistogramValue } from '../../collect/metric-data.ts';
import { hrTimeOf } from '../../collect/hr-time.ts';
import type { BucketFinder } from '../../state/bucket-finder.ts';
import { HistogramStats } from './histogram-stats.ts';
import type { MetricsCounterSeries, MetricsGaugeSeries, MetricsHistogramSeries } from './metrics-provider.ts';
import type { ValueGuard } from './value-guard.ts';

let latest = 0;

/**
 * The time in milliseconds. It stands still if the system's clock was set back, so that nothing ends before
 * it starts.
 */
export function latestTime(): number {
  latest = Math.max(latest, systemClock.now());
  return latest;
}

/** A series as it is exported. */
export interface StandardSeries<T> {
  readonly attributes: Attributes;
  readonly start: HrTime;
  /** Undefined until something is recorded. */
  exported(): T | undefined;
}

export class StandardCounterSeries implements MetricsCounterSeries, StandardSeries<number> {
  readonly attributes: Attributes;
  readonly start: HrTime = hrTimeOf(latestTime());
  readonly #instrument: Counter;
  readonly #guard: ValueGuard;
  #total: number | undefined;

  constructor(instrument: Counter, attributes: Attributes, guard: ValueGuard) {
    this.#instrument = instrument;
    this.attributes = attributes;
    this.#guard = guard;
  }

  inc(amount: number = 1): void {
    this.incBy(amount);
  }

  incBy(amount: number): void {
    if (!this.#guard.isPositive(amount)) return;
    this.#instrument.add(amount, this.attributes);
    this.#total = (this.#total ?? 0) + amount;
  }

  value(): number {
    return this.#total ?? 0;
  }

  exported(): number | undefined {
    return this.#total;
  }
}

export class StandardGaugeSeries implements MetricsGaugeSeries, StandardSeries<number> {
  readonly attributes: Attributes;
  readonly start: HrTime = hrTimeOf(latestTime());
  readonly #instrument: Gauge;
  readonly #guard: ValueGuard;
  #value: number | undefined;

  constructor(instrument: Gauge, attributes: Attributes, guard: ValueGuard) {
    this.#instrument = instrument;
    this.attributes = attributes;
    this.#guard = guard;
  }

  set(value: number): void {
    if (this.#guard.isFinite(value)) this.#record(value);
  }

  inc(amount: number = 1): void {
    if (this.#guard.isFinite(amount)) this.#record(this.value() + amount);
  }

  dec(amount: number = 1): void {
    if (this.#guard.isFinite(amount)) this.#record(this.value() - amount);
  }

  value(): number {
    return this.#value ?? 0;
  }

  exported(): number | undefined {
    return this.#value;
  }

  #record(value: number): void {
    this.#value = value;
    this.#instrument.record(value, this.attributes);
  }
}

export class StandardHistogramSeries implements MetricsHistogramSeries, StandardSeries<HistogramValue> {
  readonly attributes: Attributes;
  readonly start: HrTime = hrTimeOf(latestTime());
  readonly #instrument: Histogram;
  readonly #guard: ValueGuard;
  readonly #boundaries: readonly number[];
  readonly #finder: BucketFinder;
  readonly #counts: number[];
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  constructor(
    instrument: Histogram,
    attributes: Attributes,
    guard: ValueGuard,
    boundaries: readonly number[],
    finder: BucketFinder,
  ) {
    this.#instrument = instrument;
    this.attributes = attributes;
    this.#guard = guard;
    this.#boundaries = boundaries;
    this.#finder = finder;
    this.#counts = Array.from({ length: boundaries.length + 1 }, () => 0);
  }

  observe(value: number): void {
    if (!this.#guard.isPositive(value)) return;
    this.#instrument.record(value, this.attributes);
    this.#counts[this.#finder.find(value)]!++;
    this.#count++;
    this.#sum += value;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  stats(): HistogramStats {
    const value = this.exported();
    return value === undefined ? HistogramStats.empty(this.#boundaries) : new HistogramStats(value);
  }

  exported(): HistogramValue | undefined {
    if (this.#count === 0) return undefined;
    return {
      count: this.#count,
      sum: this.#sum,
      min: this.#min,
      max: this.#max,
      buckets: { boundaries: [...this.#boundaries], counts: [...this.#counts] },
    };
  }
}
