import {
  createNoopMeter,
  ValueType,
  type Attributes,
  type BatchObservableCallback,
  type Counter,
  type Gauge,
  type Histogram,
  type Meter as ApiMeter,
  type MetricOptions,
  type Observable,
  type ObservableCounter,
  type ObservableGauge,
  type ObservableUpDownCounter,
  type UpDownCounter,
} from '@opentelemetry/api';
import type { Scope } from '../state/records.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';
import { noteInstrument } from './early-instruments.ts';
import { describeInstrument, type GaugeOptions, type InstrumentDescriptor } from './instrument-descriptor.ts';
import {
  CounterInstrument,
  GaugeInstrument,
  HistogramInstrument,
  UpDownCounterInstrument,
  type BoundCounter,
  type BoundRecorder,
} from './instruments.ts';
import { ValueCheck } from './measurement.ts';
import { MeterStreams, type MeterContext } from './meter-streams.ts';
import { registryOf } from './observable-registry.ts';
import { addBatchCallback, ObservableInstrument } from './observables.ts';
import type { Destination } from './recorder.ts';

/** What the synchronous instruments of this SDK have beside the API's methods. */
export interface RecordingInstrument<B> {
  /** False when nothing is recorded: views drop every measurement, or the provider is shut down. */
  enabled(): boolean;
  /** Resolves attributes now, for `bind`. The series is exported from its first measurement on. */
  bind(attributes?: Attributes): B;
  /**
   * Ends the series of these attributes, in all threads and processes of the store. It is exported no more.
   * If it is recorded to again, also by a bound instrument, it begins anew: from zero, with a new start time.
   * Another thread lets go of it when its event loop turns. What it records to the series until then is not
   * exported. Never throws.
   */
  remove(attributes?: Attributes): void;
  /** Ends all series of the instrument, the overflow series included, as `remove` ends one. Never throws. */
  clear(): void;
}

/** The API's meter, whose instruments can be bound, and whose gauges take more options. */
export interface SeqlockMeter extends ApiMeter {
  /** A counter, which only goes up. A name that was used before gives the same metric. Never throws. */
  createCounter(name: string, options?: MetricOptions): Counter & RecordingInstrument<BoundCounter>;
  /** A counter that also goes down. As `createCounter`. */
  createUpDownCounter(
    name: string,
    options?: MetricOptions,
  ): UpDownCounter & RecordingInstrument<BoundCounter>;
  /** A histogram of values from 0. As `createCounter`. */
  createHistogram(name: string, options?: MetricOptions): Histogram & RecordingInstrument<BoundRecorder>;
  /** A value that is set. As `createCounter`. */
  createGauge(name: string, options?: GaugeOptions): Gauge & RecordingInstrument<BoundRecorder>;
  /** A value that a callback observes at each collection. As `createCounter`. */
  createObservableGauge(name: string, options?: GaugeOptions): ObservableGauge;
}

/** Makes instruments for one scope. */
export class Meter implements SeqlockMeter {
  readonly #scope: Scope;
  readonly #context: MeterContext;
  readonly #streams: MeterStreams;

  constructor(scope: Scope, context: MeterContext) {
    this.#scope = scope;
    this.#context = context;
    this.#streams = new MeterStreams(scope, context);
  }

  createCounter(name: string, options?: MetricOptions): CounterInstrument & Counter {
    return new CounterInstrument(...this.#recording(name, 'COUNTER', options));
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounterInstrument & UpDownCounter {
    return new UpDownCounterInstrument(...this.#recording(name, 'UP_DOWN_COUNTER', options));
  }

  createGauge(name: string, options?: GaugeOptions): GaugeInstrument & Gauge {
    return new GaugeInstrument(...this.#recording(name, 'GAUGE', options));
  }

  createHistogram(name: string, options?: MetricOptions): HistogramInstrument & Histogram {
    return new HistogramInstrument(...this.#recording(name, 'HISTOGRAM', options));
  }

  createObservableCounter(name: string, options?: MetricOptions): ObservableCounter {
    return this.#observable(name, 'OBSERVABLE_COUNTER', options);
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): ObservableUpDownCounter {
    return this.#observable(name, 'OBSERVABLE_UP_DOWN_COUNTER', options);
  }

  createObservableGauge(name: string, options?: GaugeOptions): ObservableGauge {
    return this.#observable(name, 'OBSERVABLE_GAUGE', options);
  }

  /**
   * Calls `callback` once in each round, for all of `observables`. Instruments of other SDKs among them are
   * ignored.
   */
  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const instruments = ownOf(observables);
    if (instruments.length === 0) {
      this.#context.writer.warnings.loss(
        'batch',
        '',
        'addBatchObservableCallback was given no observable instrument of this SDK, so its callback is never called',
      );
      return;
    }
    addBatchCallback(registryOf(this.#context.writer), callback, instruments);
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    registryOf(this.#context.writer).remove({ callback, isBatch: true, owners: ownOf(observables) });
  }

  #observable(name: string, kind: InstrumentKind, options?: MetricOptions): ObservableInstrument {
    const instrument = this.#describe(name, kind, options);
    return new ObservableInstrument(
      kind,
      this.#streams.targets(instrument),
      this.#valueCheck(instrument),
      registryOf(this.#context.writer),
    );
  }

  #recording(name: string, kind: InstrumentKind, options?: MetricOptions): [Destination, ValueCheck] {
    const instrument = this.#describe(name, kind, options);
    return [this.#streams.destination(instrument), this.#valueCheck(instrument)];
  }

  #describe(name: string, kind: InstrumentKind, options?: MetricOptions): InstrumentDescriptor {
    const instrument = describeInstrument(name, kind, options, this.#context.writer.warnings);
    noteInstrument(instrument.name);
    return instrument;
  }

  #valueCheck({ name, kind, valueType }: InstrumentDescriptor): ValueCheck {
    const meter = this.#scope.name;
    return new ValueCheck({ name, kind, integer: valueType === ValueType.INT }, (cause, message) =>
      this.#context.writer.warnings.loss(
        `value ${cause}`,
        `${meter}/${name}`,
        `metric ${name} of meter ${meter || '(unnamed)'}: ${message}`,
      ),
    );
  }
}

/** The instruments of this SDK among them, each once. */
function ownOf(observables: readonly Observable[]): ObservableInstrument[] {
  return [...new Set(observables)].filter((one) => one instanceof ObservableInstrument);
}

/** The meter of a provider that is shut down: its instruments have all methods and do nothing. */
export function idleMeter(): SeqlockMeter {
  const noop = createNoopMeter();
  const bound: BoundCounter & BoundRecorder = { add: () => {}, record: () => {} };
  const idle = <T extends object>(instrument: T): T & RecordingInstrument<BoundCounter & BoundRecorder> =>
    Object.assign(instrument, {
      enabled: () => false,
      bind: () => bound,
      remove: () => {},
      clear: () => {},
    });
  return Object.assign(Object.create(noop) as ApiMeter, {
    createCounter: (name: string) => idle(Object.create(noop.createCounter(name)) as Counter),
    createUpDownCounter: (name: string) =>
      idle(Object.create(noop.createUpDownCounter(name)) as UpDownCounter),
    createHistogram: (name: string) => idle(Object.create(noop.createHistogram(name)) as Histogram),
    createGauge: (name: string) => idle(Object.create(noop.createGauge(name)) as Gauge),
  });
}
