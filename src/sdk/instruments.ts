/**
 * The synchronous instruments. Their calls never throw, never wait, and allocate nothing once a series
 * exists. An instrument belongs to the thread that made it.
 *
 * Each class has a record call of its own, though they differ little: V8 then sees one kind of stream behind
 * each call and inlines all of it. One shared call would see every kind, would not be inlined, and would box
 * the number it passes.
 */
import type { Attributes, Context, Counter, Gauge, Histogram, UpDownCounter } from '@opentelemetry/api';
import type { CellLookup } from '../state/cell-lookup.ts';
import type { BoundSeries } from '../state/bound-cell.ts';
import type { ValueCheck } from './measurement.ts';
import { NO_RECORDER, type Destination, type Recorder } from './recorder.ts';

const MAX = Number.MAX_VALUE;

/** A counter or an up-down counter with its attributes resolved (specification, Bind). */
export interface BoundCounter {
  /**
   * Adds `value`: from 0 for a counter. Never throws; what cannot be recorded is warned of. `context`: where
   * the span of an exemplar is looked for, by default the active one.
   */
  add(value: number, context?: Context): void;
}

/** A gauge or histogram with its attributes resolved. */
export interface BoundRecorder {
  /** Records `value`: from 0 for a histogram. Otherwise as `BoundCounter.add`. */
  record(value: number, context?: Context): void;
}

abstract class SyncInstrument {
  protected readonly recorder: Recorder;
  protected readonly cells: CellLookup | undefined;
  protected readonly values: ValueCheck;
  /** Greater numbers are checked by `ValueCheck`. */
  protected readonly max: number;

  constructor({ recorder, cells }: Destination, values: ValueCheck) {
    this.recorder = recorder;
    this.cells = cells;
    this.values = values;
    this.max = values.max;
  }

  /**
   * False if no measurement is of use, because views drop them all (specification, Enabled). It never
   * changes.
   */
  enabled(): boolean {
    return this.recorder !== NO_RECORDER;
  }

  /**
   * Ends the series of these attributes, in all threads of the store. It is exported no more. If it is
   * recorded to again, it begins anew, from zero and with a new start time. Never throws.
   */
  remove(attributes?: Attributes): void {
    this.recorder.remove(attributes, this.cells);
  }

  /** Ends all series of the instrument, in all threads of the store, as `remove` ends one. Never throws. */
  clear(): void {
    this.recorder.clear();
  }

  /** Handles a value that is not in the common range, and records it if it can be. */
  protected check(value: unknown, attributes: unknown, context: Context | undefined): void {
    const usable = this.values.usable(value);
    if (usable !== undefined) this.recorder.record(usable, attributes, context, this.cells);
  }
}

/** Counter: a sum that only rises. Values: finite numbers from 0. */
export class CounterInstrument extends SyncInstrument implements Counter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value === 'number' && value >= 0 && value <= this.max)
      this.recorder.record(value, attributes, context, this.cells);
    else this.check(value, attributes, context);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `add` on. */
  bind(attributes?: Attributes): BoundCounter {
    return new BoundAdder(this.recorder.bind(attributes, this.cells), this.values);
  }
}

/** UpDownCounter: a sum that rises and falls. Values: finite numbers. */
export class UpDownCounterInstrument extends SyncInstrument implements UpDownCounter {
  add(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value === 'number' && value >= -MAX && value <= this.max)
      this.recorder.record(value, attributes, context, this.cells);
    else this.check(value, attributes, context);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `add` on. */
  bind(attributes?: Attributes): BoundCounter {
    return new BoundAdder(this.recorder.bind(attributes, this.cells), this.values);
  }
}

/** Gauge: the value recorded last. Values: any number, NaN and the infinities included. */
export class GaugeInstrument extends SyncInstrument implements Gauge {
  record(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value === 'number' && value <= this.max)
      this.recorder.record(value, attributes, context, this.cells);
    else this.check(value, attributes, context);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `record` on. */
  bind(attributes?: Attributes): BoundRecorder {
    return new BoundGauge(this.recorder.bind(attributes, this.cells), this.values);
  }
}

/** Histogram: the distribution of what is recorded. Values: numbers from 0, infinity included, NaN not. */
export class HistogramInstrument extends SyncInstrument implements Histogram {
  record(value: number, attributes?: Attributes, context?: Context): void {
    if (typeof value === 'number' && value >= 0 && value <= this.max)
      this.recorder.record(value, attributes, context, this.cells);
    else this.check(value, attributes, context);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `record` on. */
  bind(attributes?: Attributes): BoundRecorder {
    return new BoundHistogram(this.recorder.bind(attributes, this.cells), this.values);
  }
}

abstract class BoundInstrument {
  protected readonly series: BoundSeries;
  protected readonly max: number;
  readonly #values: ValueCheck;

  constructor(series: BoundSeries, values: ValueCheck) {
    this.series = series;
    this.max = values.max;
    this.#values = values;
  }

  protected check(value: unknown, context: Context | undefined): void {
    const usable = this.#values.usable(value);
    if (usable !== undefined) this.series.record(usable, context);
  }
}

class BoundAdder extends BoundInstrument implements BoundCounter {
  add(value: number, context?: Context): void {
    if (typeof value === 'number' && value >= 0 && value <= this.max) this.series.record(value, context);
    else this.check(value, context);
  }
}

class BoundGauge extends BoundInstrument implements BoundRecorder {
  record(value: number, context?: Context): void {
    if (typeof value === 'number' && value <= this.max) this.series.record(value, context);
    else this.check(value, context);
  }
}

class BoundHistogram extends BoundInstrument implements BoundRecorder {
  record(value: number, context?: Context): void {
    if (typeof value === 'number' && value >= 0 && value <= this.max) this.series.record(value, context);
    else this.check(value, context);
  }
}
