/** The implementations, set up alike: each with a reader that can collect, and no limit the benchmarks meet. */
import type { Attributes, MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import { AggregationType, MeterProvider, MetricReader, type ViewOptions } from '@opentelemetry/sdk-metrics';
import * as pio from '@prometheus-io/client';
import * as prom from 'prom-client';
import { bind, MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from '../src/index.ts';
import type { Peer } from './row.ts';

export type Kind = 'counter' | 'gauge' | 'histogram' | 'exponential';

export const KINDS: readonly Kind[] = ['counter', 'gauge', 'histogram', 'exponential'];
const PROM_KINDS: readonly Kind[] = ['counter', 'gauge', 'histogram'];

/** The default bounds of OpenTelemetry, given to all. */
const BOUNDARIES = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
const CARDINALITY_LIMIT = 1_000_000;

export interface Subject {
  readonly contender: 'ours' | Peer;
  /** What it has. */
  readonly kinds: readonly Kind[];
  create(kind: Kind, name: string, keys: readonly string[]): object;
  /** Source of a record call on `instrument`; `attributes` and `value` are source too. */
  call(kind: Kind, value: string, attributes?: string): string;
  /** Resolves attributes once. Undefined where the implementation has no such thing. */
  readonly bind: ((instrument: object, attributes: Attributes) => object) | undefined;
  collect(): Promise<unknown>;
  /** Throws unless it reports so many series of an instrument: one that keeps fewer is not to be compared. */
  expectSeries(kind: Kind, name: string, series: number): Promise<void>;
  close(): Promise<void>;
}

const OTEL_CALLS: Readonly<Record<Kind, string>> = {
  counter: 'add',
  gauge: 'record',
  histogram: 'record',
  exponential: 'record',
};
const PROM_CALLS: Readonly<Record<Kind, string>> = {
  counter: 'inc',
  gauge: 'set',
  histogram: 'observe',
  exponential: '',
};

/** Histograms of such names have exponential buckets, in both SDKs. */
const VIEWS: readonly ViewOptions[] = [
  { instrumentName: 'exponential_*', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } },
];

/**
 * Each view says the limit itself: the official SDK gives streams of views 2,000 series whatever the reader says (ours takes the reader's), and
 * who keeps fewer series is smaller and faster.
 */
function withoutLimit(views: readonly ViewOptions[]): ViewOptions[] {
  return views.map((view) => ({ aggregationCardinalityLimit: CARDINALITY_LIMIT, ...view }));
}

export function instrumentName(kind: Kind, name: string): string {
  return kind === 'exponential' ? `exponential_${name}` : name;
}

function otelInstrument(provider: ApiMeterProvider, kind: Kind, name: string): object {
  const meter = provider.getMeter('bench');
  if (kind === 'counter') return meter.createCounter(name);
  if (kind === 'gauge') return meter.createGauge(name);
  if (kind === 'exponential') return meter.createHistogram(instrumentName(kind, name));
  return meter.createHistogram(name, { advice: { explicitBucketBoundaries: BOUNDARIES } });
}

function otelCall(kind: Kind, value: string, attributes?: string): string {
  return `${OTEL_CALLS[kind]}(${value}${attributes === undefined ? '' : `, ${attributes}`})`;
}

async function expectDataPoints(
  reader: Pick<MetricReader, 'collect'>,
  kind: Kind,
  name: string,
  series: number,
): Promise<void> {
  const { resourceMetrics } = await reader.collect();
  const metric = resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .find(({ descriptor }) => descriptor.name === instrumentName(kind, name));
  expectCount(metric?.dataPoints.length, name, series);
}

function expectCount(count: number | undefined, name: string, series: number): void {
  if (count !== series) throw new Error(`${name} has ${count} series where ${series} were recorded`);
}

class PullReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

const readerOptions = { cardinalitySelector: () => CARDINALITY_LIMIT };

/** This package, with more of it than the other two have. */
export interface OwnSubject extends Subject {
  readonly reader: SeqlockMetricReader;
  readonly store: MetricStore;
}

/** What a provider is given besides. */
export interface Setting {
  /** Of this package alone. Default: as the environment says. */
  readonly exemplarFilter?: 'always_off' | 'trace_based';
  readonly views?: ViewOptions[];
  /** Of this package alone: a store directory. Default: a store of this process. */
  readonly directory?: string;
  /** Readers; 1 if left out. Each is collected from. */
  readonly readers?: number;
}

export function ours({ views, readers = 1, exemplarFilter, directory }: Setting = {}): OwnSubject {
  const store = MetricStore.open({
    maxBytes: 512 * 1024 * 1024,
    ...(directory !== undefined && { directory }),
  });
  const reader = new SeqlockMetricReader(readerOptions);
  const more = Array.from({ length: readers - 1 }, () => new SeqlockMetricReader(readerOptions));
  const provider = new SeqlockMeterProvider({
    store,
    readers: [reader, ...more],
    views: withoutLimit([...VIEWS, ...(views ?? [])]),
    ...(exemplarFilter && { exemplarFilter }),
  });
  return {
    contender: 'ours',
    kinds: KINDS,
    reader,
    store,
    create: (kind, name) => otelInstrument(provider, kind, name),
    call: otelCall,
    bind: (instrument, attributes) => bind(instrument as Parameters<typeof bind>[0], attributes),
    collect: () => reader.collect(),
    expectSeries: (kind, name, series) => expectDataPoints(reader, kind, name, series),
    close: async () => {
      await provider.shutdown();
      store.close();
    },
  };
}

export function official({ views, readers = 1 }: Setting = {}): Subject {
  const reader = new PullReader(readerOptions);
  const more = Array.from({ length: readers - 1 }, () => new PullReader(readerOptions));
  const provider = new MeterProvider({
    readers: [reader, ...more],
    views: withoutLimit([...VIEWS, ...(views ?? [])]),
  });
  return {
    contender: 'official',
    kinds: KINDS,
    create: (kind, name) => otelInstrument(provider, kind, name),
    call: otelCall,
    bind: undefined,
    collect: () => reader.collect(),
    expectSeries: (kind, name, series) => expectDataPoints(reader, kind, name, series),
    close: () => provider.shutdown(),
  };
}

export interface PromSubject extends Subject {
  readonly registry: prom.Registry;
}

export const promClient = (): PromSubject => promLike('prom', prom);

/** prom-client's successor has the classes and the calls that prom-client has. */
export const prometheusIoClient = (): Subject => promLike('pio', pio as unknown as typeof prom);

function promLike(contender: 'prom' | 'pio', library: typeof prom): PromSubject {
  const registry = new library.Registry();
  return {
    registry,
    contender,
    kinds: PROM_KINDS,
    create: (kind, name, keys) => {
      const options = { name, help: name, labelNames: [...keys], registers: [registry] };
      if (kind === 'counter') return new library.Counter(options);
      if (kind === 'gauge') return new library.Gauge(options);
      return new library.Histogram({ ...options, buckets: BOUNDARIES });
    },
    call: (kind, value, attributes) =>
      `${PROM_CALLS[kind]}(${attributes === undefined ? '' : `${attributes}, `}${value})`,
    bind: (instrument, attributes) =>
      (instrument as prom.Counter).labels(attributes as prom.LabelValues<string>),
    collect: () => registry.getMetricsAsJSON(),
    expectSeries: async (kind, name, series) => {
      const { values } = await registry.getSingleMetric(name)!.get();
      expectCount(values.length / (kind === 'histogram' ? BOUNDARIES.length + 3 : 1), name, series);
    },
    close: () => {
      registry.clear();
      return Promise.resolve();
    },
  };
}

export const SUBJECTS: readonly (() => Subject)[] = [
  () => ours(),
  () => official(),
  promClient,
  prometheusIoClient,
];
