/** Runs a program on an SDK, under the program's own clock, and collects through the official `MetricReader`. */
import type { Counter, Histogram, MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type IMetricReader, type MetricReader } from '@opentelemetry/sdk-metrics';
import { bind, MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { TestReader } from '../support/readers.ts';
import { createInstrument, createSteps, PROGRAM_START, type Program } from './program.ts';

type Collected = Awaited<ReturnType<IMetricReader['collect']>>;

interface Sdk {
  readonly provider: ApiMeterProvider;
  readonly reader: MetricReader;
  readonly binds: boolean;
}

const resource = resourceFromAttributes({ 'service.name': 'differential' });

/** The official SDK. A call that throws there has recorded nothing. */
export async function runOfficial(program: Program): Promise<Collected[]> {
  const reader = new TestReader({ cardinalitySelector: () => program.cardinalityLimit });
  const provider = new MeterProvider({ resource, readers: [reader] });
  try {
    return await run(program, { provider, reader, binds: false });
  } finally {
    await provider.shutdown();
  }
}

/** This SDK. After each call the caller's attributes are changed, which must not matter. */
export async function runSeqlock(program: Program): Promise<Collected[]> {
  const reader = new TestReader({ cardinalitySelector: () => program.cardinalityLimit });
  const store = MetricStore.open({ maxBytes: 1_048_576 });
  const provider = new SeqlockMeterProvider({ resource, readers: [reader], store });
  try {
    return await run(program, { provider, reader, binds: true });
  } finally {
    await provider.shutdown();
    store.close();
  }
}

async function run(program: Program, { provider, reader, binds }: Sdk): Promise<Collected[]> {
  const meters = program.meters.map(({ name, version, schemaUrl }) =>
    provider.getMeter(name, version, schemaUrl === undefined ? undefined : { schemaUrl }),
  );
  const collected: Collected[] = [];
  const instruments: (Counter | Histogram)[] = [];
  const realNow = Date.now;
  let now = PROGRAM_START;
  Date.now = () => now;
  try {
    for (const step of program.steps) {
      if (step.step === 'tick') now += step.millis;
      else if (step.step === 'create') instruments.push(createInstrument(meters[step.meter]!, step) as Counter);
      else if (step.step === 'collect') collected.push(structuredOf(await reader.collect()));
      else {
        const instrument = instruments[step.instrument]!;
        const [value, attributes] = [step.value as number, step.attributes as undefined];
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

type Recorder = { add(value: number, attributes?: undefined): void } | { record(value: number, attributes?: undefined): void };

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
    if ('value' in descriptor && !Array.isArray(attributes)) Object.defineProperty(attributes, key, { value: 'changed later' });
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

function copyOf(value: object): unknown {
  return structuredClone(value);
}
