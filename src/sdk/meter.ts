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
import type { InstrumentKind, Scope, StoreConfiguration, StreamDescription } from '../state/records.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { StoreWriter } from '../state/store-writer.ts';
import type { RecordedStream, StreamWriter } from '../state/stream-writer.ts';
import { aggregationOf } from './aggregation.ts';
import { describeInstrument, type InstrumentDescriptor } from './instrument-descriptor.ts';
import {
  CounterInstrument,
  GaugeInstrument,
  HistogramInstrument,
  UpDownCounterInstrument,
} from './instruments.ts';
import { ValueCheck } from './measurement.ts';
import { registryOf } from './observable-registry.ts';
import { addBatchCallback, ObservableInstrument } from './observables.ts';
import { recorderOf, type Recorder } from './recorder.ts';
import { planStreams } from './stream-plan.ts';
import { StreamRegistry } from './stream-registry.ts';

/** What the meters of one provider share. */
export interface MeterContext {
  readonly writer: StoreWriter;
  /** What the provider follows of the store's configuration. */
  readonly configuration: Pick<StoreConfiguration, 'cardinalityLimits' | 'selections'>;
}

/** Makes instruments for one scope. */
export class Meter implements ApiMeter {
  readonly #scope: Scope;
  readonly #context: MeterContext;
  readonly #registry: StreamRegistry<StreamWriter>;

  constructor(scope: Scope, context: MeterContext) {
    this.#scope = scope;
    this.#context = context;
    this.#registry = new StreamRegistry(scope.name, context.writer.warnings);
  }

  createCounter(name: string, options?: MetricOptions): CounterInstrument & Counter {
    return new CounterInstrument(...this.#recorder(name, 'COUNTER', options));
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounterInstrument & UpDownCounter {
    return new UpDownCounterInstrument(...this.#recorder(name, 'UP_DOWN_COUNTER', options));
  }

  createGauge(name: string, options?: MetricOptions): GaugeInstrument & Gauge {
    return new GaugeInstrument(...this.#recorder(name, 'GAUGE', options));
  }

  createHistogram(name: string, options?: MetricOptions): HistogramInstrument & Histogram {
    return new HistogramInstrument(...this.#recorder(name, 'HISTOGRAM', options));
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
    const { writer } = this.#context;
    const instrument = describeInstrument(name, kind, options, writer.warnings);
    const streams = this.#streams(instrument, (description, limit) =>
      writer.observedStream(description, limit),
    );
    return new ObservableInstrument(
      kind,
      streams as ObservedStream[],
      this.#valueCheck(instrument),
      registryOf(writer),
    );
  }

  #recorder(name: string, kind: InstrumentKind, options?: MetricOptions): [Recorder, ValueCheck] {
    const { writer } = this.#context;
    const instrument = describeInstrument(name, kind, options, writer.warnings);
    const streams = this.#streams(instrument, (description, limit) => writer.stream(description, limit));
    return [recorderOf(streams as RecordedStream[]), this.#valueCheck(instrument)];
  }

  #valueCheck({ name, kind, valueType }: InstrumentDescriptor): ValueCheck {
    const meter = this.#scope.name;
    return new ValueCheck({ name, kind, integer: valueType === ValueType.INT }, (cause, message) =>
      this.#context.writer.warnings.once(
        `${meter}/${name}: ${cause}`,
        `metric ${name} of meter ${meter || '(unnamed)'}: ${message}`,
      ),
    );
  }

  /** The streams of an instrument, opened if they are new. None when its measurements are dropped. */
  #streams(
    instrument: InstrumentDescriptor,
    open: (description: StreamDescription, limit: number) => StreamWriter,
  ): StreamWriter[] {
    const { writer, configuration } = this.#context;
    const streams: StreamWriter[] = [];
    for (const plan of planStreams(instrument, configuration)) {
      const aggregation = aggregationOf(instrument, plan.aggregation);
      if (aggregation === undefined) continue;
      const { value: stream, longerDescription } = this.#registry.register(plan, () =>
        open(
          {
            scope: this.#scope,
            name: plan.name,
            description: plan.description,
            unit: instrument.unit,
            kind: instrument.kind,
            integer: instrument.valueType === ValueType.INT,
            aggregation,
            created: Date.now(),
            selection: plan.selection,
          },
          configuration.cardinalityLimits[instrument.kind],
        ),
      );
      if (longerDescription) writer.describe(stream, plan.description);
      streams.push(stream);
    }
    return streams;
  }
}
