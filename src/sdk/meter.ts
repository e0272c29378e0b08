import {
  ValueType,
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
import type { Aggregation, InstrumentKind, StoreConfiguration, StreamDescription } from '../state/records.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { StoreWriter, StreamOf } from '../state/store-writer.ts';
import type { StreamWriter } from '../state/stream-writer.ts';
import { defaultAggregation, describeInstrument } from './instrument-descriptor.ts';
import { InstrumentRegistry } from './instrument-registry.ts';
import { registryOf } from './observable-registry.ts';
import { addBatchCallback, ObservableInstrument } from './observables.ts';
import {
  CounterInstrument,
  GaugeInstrument,
  HistogramInstrument,
  UpDownCounterInstrument,
} from './instruments.ts';

/** What the meters of one provider share. */
export interface MeterContext {
  readonly writer: StoreWriter;
  readonly cardinalityLimits: StoreConfiguration['cardinalityLimits'];
}

type AggregationFor<K extends InstrumentKind> = K extends 'COUNTER' | 'UP_DOWN_COUNTER'
  ? Extract<Aggregation, { type: 'sum' }>
  : K extends 'GAUGE'
    ? Extract<Aggregation, { type: 'last-value' }>
    : Extract<Aggregation, { type: 'explicit-bucket-histogram' }>;

/** Makes instruments for one scope. */
export class Meter implements ApiMeter {
  readonly #scope: StreamDescription['scope'];
  readonly #context: MeterContext;
  readonly #registry: InstrumentRegistry<StreamWriter>;

  constructor(scope: StreamDescription['scope'], context: MeterContext) {
    this.#scope = scope;
    this.#context = context;
    this.#registry = new InstrumentRegistry(scope.name, context.writer.warnings);
  }

  createCounter(name: string, options?: MetricOptions): CounterInstrument & Counter {
    return new CounterInstrument(this.#stream(name, 'COUNTER', options));
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounterInstrument & UpDownCounter {
    return new UpDownCounterInstrument(this.#stream(name, 'UP_DOWN_COUNTER', options));
  }

  createGauge(name: string, options?: MetricOptions): GaugeInstrument & Gauge {
    return new GaugeInstrument(this.#stream(name, 'GAUGE', options));
  }

  createHistogram(name: string, options?: MetricOptions): HistogramInstrument & Histogram {
    return new HistogramInstrument(this.#stream(name, 'HISTOGRAM', options));
  }

  createObservableCounter(name: string, options?: MetricOptions): ObservableCounter {
    return this.#observable(name, 'OBSERVABLE_COUNTER', options);
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): ObservableUpDownCounter {
    return this.#observable(name, 'OBSERVABLE_UP_DOWN_COUNTER', options);
  }

  createObservableGauge(name: string, options?: MetricOptions): ObservableGauge {
    return this.#observable(name, 'OBSERVABLE_GAUGE', options);
  }

  /** Calls `callback` once a round for all of `observables`. Instruments of other SDKs among them are ignored. */
  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const instruments = observables.filter((one) => one instanceof ObservableInstrument);
    if (instruments.length === 0) {
      this.#context.writer.warnings.once(
        'batch',
        'addBatchObservableCallback was given no observable instrument of this SDK; the callback is not called',
      );
      return;
    }
    addBatchCallback(registryOf(this.#context.writer), callback, instruments);
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const instruments = observables.filter((one) => one instanceof ObservableInstrument);
    registryOf(this.#context.writer).remove({ callback, owners: instruments });
  }

  #observable(name: string, kind: InstrumentKind, options?: MetricOptions): ObservableInstrument {
    const { writer, cardinalityLimits } = this.#context;
    const stream = this.#register(name, kind, options, (description) =>
      writer.observedStream(description, cardinalityLimits[kind]),
    );
    return new ObservableInstrument(stream as ObservedStream, registryOf(writer));
  }

  #stream<K extends InstrumentKind>(
    name: string,
    kind: K,
    options?: MetricOptions,
  ): StreamOf<AggregationFor<K>> {
    const { writer, cardinalityLimits } = this.#context;
    return this.#register(name, kind, options, (description) =>
      writer.stream(description, cardinalityLimits[kind]),
    ) as StreamOf<AggregationFor<K>>;
  }

  #register(
    name: string,
    kind: InstrumentKind,
    options: MetricOptions | undefined,
    open: (description: StreamDescription) => StreamWriter,
  ): StreamWriter {
    const { writer } = this.#context;
    const descriptor = describeInstrument(name, kind, options, writer.warnings);
    const { value: stream, longerDescription } = this.#registry.register(descriptor, () =>
      open({
        scope: this.#scope,
        name: descriptor.name,
        description: descriptor.description,
        unit: descriptor.unit,
        kind,
        integer: descriptor.valueType === ValueType.INT,
        aggregation: defaultAggregation(descriptor),
        created: Date.now(),
      }),
    );
    if (longerDescription) writer.describe(stream, descriptor.description);
    return stream;
  }
}
