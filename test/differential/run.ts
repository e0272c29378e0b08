/** Runs a program on an SDK, under the program's own clock, and collects through official `MetricReader`s. */
import type { Counter, Meter, MeterProvider as ApiMeterProvider, Observable } from '@opentelemetry/api';
import { emptyResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MeterProvider,
  type AggregationOption,
  type AggregationTemporalitySelector,
  type IMetricReader,
  type MetricProducer,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { systemClock } from '../../src/base/platform.ts';
import { isObserved } from '../../src/state/stream-choices.ts';
import { bind, MetricStore, SeqlockMeterProvider, type SeqlockViewOptions } from '../../src/index.ts';
import { TestReader } from '../support/readers.ts';
import { scramble, swallow } from './caller.ts';
import { Callbacks } from './run-callbacks.ts';
import { listOf, VIEW_CODE } from './streams.ts';
import {
  limitOfKind,
  momentsOf,
  PROGRAM_START,
  type AggregationName,
  type CollectStep,
  type CreateStep,
  type Program,
  type ReaderPlan,
  type Temporality,
  type ViewPlan,
} from './program.ts';

type CollectionResult = Awaited<ReturnType<IMetricReader['collect']>>;

/** What came of a collect step. */
export type Collected = CollectionResult | { readonly rejected: string };

interface Sdk {
  readonly provider: ApiMeterProvider & Pick<MeterProvider, 'forceFlush' | 'shutdown'>;
  /** Undefined for one whose collections are left out. */
  readonly readers: readonly (TestReader | undefined)[];
  readonly isOurs: boolean;
}

const resource = resourceFromAttributes({ 'service.name': 'differential' });
const { CUMULATIVE, DELTA } = AggregationTemporality;

const TEMPORALITIES: Readonly<Record<Temporality, AggregationTemporalitySelector>> = {
  cumulative: () => CUMULATIVE,
  delta: () => DELTA,
  preferred: (kind) =>
    kind === InstrumentType.UP_DOWN_COUNTER || kind === InstrumentType.OBSERVABLE_UP_DOWN_COUNTER
      ? CUMULATIVE
      : DELTA,
};

const SELECTED: Readonly<Record<AggregationName, AggregationOption>> = {
  default: { type: AggregationType.DEFAULT },
  drop: { type: AggregationType.DROP },
  sum: { type: AggregationType.SUM },
  'last value': { type: AggregationType.LAST_VALUE },
  explicit: {
    type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
    options: { boundaries: [1, 50], recordMinMax: false },
  },
  exponential: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
};

const VIEWED: Readonly<Record<AggregationName, AggregationOption>> = {
  ...SELECTED,
  explicit: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [-1, 2, 100] } },
  exponential: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 40 } },
};

function officialOptions(view: ViewPlan): ViewOptions {
  const { aggregation, cardinalityLimit, code, keys } = view;
  const attributesProcessors = [
    ...(keys === undefined ? [] : [listOf(view)]),
    ...(code === undefined ? [] : [{ process: VIEW_CODE[code] }]),
  ];
  return Object.fromEntries(
    Object.entries({
      instrumentName: view.instrumentName,
      instrumentType: view.instrumentType as InstrumentType | undefined,
      instrumentUnit: view.instrumentUnit,
      meterName: view.meterName,
      meterVersion: view.meterVersion,
      meterSchemaUrl: view.meterSchemaUrl,
      name: view.name,
      description: view.description,
      attributesProcessors: attributesProcessors.length === 0 ? undefined : attributesProcessors,
      aggregation: aggregation === 'default' ? undefined : VIEWED[aggregation],
      aggregationCardinalityLimit: cardinalityLimit,
    }).filter(([, value]) => value !== undefined),
  );
}

function ourOptions(view: ViewPlan): SeqlockViewOptions {
  const { isKeyList, keeps, keys } = view;
  if (!isKeyList || !keeps || keys === undefined) return officialOptions(view);
  return { ...officialOptions({ ...view, keys: undefined }), attributeKeys: keys };
}

/** Has no metrics, and fails in every second collection. */
function metricProducer(): MetricProducer {
  let collections = 0;
  return {
    collect: async () => ({
      resourceMetrics: {
        resource: emptyResource(),
        scopeMetrics: [{ scope: { name: PRODUCED }, metrics: [] }],
      },
      errors: collections++ % 2 === 0 ? [] : [new Error('the producer failed')],
    }),
  };
}

/** The scope of what metric producers hand over. */
export const PRODUCED = 'a producer';

function readerOf({
  temporality,
  histogram,
  counter,
  cardinalityLimit,
  hasProducer,
}: ReaderPlan): TestReader {
  return new TestReader({
    cardinalitySelector: (kind) => limitOfKind(kind, cardinalityLimit),
    aggregationTemporalitySelector: TEMPORALITIES[temporality],
    aggregationSelector: (kind) =>
      kind === InstrumentType.HISTOGRAM
        ? SELECTED[histogram]
        : SELECTED[kind === InstrumentType.COUNTER ? counter : 'default'],
    ...(hasProducer && { metricProducers: [metricProducer()] }),
  });
}

/**
 * The official SDK. A call that throws there has recorded nothing. Its readers affect each other (rule "Readers do not affect each
 * other"), so the program runs once for each, alone.
 */
export async function runOfficial(program: Program): Promise<Collected[]> {
  const collected: Collected[] = [];
  for (const [i, plan] of program.readers.entries()) {
    const reader = readerOf(plan);
    const views = program.views.map(officialOptions);
    const provider = new MeterProvider({ resource, readers: [reader], views });
    const readers = program.readers.map((_, j) => (i === j ? reader : undefined));
    try {
      const own = await run(program, { provider, readers, isOurs: false });
      momentsOf(program)
        .filter(({ step }) => step.reader === i)
        .forEach(({ index }, n) => (collected[index] = own.collected[n]!));
    } finally {
      await provider.shutdown();
    }
  }
  return collected;
}

interface Outcome {
  readonly collected: Collected[];
  /** What synchronous instruments say of it; of the others undefined. */
  readonly enabled: (boolean | undefined)[];
}

/** This SDK. After each call the caller's attributes are changed, which must not matter. */
export async function runSeqlock(program: Program): Promise<Outcome> {
  const readers = program.readers.map(readerOf);
  const store = openedAt(PROGRAM_START);
  const views = program.views.map(ourOptions);
  const exemplarFilter = program.keepsExemplars ? 'always_on' : 'trace_based';
  const provider = new SeqlockMeterProvider({ resource, readers, store, views, exemplarFilter });
  try {
    return await run(program, { provider, readers, isOurs: true });
  } finally {
    await provider.shutdown();
    store.close();
  }
}

/** Times of a store never go back: it has to begin when its program does. */
function openedAt(millis: number): MetricStore {
  const realClock = systemClock.now;
  systemClock.now = () => millis;
  try {
    return MetricStore.open({ maxBytes: 1_048_576 });
  } finally {
    systemClock.now = realClock;
  }
}

async function run(program: Program, { provider, readers, isOurs }: Sdk): Promise<Outcome> {
  const meters = program.meters.map(({ name, version, schemaUrl, attributes }) =>
    provider.getMeter(name, version, {
      ...(schemaUrl !== undefined && { schemaUrl }),
      ...(attributes !== undefined && { attributes }),
    }),
  );
  const outcome: Outcome = { collected: [], enabled: [] };
  const instruments: Instrument[] = [];
  const callbacks = new Callbacks(program.callbacks, instruments as Observable[], isOurs);
  const created: CreateStep[] = [];
  const realNow = Date.now;
  const realClock = systemClock.now;
  let now = PROGRAM_START;
  Date.now = systemClock.now = () => now;
  try {
    for (const step of program.steps)
      switch (step.step) {
        case 'tick':
          now += step.millis;
          break;
        case 'create': {
          const instrument = createInstrument(meters[step.meter]!, step);
          created.push(step);
          if (step.isObservedDirectly === true)
            callbacks.addDirectly(instrument as Observable, instruments.length);
          instruments.push(instrument);
          outcome.enabled.push((instrument as { enabled?: () => boolean }).enabled?.());
          break;
        }
        case 'add callback':
        case 'remove callback':
          callbacks.change(step, meters[created[step.instruments[0]!]!.meter]!);
          break;
        case 'flush':
          await provider.forceFlush();
          break;
        case 'shut down':
          await provider.shutdown();
          provider.getMeter('late').createCounter('late').add(1);
          break;
        case 'collect': {
          const reader = readers[step.reader];
          if (reader !== undefined) outcome.collected.push(await collect(reader, step, callbacks));
          break;
        }
        case 'record': {
          if (isObserved(created[step.instrument]!.kind))
            throw new Error('a record step of an observed instrument');
          const instrument = instruments[step.instrument] as Recorder;
          const [value, attributes] = [step.value as number, step.attributes as undefined];
          if (isOurs && step.bound) recordTo(bind(instrument as Counter, attributes), value);
          else if (isOurs) recordTo(instrument, value, attributes);
          else swallow(() => recordTo(instrument, value, attributes));
          if (isOurs) scramble(attributes);
        }
      }
  } finally {
    Date.now = realNow;
    systemClock.now = realClock;
  }
  return outcome;
}

async function collect(reader: TestReader, step: CollectStep, callbacks: Callbacks): Promise<Collected> {
  const hangs = [...step.failures.values()].includes('hangs');
  callbacks.start(step);
  try {
    return structuredOf(await reader.collect(hangs ? { timeoutMillis: 1 } : undefined));
  } catch (error) {
    return { rejected: String(error) };
  } finally {
    if (hangs) await callbacks.end();
  }
}

type Recorder =
  | { add(value: number, attributes?: undefined): void }
  | { record(value: number, attributes?: undefined): void };

type Instrument = Recorder | Observable;

function createInstrument(meter: Meter, { kind, name, options }: CreateStep): Instrument {
  switch (kind) {
    case 'COUNTER':
      return meter.createCounter(name, options);
    case 'UP_DOWN_COUNTER':
      return meter.createUpDownCounter(name, options);
    case 'GAUGE':
      return meter.createGauge(name, options);
    case 'HISTOGRAM':
      return meter.createHistogram(name, options);
    case 'OBSERVABLE_COUNTER':
      return meter.createObservableCounter(name, options);
    case 'OBSERVABLE_UP_DOWN_COUNTER':
      return meter.createObservableUpDownCounter(name, options);
    case 'OBSERVABLE_GAUGE':
      return meter.createObservableGauge(name, options);
  }
}

function recordTo(instrument: Recorder, value: number, attributes?: undefined): void {
  if ('add' in instrument) instrument.add(value, attributes);
  else instrument.record(value, attributes);
}

/** A result apart from all later ones: an SDK may hand over objects that it goes on using. */
function structuredOf({ resourceMetrics, errors }: CollectionResult): CollectionResult {
  return {
    errors,
    resourceMetrics: {
      resource: resourceMetrics.resource,
      scopeMetrics: resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
        scope: { ...scope },
        metrics: metrics.map((metric) => ({
          ...metric,
          descriptor: { ...metric.descriptor },
          dataPoints: metric.dataPoints.map((point) => ({
            ...point,
            attributes: Object.defineProperties({}, Object.getOwnPropertyDescriptors(point.attributes)),
            value: typeof point.value === 'object' ? copyOf(point.value) : point.value,
          })),
        })) as never,
      })),
    },
  };
}

/** Without what is undefined: to leave a sum or an extreme out is the same as to say that there is none. */
function copyOf(value: object): unknown {
  return Object.fromEntries(Object.entries(structuredClone(value)).filter(([, part]) => part !== undefined));
}
