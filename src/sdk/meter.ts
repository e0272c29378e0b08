import {
  createNoopMeter,
  ValueType,
  type Counter,
  type Gauge,
  type Histogram,
  type Meter as ApiMeter,
  type MetricOptions,
  type ObservableCounter,
  type ObservableGauge,
  type ObservableUpDownCounter,
  type UpDownCounter,
} from '@opentelemetry/api';
import type { Aggregation, InstrumentKind, StoreConfiguration, StreamDescription } from '../state/records.ts';
import type { StoreWriter, StreamOf } from '../state/store-writer.ts';
import type { StreamWriter } from '../state/stream-writer.ts';
import { defaultAggregation, describeInstrument } from './instrument-descriptor.ts';
import { InstrumentRegistry } from './instrument-registry.ts';
import { CounterInstrument, GaugeInstrument, HistogramInstrument, UpDownCounterInstrument } from './instruments.ts';

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

  createObservableCounter(name: string): ObservableCounter {
    return this.#notObserved(name).createObservableCounter(name);
  }

  createObservableUpDownCounter(name: string): ObservableUpDownCounter {
    return this.#notObserved(name).createObservableUpDownCounter(name);
  }

  createObservableGauge(name: string): ObservableGauge {
    return this.#notObserved(name).createObservableGauge(name);
  }

  addBatchObservableCallback(): void {
    this.#notObserved('(batch)');
  }

  removeBatchObservableCallback(): void {}

  #notObserved(name: string): ApiMeter {
    this.#context.writer.warnings.once(
      `observable ${name}`,
      `metric ${name}: this version of seqlock-metrics does not call observable callbacks; record with a Gauge or an UpDownCounter instead`,
    );
    return createNoopMeter();
  }

  #stream<K extends InstrumentKind>(name: string, kind: K, options?: MetricOptions): StreamOf<AggregationFor<K>> {
    const { writer, cardinalityLimits } = this.#context;
    const descriptor = describeInstrument(name, kind, options, writer.warnings);
    const { value: stream, longerDescription } = this.#registry.register(descriptor, () =>
      writer.stream(
        {
          scope: this.#scope,
          name: descriptor.name,
          description: descriptor.description,
          unit: descriptor.unit,
          kind,
          integer: descriptor.valueType === ValueType.INT,
          aggregation: defaultAggregation(descriptor),
        },
        cardinalityLimits[kind],
      ),
    );
    if (longerDescription) writer.describe(stream, descriptor.description);
    return stream as StreamOf<AggregationFor<K>>;
  }
}
