/** The series of a `SeqlockMetricsProvider`: written by this thread, read over all threads. */
import type { SeriesReader } from '../../collect/series-reader.ts';
import type { BoundCounter, BoundRecorder } from '../../sdk/instruments.ts';
import type { BoundSharedValue } from '../../state/shared-value-stream.ts';
import { HistogramStats } from './histogram-stats.ts';
import type { MetricsCounterSeries, MetricsGaugeSeries, MetricsHistogramSeries } from './metrics-provider.ts';
import type { ValueGuard } from './value-guard.ts';

export class SeqlockCounterSeries implements MetricsCounterSeries {
  readonly #bound: BoundCounter;
  readonly #reader: SeriesReader;
  readonly #guard: ValueGuard;

  constructor(bound: BoundCounter, reader: SeriesReader, guard: ValueGuard) {
    this.#bound = bound;
    this.#reader = reader;
    this.#guard = guard;
  }

  inc(amount: number = 1): void {
    if (this.#guard.isPositive(amount)) this.#bound.add(amount);
  }

  incBy(amount: number): void {
    if (this.#guard.isPositive(amount)) this.#bound.add(amount);
  }

  value(): number {
    return this.#reader.sum() ?? 0;
  }
}

export class SeqlockGaugeSeries implements MetricsGaugeSeries {
  readonly #bound: BoundSharedValue;
  readonly #reader: SeriesReader;
  readonly #guard: ValueGuard;

  constructor(bound: BoundSharedValue, reader: SeriesReader, guard: ValueGuard) {
    this.#bound = bound;
    this.#reader = reader;
    this.#guard = guard;
  }

  set(value: number): void {
    if (this.#guard.isFinite(value)) this.#bound.set(value);
  }

  inc(amount: number = 1): void {
    if (this.#guard.isFinite(amount)) this.#bound.add(amount, this.#reader.epoch());
  }

  dec(amount: number = 1): void {
    if (this.#guard.isFinite(amount)) this.#bound.add(-amount, this.#reader.epoch());
  }

  value(): number {
    return this.#reader.sharedValue() ?? 0;
  }
}

export class SeqlockHistogramSeries implements MetricsHistogramSeries {
  readonly #bound: BoundRecorder;
  readonly #reader: SeriesReader;
  readonly #guard: ValueGuard;
  readonly #boundaries: readonly number[];

  constructor(bound: BoundRecorder, reader: SeriesReader, guard: ValueGuard, boundaries: readonly number[]) {
    this.#bound = bound;
    this.#reader = reader;
    this.#guard = guard;
    this.#boundaries = boundaries;
  }

  observe(value: number): void {
    if (this.#guard.isPositive(value)) this.#bound.record(value);
  }

  stats(): HistogramStats {
    const value = this.#reader.histogram();
    return value === undefined ? HistogramStats.empty(this.#boundaries) : new HistogramStats(value);
  }
}
