/**
 * The synchronous instruments. Their calls never throw, never wait, and allocate nothing once a series exists.
 * An instrument belongs to the thread that made it.
 */
import type { Attributes, Context, Counter, Gauge, Histogram, UpDownCounter } from '@opentelemetry/api';
import type { BoundHistogramSeries, HistogramStream } from '../state/histogram-stream.ts';
import type { BoundLastValue, LastValueStream } from '../state/last-value-stream.ts';
import type { BoundSum, SumStream } from '../state/sum-stream.ts';
import { usableValue, type ValueRule } from './measurement.ts';

const MAX = Number.MAX_VALUE;

/** A counter with its attributes resolved: `add` is the cell write alone (specification, Bind). */
export interface BoundCounter {
  add(value: number): void;
}

/** A gauge or histogram with its attributes resolved. */
export interface BoundRecorder {
  record(value: number): void;
}

/** Counter: a sum that only rises. Values: finite numbers from 0. */
export class CounterInstrument implements Counter {
  readonly #stream: SumStream;
  readonly #rule: ValueRule;

  constructor(stream: SumStream) {
    this.#stream = stream;
    this.#rule = { negative: false, special: 'none', integer: stream.description.integer };
  }

  add(value: number, attributes?: Attributes, _context?: Context): void {
    if (typeof value === 'number' && value >= 0 && value <= MAX && !this.#rule.integer) {
      this.#stream.add(value, attributes);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#stream.add(usable, attributes);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `add` on. */
  bind(attributes?: Attributes): BoundCounter {
    return new BoundSumInstrument(this.#stream, this.#rule, this.#stream.bind(attributes));
  }
}

/** UpDownCounter: a sum that rises and falls. Values: finite numbers. */
export class UpDownCounterInstrument implements UpDownCounter {
  readonly #stream: SumStream;
  readonly #rule: ValueRule;

  constructor(stream: SumStream) {
    this.#stream = stream;
    this.#rule = { negative: true, special: 'none', integer: stream.description.integer };
  }

  add(value: number, attributes?: Attributes, _context?: Context): void {
    if (typeof value === 'number' && value >= -MAX && value <= MAX && !this.#rule.integer) {
      this.#stream.add(value, attributes);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#stream.add(usable, attributes);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `add` on. */
  bind(attributes?: Attributes): BoundCounter {
    return new BoundSumInstrument(this.#stream, this.#rule, this.#stream.bind(attributes));
  }
}

class BoundSumInstrument implements BoundCounter {
  readonly #stream: SumStream;
  readonly #rule: ValueRule;
  readonly #series: BoundSum;

  constructor(stream: SumStream, rule: ValueRule, series: BoundSum) {
    this.#stream = stream;
    this.#rule = rule;
    this.#series = series;
  }

  add(value: number): void {
    if (typeof value === 'number' && value >= 0 && value <= MAX && !this.#rule.integer) {
      this.#series.add(value);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#series.add(usable);
  }
}

/** Gauge: the value recorded last. Values: any number, NaN and the infinities included. */
export class GaugeInstrument implements Gauge {
  readonly #stream: LastValueStream;
  readonly #rule: ValueRule;

  constructor(stream: LastValueStream) {
    this.#stream = stream;
    this.#rule = { negative: true, special: 'all', integer: stream.description.integer };
  }

  record(value: number, attributes?: Attributes, _context?: Context): void {
    if (typeof value === 'number' && !this.#rule.integer) {
      this.#stream.set(value, attributes);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#stream.set(usable, attributes);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `record` on. */
  bind(attributes?: Attributes): BoundRecorder {
    return new BoundGaugeInstrument(this.#stream, this.#rule, this.#stream.bind(attributes));
  }
}

class BoundGaugeInstrument implements BoundRecorder {
  readonly #stream: LastValueStream;
  readonly #rule: ValueRule;
  readonly #series: BoundLastValue;

  constructor(stream: LastValueStream, rule: ValueRule, series: BoundLastValue) {
    this.#stream = stream;
    this.#rule = rule;
    this.#series = series;
  }

  record(value: number): void {
    if (typeof value === 'number' && !this.#rule.integer) {
      this.#series.set(value);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#series.set(usable);
  }
}

/** Histogram: counts values in buckets. Values: numbers from 0, infinity included, NaN not. */
export class HistogramInstrument implements Histogram {
  readonly #stream: HistogramStream;
  readonly #rule: ValueRule;

  constructor(stream: HistogramStream) {
    this.#stream = stream;
    this.#rule = { negative: false, special: 'infinity', integer: stream.description.integer };
  }

  record(value: number, attributes?: Attributes, _context?: Context): void {
    if (typeof value === 'number' && value >= 0 && !this.#rule.integer) {
      this.#stream.record(value, attributes);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#stream.record(usable, attributes);
  }

  /** Resolves attributes and cardinality now; the series is exported from its first `record` on. */
  bind(attributes?: Attributes): BoundRecorder {
    return new BoundHistogramInstrument(this.#stream, this.#rule, this.#stream.bind(attributes));
  }
}

class BoundHistogramInstrument implements BoundRecorder {
  readonly #stream: HistogramStream;
  readonly #rule: ValueRule;
  readonly #series: BoundHistogramSeries;

  constructor(stream: HistogramStream, rule: ValueRule, series: BoundHistogramSeries) {
    this.#stream = stream;
    this.#rule = rule;
    this.#series = series;
  }

  record(value: number): void {
    if (typeof value === 'number' && value >= 0 && !this.#rule.integer) {
      this.#series.record(value);
      return;
    }
    const usable = usableValue(value, this.#rule, this.#stream);
    if (usable !== undefined) this.#series.record(usable);
  }
}
