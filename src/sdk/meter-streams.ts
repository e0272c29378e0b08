import { ValueType } from '@opentelemetry/api';
import type { Scope, StoreConfiguration, StreamDescription } from '../state/records.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { StoreWriter } from '../state/store-writer.ts';
import type { RecordedStream, StreamWriter } from '../state/stream-writer.ts';
import { aggregationOf } from './aggregation.ts';
import { keepExemplars } from './exemplar-filter.ts';
import type { InstrumentDescriptor } from './instrument-descriptor.ts';
import { ObservedTarget } from './observed-target.ts';
import { fanOut, type Destination } from './recorder.ts';
import { planStreams, type StreamPlan, type StreamRules } from './stream-plan.ts';
import { StreamRegistry } from './stream-registry.ts';
import { filtered, FiniteOnly } from './viewed-recorder.ts';

/** What the meters of one provider share. */
export interface MeterContext {
  readonly writer: StoreWriter;
  /** What the provider uses of the store's configuration. */
  readonly configuration: Pick<StoreConfiguration, 'cardinalityLimits' | 'exemplarFilter'>;
  readonly rules: StreamRules;
}

/** The streams of one meter's instruments. They are opened in the store when they are needed. */
export class MeterStreams {
  readonly #scope: Scope;
  readonly #context: MeterContext;
  readonly #registry: StreamRegistry<StreamWriter>;

  constructor(scope: Scope, context: MeterContext) {
    this.#scope = scope;
    this.#context = context;
    this.#registry = new StreamRegistry(scope.name, context.writer.warnings);
  }

  /** Where the measurements of a synchronous instrument go. */
  destination(instrument: InstrumentDescriptor): Destination {
    const { writer, configuration } = this.#context;
    const opened = this.#open(instrument, (description, limit) => writer.stream(description, limit));
    return fanOut(
      opened.map(({ stream, plan }) => {
        keepExemplars(stream, configuration.exemplarFilter ?? 'trace_based', plan);
        const destination = filtered(stream as RecordedStream, plan.filter);
        return takesAll(instrument, stream.description)
          ? destination
          : { recorder: new FiniteOnly(stream as RecordedStream, destination), cells: undefined };
      }),
    );
  }

  /** Where the observations of an asynchronous instrument go. */
  targets(instrument: InstrumentDescriptor): ObservedTarget[] {
    const { writer, configuration } = this.#context;
    return this.#open(instrument, (description, limit) => writer.observedStream(description, limit)).map(
      ({ stream, plan }) => {
        // Callbacks run in no span, so the other filters let nothing through.
        if (configuration.exemplarFilter === 'always_on') keepExemplars(stream, 'always_on', plan);
        return new ObservedTarget(stream as ObservedStream, plan);
      },
    );
  }

  /** The streams of an instrument; none if its measurements are dropped. */
  #open(
    instrument: InstrumentDescriptor,
    open: (description: StreamDescription, limit: number) => StreamWriter,
  ): { stream: StreamWriter; plan: StreamPlan }[] {
    const { writer, configuration, rules } = this.#context;
    const streams: { stream: StreamWriter; plan: StreamPlan }[] = [];
    for (const plan of planStreams(instrument, this.#scope, rules, writer.warnings)) {
      const description = this.#describe(plan);
      if (description === undefined) continue;
      const limit = plan.cardinalityLimit ?? configuration.cardinalityLimits[instrument.kind];
      const { value: stream, longerDescription } = this.#registry.register(plan, () =>
        open(description, limit),
      );
      if (longerDescription) writer.describe(stream, plan.description);
      streams.push({ stream, plan });
    }
    return streams;
  }

  #describe({
    instrument,
    name,
    description,
    aggregation: choice,
    selection,
    viewIndex,
    cardinalityLimit,
    merge,
  }: StreamPlan): StreamDescription | undefined {
    const { unit, kind, valueType } = instrument;
    const aggregation = aggregationOf(instrument, choice);
    if (aggregation === undefined) return undefined;
    return {
      scope: this.#scope,
      name,
      description,
      unit,
      kind,
      integer: valueType === ValueType.INT,
      aggregation,
      created: this.#context.writer.region.takeTime(),
      selection,
      ...(viewIndex > 0 && { viewIndex }),
      ...(cardinalityLimit !== undefined && { cardinalityLimit }),
      ...(aggregation.type === 'last-value' && merge !== undefined && { merge }),
    };
  }
}

/**
 * Whether a stream accepts every value that its instrument accepts. The infinities, and NaN of gauges, would
 * spoil a sum for good.
 */
function takesAll({ kind }: InstrumentDescriptor, { aggregation: { type } }: StreamDescription): boolean {
  if (kind === 'GAUGE') return type === 'last-value';
  return kind !== 'HISTOGRAM' || type !== 'sum';
}
