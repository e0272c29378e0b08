/** Runs a program on an SDK, under the program's own clock, and collects through official `MetricReader`s. */
import type {
  BatchObservableResult,
  Counter,
  Meter,
  MeterProvider as ApiMeterProvider,
  ObservableResult,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  createAllowListAttributesProcessor,
  createDenyListAttributesProcessor,
  InstrumentType,
  MeterProvider,
  type AggregationOption,
  type AggregationTemporalitySelector,
  type IMetricReader,
  type ViewOptions,
} from '@opentelemetry/sdk-metrics';
import { bind, MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { TestReader } from '../support/readers.ts';
import { VIEW_CODE } from './streams.ts';
import {
  createSteps,
  momentsOf,
  PROGRAM_START,
  type CollectStep,
  type CreateStep,
  type HistogramSelection,
  type Program,
  type ReaderPlan,
  type Temporality,
  type ViewPlan,
} from './program.ts';

type Collected = Awaited<ReturnType<IMetricReader['collect']>>;

interface Sdk {
  readonly provider: ApiMeterProvider;
  /** Undefined for one whose collections are left out. */
  readonly readers: readonly (TestReader | undefined)[];
  readonly binds: boolean;
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

const HISTOGRAMS: Readonly<Record<HistogramSelection, AggregationOption>> = {
  default: { type: AggregationType.DEFAULT },
  explicit: {
    type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM,
    options: { boundaries: [1, 50], recordMinMax: false },
  },
  exponential: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
};

const VIEWED: Readonly<Record<ViewPlan['aggregation'], AggregationOption | undefined>> = {
  default: undefined,
  drop: { type: AggregationType.DROP },
  explicit: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [-1, 2, 100] } },
  exponential: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 40 } },
};

function viewOptionsOf({
  instrumentName,
  instrumentType,
  name,
  keys,
  keeps,
  code,
  aggregation,
}: ViewPlan): ViewOptions {
  const listOf = keeps ? createAllowListAttributesProcessor : createDenyListAttributesProcessor;
  const attributesProcessors = [
    ...(keys === undefined ? [] : [listOf([...keys])]),
    ...(code === undefined ? [] : [{ process: VIEW_CODE[code] }]),
  ];
  const chosen = VIEWED[aggregation];
  return {
    instrumentName,
    ...(instrumentType !== undefined && { instrumentType: instrumentType as InstrumentType }),
    ...(name !== undefined && { name }),
    ...(attributesProcessors.length > 0 && { attributesProcessors }),
    ...(chosen !== undefined && { aggregation: chosen }),
  };
}

function readerOf({ temporality, histogram }: ReaderPlan, { cardinalityLimit }: Program): TestReader {
  return new TestReader({
    cardinalitySelector: () => cardinalityLimit,
    aggregationTemporalitySelector: TEMPORALITIES[temporality],
    aggregationSelector: (kind) =>
      kind === InstrumentType.HISTOGRAM ? HISTOGRAMS[histogram] : HISTOGRAMS.default,
  });
}

/**
 * The official SDK. A call that throws there has recorded nothing. Its readers affect each other (rule "Readers do not affect each
 * other"), so the program runs once for each, alone.
 */
export async function runOfficial(program: Program): Promise<Collected[]> {
  const collected: Collected[] = [];
  for (const [i, plan] of program.readers.entries()) {
    const reader = readerOf(plan, program);
    const views = program.views.map(viewOptionsOf);
    const provider = new MeterProvider({ resource, readers: [reader], views });
    const readers = program.readers.map((_, j) => (i === j ? reader : undefined));
    try {
      const own = await run(program, { provider, readers, binds: false });
      momentsOf(program)
        .filter(({ step }) => step.reader === i)
        .forEach(({ index }, n) => (collected[index] = own[n]!));
    } finally {
      await provider.shutdown();
    }
  }
  return collected;
}

/** This SDK. After each call the caller's attributes are changed, which must not matter. */
export async function runSeqlock(program: Program): Promise<Collected[]> {
  const readers = program.readers.map((plan) => readerOf(plan, program));
  const store = MetricStore.open({ maxBytes: 1_048_576 });
  const views = program.views.map(viewOptionsOf);
  const provider = new SeqlockMeterProvider({ resource, readers, store, views });
  try {
    return await run(program, { provider, readers, binds: true });
  } finally {
    await provider.shutdown();
    store.close();
  }
}

async function run(program: Program, { provider, readers, binds }: Sdk): Promise<Collected[]> {
  const meters = program.meters.map(({ name, version, schemaUrl }) =>
    provider.getMeter(name, version, schemaUrl === undefined ? undefined : { schemaUrl }),
  );
  const collected: Collected[] = [];
  const instruments: (Recorder | undefined)[] = [];
  const realNow = Date.now;
  let now = PROGRAM_START;
  let collecting: CollectStep | undefined;
  Date.now = () => now;
  try {
    for (const step of program.steps) {
      if (step.step === 'tick') now += step.millis;
      else if (step.step === 'create') {
        const instrument = instruments.length;
        const callback: Callback = (report) => observe(collecting!, instrument, report, binds);
        instruments.push(createInstrument(meters[step.meter]!, step, callback));
      } else if (step.step === 'collect') {
        collecting = step;
        const reader = readers[step.reader];
        if (reader !== undefined) collected.push(structuredOf(await reader.collect()));
      } else {
        const instrument = instruments[step.instrument];
        const [value, attributes] = [step.value as number, step.attributes as undefined];
        if (instrument === undefined) continue; // an asynchronous one
        if (binds && step.bound) recordTo(bind(instrument as Counter, attributes), value);
        else if (binds) recordTo(instrument, value, attributes);
        else swallow(() => recordTo(instrument, value, attributes));
        if (binds) scramble(attributes);
      }
    }
  } finally {
    Date.now = realNow;
  }
  if (instruments.length !== createSteps(program).length) throw new Error('a create step was lost');
  return collected;
}

type Report = (value: number, attributes: undefined) => void;
type Callback = (report: Report) => void;

type Recorder =
  | { add(value: number, attributes?: undefined): void }
  | { record(value: number, attributes?: undefined): void };

/** Makes the instrument of a create step; undefined for one that callbacks observe. */
function createInstrument(
  meter: Meter,
  { kind, name, options, batch }: CreateStep,
  callback: Callback,
): Recorder | undefined {
  switch (kind) {
    case 'COUNTER':
      return meter.createCounter(name, options);
    case 'UP_DOWN_COUNTER':
      return meter.createUpDownCounter(name, options);
    case 'GAUGE':
      return meter.createGauge(name, options);
    case 'HISTOGRAM':
      return meter.createHistogram(name, options);
    default: {
      const instrument =
        kind === 'OBSERVABLE_COUNTER'
          ? meter.createObservableCounter(name, options)
          : kind === 'OBSERVABLE_GAUGE'
            ? meter.createObservableGauge(name, options)
            : meter.createObservableUpDownCounter(name, options);
      const single = (result: ObservableResult): void =>
        callback((value, attributes) => result.observe(value, attributes));
      const several = (result: BatchObservableResult): void =>
        callback((value, attributes) => result.observe(instrument, value, attributes));
      if (batch) meter.addBatchObservableCallback(several, [instrument]);
      else instrument.addCallback(single);
      return undefined;
    }
  }
}

/** Has a callback observe what a collection says. */
function observe(
  { observations, throwing }: CollectStep,
  instrument: number,
  report: Report,
  isOurs: boolean,
): void {
  for (const { instrument: observed, value, attributes } of observations) {
    if (observed !== instrument) continue;
    if (isOurs) report(value as number, attributes as undefined);
    else swallow(() => report(value as number, attributes as undefined));
    if (isOurs) scramble(attributes);
  }
  if (throwing.includes(instrument)) throw new Error(`instrument ${instrument} threw on purpose`);
}

function recordTo(instrument: Recorder, value: number, attributes?: undefined): void {
  if ('add' in instrument) instrument.add(value, attributes);
  else instrument.record(value, attributes);
}

function swallow(call: () => void): void {
  try {
    call();
  } catch {
    // A rule says what ought to have happened.
  }
}

/** Changes a caller's attributes after they were used. */
function scramble(attributes: unknown): void {
  if (typeof attributes !== 'object' || attributes === null) return;
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(attributes))) {
    if (Array.isArray(descriptor.value)) descriptor.value.push('changed later');
    if ('value' in descriptor && !Array.isArray(attributes))
      Object.defineProperty(attributes, key, { value: 'changed later' });
  }
  Object.assign(attributes, { 'added later': true });
}

/** A result apart from all later ones: an SDK may hand over objects that it goes on using. */
function structuredOf({ resourceMetrics, errors }: Collected): Collected {
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
