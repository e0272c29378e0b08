import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { JsonMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { expect } from 'chai';
import { SeqlockMeterProvider, SeqlockMetricProducer, SeqlockMetricReader } from '../../src/index.ts';
import { SelfMetrics, type SelfMetric, type SelfPoint } from '../../src/collect/self-metrics.ts';
import type { ResourceMetrics } from '../../src/index.ts';
import { MetricStore } from '../../src/state/store.ts';
import { parseStrictly } from '../export/strict-parser.ts';
import { counter, gauge, histogram } from '../support/descriptions.ts';
import { needsProc } from '../support/marks.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { TestReader } from '../support/readers.ts';
import { bury, newWriter } from '../support/writers.ts';
import { recordTo } from '../support/record-to.ts';

/** The values of our own metrics: by name, then by attribute value, '' where a metric has one point without attributes. */
function own({ scopeMetrics }: ResourceMetrics): Record<string, Record<string, unknown>> {
  const metrics = scopeMetrics
    .filter(({ scope }) => scope.name === 'seqlock-metrics')
    .flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      Object.fromEntries(
        dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(), value]),
      ),
    ]),
  );
}

interface OtlpScope {
  readonly scope: { readonly name: string };
  readonly metrics: readonly {
    readonly name: string;
    readonly sum?: { readonly aggregationTemporality: number };
  }[];
}

/** A store, and its own metrics as a reader without any provider sees them. */
function openStore(): { readonly store: MetricStore; look(): Record<string, Record<string, unknown>> } {
  const store = MetricStore.create({ maxBytes: 2 ** 20 });
  store.close(); // not to be published
  const producer = new SeqlockMetricProducer(store, { selfMetrics: true });
  return { store, look: () => own(producer.snapshot()) };
}

describe('our own metrics', () => {
  afterEach(shutDownProviders);

  it('are reported on request only, in snapshots, texts and JSON', () => {
    const off = makeProvider();
    off.meter.createCounter('c').add(1);
    expect(off.metrics().map(({ descriptor }) => descriptor.name)).to.deep.equal(['c']);
    const { reader, meter } = makeProvider(undefined, { selfMetrics: true });
    meter.createCounter('c').add(1);
    const names = Object.keys(own(reader.snapshot()));
    expect(names).to.include.members(['seqlock.reader.reads', 'seqlock.memory.used', 'seqlock.writers']);
    expect(names.filter((name) => !name.startsWith('seqlock.'))).to.deep.equal([]);
    for (let i = 0; i < 2; i++) {
      const families = parseStrictly(reader.exportPrometheus(), 'text');
      expect(families.get('c_total')!.samples[0]!.value).to.equal(1);
      expect(families.get('seqlock_writers')!.samples).to.have.length(2);
      expect(families.get('seqlock_memory_limit_bytes')!.samples[0]!.value).to.equal(2 ** 26);
      expect(families.get('seqlock_reader_reads_total')!.samples).to.have.length(3);
    }
    expect(JSON.stringify(reader.exportJson())).to.include('seqlock.memory.used');
  });

  it('go through the official OTLP serializer', async () => {
    const reader = new TestReader();
    const provider = opened({ readers: [reader], selfMetrics: true });
    provider.getMeter('m').createCounter('c').add(1);
    const { resourceMetrics } = await reader.collect();
    const text = Buffer.from(JsonMetricsSerializer.serializeRequest(resourceMetrics)!).toString();
    const { scopeMetrics } = (JSON.parse(text) as { resourceMetrics: { scopeMetrics: OtlpScope[] }[] })
      .resourceMetrics[0]!;
    const own = scopeMetrics.find(({ scope }) => scope.name === 'seqlock-metrics')!.metrics;
    const sums = own.flatMap(({ name, sum }) =>
      sum === undefined ? [] : [[name, sum.aggregationTemporality]],
    );
    expect(sums).to.deep.include(['seqlock.reader.reads', 2]);
    expect(sums.every(([, temporality]) => temporality === 2)).to.equal(true);
    await shutDownOpened();
  });

  it('tell reads by their outcome, and the time they took', () => {
    const { reader, meter } = makeProvider(undefined, { selfMetrics: true });
    for (let i = 0; i < 7; i++) meter.createCounter('c').add(1, { i });
    for (let n = 1; n <= 3; n++) {
      const { 'seqlock.reader.reads': reads, 'seqlock.reader.time': time } = own(reader.snapshot());
      expect(reads).to.deep.equal({ first_try: 7 * n, retried: 0, stale: 0 });
      expect(time!['']).to.equal(reader.readStats().totalReadNanos / 1e9);
    }
  });

  it('are deltas for a reader that selects them, levels and gauges by its choice', async () => {
    const { reader, meter } = makeProvider(
      {
        aggregationTemporalitySelector: (kind) =>
          String(kind).endsWith('UP_DOWN_COUNTER')
            ? AggregationTemporality.CUMULATIVE
            : AggregationTemporality.DELTA,
      },
      { selfMetrics: true },
    );
    const counter = meter.createCounter('c');
    const told: unknown[] = [];
    for (let n = 1; n <= 3; n++) {
      reader.snapshot(); // reads as well, and is told of
      counter.add(1);
      const { resourceMetrics } = await reader.collect();
      const metrics = own(resourceMetrics as never);
      told.push(metrics['seqlock.reader.reads']!['first_try'], metrics['seqlock.memory.limit']!['']);
      const reads = resourceMetrics.scopeMetrics
        .flatMap((scope) => scope.metrics)
        .find(({ descriptor }) => descriptor.name === 'seqlock.reader.reads')!;
      expect(reads.aggregationTemporality).to.equal(AggregationTemporality.DELTA);
    }
    // The first snapshot finds nothing; each later one a counter to read, as each collection does.
    expect(told).to.deep.equal([1, 2 ** 26, 2, 2 ** 26, 2, 2 ** 26]);
  });

  it('tell memory as the store does', () => {
    const { store, look } = openStore();
    const before = look();
    recordTo(newWriter(store.region).stream(counter('c'), 10), 1, undefined);
    const after = look();
    expect(after['seqlock.memory.used']).to.deep.equal({ '': store.usedBytes });
    expect(store.usedBytes).to.be.above(before['seqlock.memory.used']!['']! as number);
    expect(after['seqlock.memory.reserved']).to.deep.equal({ '': store.region.byteLength });
    expect(after['seqlock.memory.limit']).to.deep.equal({ '': 2 ** 20 });
    store.region.countLost();
    expect(look()['seqlock.lost.measurements']).to.deep.equal({ '': 1 });
  });

  it('tell live writers from dead ones, and count take-overs', function () {
    needsProc.call(this);
    const { store, look } = openStore();
    const writers = () => [look()['seqlock.writers'], look()['seqlock.writer.adoptions']];
    expect(writers()).to.deep.equal([{ live: 0, dead: 0 }, { '': 0 }]);
    const [one, two] = [newWriter(store.region), newWriter(store.region)];
    expect(writers()).to.deep.equal([{ live: 2, dead: 0 }, { '': 0 }]);
    bury(one);
    bury(two);
    expect(writers()).to.deep.equal([{ live: 0, dead: 2 }, { '': 0 }]);
    newWriter(store.region);
    expect(writers()).to.deep.equal([{ live: 1, dead: 1 }, { '': 1 }]);
  });

  it('count every measurement that went to an overflow series, by metric', () => {
    const { store, look } = openStore();
    const writer = newWriter(store.region);
    const requests = writer.stream(counter('requests'), 2);
    const sizes = writer.stream(histogram('sizes', [1]), 1);
    const level = writer.stream(gauge('level'), 5);
    expect(look()).to.not.have.property('seqlock.overflow.measurements'); // nothing is in overflow
    for (let i = 0; i < 10; i++) {
      recordTo(requests, 5, { i: i % 5 });
      recordTo(sizes, i, { i: i % 2 });
      recordTo(level, 1, { i: i % 5 });
    }
    for (let n = 0; n < 2; n++) {
      expect(look()['seqlock.overflow.measurements']).to.deep.equal({ requests: 6, sizes: 5 });
      expect(look()['seqlock.overflow.series']).to.deep.equal({ requests: 1, sizes: 1 });
    }
    recordTo(requests, 1, { i: 99 });
    expect(look()['seqlock.overflow.measurements']).to.deep.equal({ requests: 7, sizes: 5 });
  });

  it('go on counting overflow where a cell version wraps', () => {
    const { store, look } = openStore();
    const requests = newWriter(store.region).stream(counter('requests'), 1);
    for (let i = 0; i < 3; i++) recordTo(requests, 1, { i });
    expect(look()['seqlock.overflow.measurements']).to.deep.equal({ requests: 2 });
    const cell = requests.overflowCell;
    store.region.words[cell << 1] = -1; // 2^32 - 3 more
    expect(look()['seqlock.overflow.measurements']).to.deep.equal({ requests: 2 ** 32 - 1 });
    recordTo(requests, 1, { i: 3 });
    expect(look()['seqlock.overflow.measurements']).to.deep.equal({ requests: 2 ** 32 });
  });

  it('keep their rows and attributes from one snapshot to the next, whatever comes and goes', () => {
    let points: readonly SelfPoint[] = [];
    const metric: SelfMetric = {
      name: 'm',
      description: '',
      unit: '1',
      kind: 'gauge',
      start: 1000,
      read: () => points,
    };
    const metrics = new SelfMetrics([metric]);
    expect(metrics.columns(2000)).to.deep.equal([]);
    points = [1, 2].map((value) => ({ value, attributes: { a: value } }));
    const [column] = metrics.columns(2000);
    const [first, second] = column!.attributes;
    points = [{ value: 2, attributes: { a: 2 } }];
    expect(metrics.columns(2000)[0]).to.equal(column);
    expect([column!.rows, column!.values[0]]).to.deep.equal([1, 2]);
    expect(column!.attributes[0]).to.equal(second);
    points = [1, 2].map((value) => ({ value, attributes: { a: value } }));
    metrics.columns(2000);
    expect(column!.attributes[0]).to.equal(first);
  });

  it('refuses an option that is none', () => {
    expect(() => new SeqlockMeterProvider({ selfMetrics: 1 as never, readers: [new SeqlockMetricReader()] }))
      .to.throw('selfMetrics is 1; it must be true or false')
      .with.property('code', 'E_OPTION');
  });
});
