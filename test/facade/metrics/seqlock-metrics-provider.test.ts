import { AggregationType, InstrumentType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import {
  MetricStore,
  OptionError,
  SeqlockMeterProvider,
  SeqlockMetricsProvider,
} from '../../../src/index.ts';
import { needsProc } from '../../support/marks.ts';
import { endMetricsThreads, MetricsThread } from '../../support/metrics-thread.ts';
import { TestReader } from '../../support/readers.ts';
import { sharedWord } from '../../support/threads.ts';
import { collectWarnings } from '../../support/warnings.ts';

const made: SeqlockMetricsProvider[] = [];

function make(...options: ConstructorParameters<typeof SeqlockMetricsProvider>): SeqlockMetricsProvider {
  const provider = new SeqlockMetricsProvider(...options);
  made.push(provider);
  return provider;
}

describe('SeqlockMetricsProvider', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(endMetricsThreads);
  afterEach(() => Promise.all(made.splice(0).map((provider) => provider.shutdown())));

  it('makes its metrics as instruments of a SeqlockMeterProvider, whose readers have them too', async () => {
    const reader = new TestReader();
    const metrics = make({ readers: [reader], resource: { attributes: { app: 'a' } } });
    expect(metrics.meterProvider).to.be.instanceOf(SeqlockMeterProvider);
    metrics.counter('c_total', 'Counted').labels({ a: 'b' }).inc();
    metrics.gauge('g', 'Level').set(3);
    metrics.meterProvider.getMeter('other').createCounter('d').add(1);
    const { resourceMetrics } = await reader.collect();
    expect(resourceMetrics.resource.attributes).to.deep.equal({ app: 'a' });
    const [own, other] = resourceMetrics.scopeMetrics;
    expect(
      own!.metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        descriptor.description,
        (descriptor as unknown as { type: string }).type,
        dataPoints[0]!.attributes,
        dataPoints[0]!.value,
      ]),
    ).to.deep.equal([
      ['c_total', 'Counted', 'COUNTER', { a: 'b' }, 1],
      ['g', 'Level', 'GAUGE', {}, 3],
    ]);
    expect(other!.metrics[0]!.descriptor.name).to.equal('d');
    expect(metrics.exportPrometheus())
      .to.match(/^c_total\{a="b"\} 1$/m)
      .and.to.match(/^d_total\{otel_scope_name="other"\} 1$/m);
    expect(metrics.exportJson().scopes.map(({ name }) => name)).to.deep.equal([own!.scope.name, 'other']);
    expect(metrics.exportJson().resource.attributes).to.deep.equal({ app: 'a' });
  });

  it('reads the same in every thread, over all threads, and keeps what ended threads recorded', async function () {
    needsProc.call(this);
    const metrics = make();
    const counter = metrics.counter('jobs_total', 'Jobs');
    const gauge = metrics.gauge('level', 'Level');
    const histogram = metrics.histogram('size', 'Size', [1, 10, 100]);
    counter.incBy(5);
    const threads = [new MetricsThread(), new MetricsThread(), new MetricsThread()];
    await Promise.all(threads.map((thread) => thread.ask({ do: 'record', times: 10_000 })));
    const expected = { counter: 30_005, gauge: 30_000, count: 30_000 };
    const readHere = (): typeof expected => ({
      counter: counter.value(),
      gauge: gauge.value(),
      count: histogram.stats().count,
    });
    expect(readHere()).to.deep.equal(expected);
    for (const thread of threads) expect(await thread.ask({ do: 'read' })).to.deep.equal(expected);
    const { sum, min, max, buckets } = histogram.stats();
    expect({ sum, min, max }).to.deep.equal({ sum: 30_000 * 99.5, min: 0, max: 199 });
    expect(buckets.map(({ cumulativeCount }) => cumulativeCount)).to.deep.equal([300, 1650, 15_150, 30_000]);
    await Promise.all(threads.map((thread) => thread.terminate()));
    expect(readHere()).to.deep.equal(expected);
    const heir = new MetricsThread();
    await heir.ask({ do: 'record', times: 1 });
    expect(await heir.ask({ do: 'read' })).to.deep.equal({ counter: 30_006, gauge: 30_001, count: 30_001 });
    expect(readHere()).to.deep.equal({ counter: 30_006, gauge: 30_001, count: 30_001 });
  });

  it('has one gauge for all threads: a set takes the place of what others set and added, and they add to it', async () => {
    const metrics = make();
    const gauge = metrics.gauge('level', 'Level');
    const [one, two] = [new MetricsThread(), new MetricsThread()];
    gauge.set(0.3);
    await one.ask({ do: 'add', value: 1 });
    await two.ask({ do: 'add', value: 2 });
    expect(gauge.value()).to.equal(3.3);
    await two.ask({ do: 'set', value: 0.1 });
    expect(gauge.value()).to.equal(0.1);
    await one.ask({ do: 'add', value: 5 });
    gauge.dec(2);
    expect(gauge.value()).to.be.closeTo(3.1, 1e-12);
    expect(metrics.exportPrometheus()).to.match(/^level 3\.1/m);
    gauge.set(-7);
    expect((await one.ask<{ gauge: number }>({ do: 'read' })).gauge).to.equal(-7);
  });

  it('loses no addition of threads that add at once', async () => {
    const metrics = make();
    const gauge = metrics.gauge('level', 'Level');
    const stop = sharedWord();
    const threads = [new MetricsThread(), new MetricsThread()];
    const done = threads.map((thread) => thread.ask<number>({ do: 'add until told', stop }));
    let own = 0;
    const end = performance.now() + 300;
    while (performance.now() < end || gauge.value() === own) {
      gauge.inc(1);
      own++;
      if (own % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    Atomics.store(stop, 0, 1);
    const added = (await Promise.all(done)).reduce((a, b) => a + b, own);
    expect(gauge.value()).to.equal(added);
  });

  it('never shows additions without the set they were made to, while one thread sets and others add', async () => {
    const metrics = make();
    const gauge = metrics.gauge('level', 'Level');
    const STEP = 2 ** 32; // no thread adds as much between two sets
    const stop = sharedWord();
    const threads = [new MetricsThread(), new MetricsThread()];
    await Promise.all(threads.map((thread) => thread.ask({ do: 'read' })));
    const done = [
      threads[0]!.ask<number>({ do: 'set until told', step: STEP, stop }),
      threads[1]!.ask<number>({ do: 'add until told', stop }),
    ];
    let sets = 0;
    const end = performance.now() + 300;
    const deadline = performance.now() + 20_000;
    while (performance.now() < end || (sets === 0 && performance.now() < deadline)) {
      for (let i = 0; i < 500; i++) {
        const value = gauge.value();
        const set = Math.floor(value / STEP);
        expect(set, 'sets go back').to.be.at.least(sets);
        sets = set;
        expect(value - set * STEP).to.be.below(1e9);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    Atomics.store(stop, 0, 1);
    const [made] = await Promise.all(done);
    expect(Math.floor(gauge.value() / STEP)).to.equal(made);
  });

  it('keeps account of its reads', () => {
    const metrics = make();
    const counter = metrics.counter('c', '');
    expect(metrics.readStats()).to.deep.equal({
      totalReads: 0,
      fastPathReads: 0,
      retryReads: 0,
      staleReads: 0,
      totalReadNanos: 0,
    });
    counter.inc();
    for (let i = 0; i < 10_000; i++) counter.value();
    metrics.gauge('g', '').value();
    metrics.histogram('h', '').stats();
    const { totalReadNanos, ...reads } = metrics.readStats();
    expect(reads.totalReads).to.be.within(10_000, 10_002); // of what was never recorded to, nothing need be read
    expect(reads).to.deep.include({ fastPathReads: reads.totalReads, retryReads: 0, staleReads: 0 });
    expect(totalReadNanos).to.be.above(0);
  });

  it('shares a store that it is given', () => {
    const store = MetricStore.open({ maxBytes: 2 ** 20 });
    const [one, two] = [make({ store }), make({ store })];
    one.counter('c', '').inc(2);
    two.counter('c', '').inc(3);
    expect(one.counter('c', '').value()).to.equal(5);
    expect(two.exportPrometheus()).to.equal('# TYPE c counter\nc 5\n');
    store.close();
  });

  it('refuses wrong options', () => {
    expect(() => make({ store: 7 as never })).to.throw(OptionError, 'store is 7');
    expect(() => make({ readers: {} as never })).to.throw(OptionError, 'readers is {}');
    expect(() => make({ views: [] } as never)).to.throw(OptionError, 'views of a metrics provider');
    expect(MetricStore.published()).to.equal(undefined);
  });

  it('warns where readers want another aggregation than stats() reads', () => {
    const { warnings, stop } = collectWarnings();
    const exponential = new TestReader({
      aggregationSelector: () => ({ type: AggregationType.EXPONENTIAL_HISTOGRAM }),
    });
    make({ readers: [exponential, new TestReader()] });
    expect(warnings.filter((text) => text.includes('stats()'))).to.deep.equal([]);
    const other = new TestReader({
      aggregationSelector: (kind) => ({
        type:
          kind === InstrumentType.HISTOGRAM ? AggregationType.EXPONENTIAL_HISTOGRAM : AggregationType.DEFAULT,
      }),
    });
    const metrics = make({ readers: [other] });
    expect(warnings.filter((text) => text.includes('stats()'))).to.deep.equal([
      'seqlock-metrics: the readers of the store select the aggregation exponential-histogram for histograms, from which stats() cannot be computed: it returns no values. Give the metrics provider a store of its own, or a reader with the default aggregation',
    ]);
    metrics.histogram('h', '', [1]).observe(1);
    expect(metrics.histogram('h', '', [1]).stats().count).to.equal(0);
    stop();
  });
});
