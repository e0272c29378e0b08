import { createNoopMeter, type Attributes } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { remove, SeqlockMeterProvider, type SeqlockMeterProviderOptions } from '../../src/index.ts';
import { MetricSource } from '../../src/collect/metric-source.ts';
import { DataPoints } from '../../src/export/data-points.ts';
import { eventually } from '../support/eventually.ts';
import { endThreads, Thread } from '../support/threads.ts';

describe('remove', () => {
  let provider: SeqlockMeterProvider;
  const make = (options?: SeqlockMeterProviderOptions): ReturnType<SeqlockMeterProvider['getMeter']> => {
    provider = new SeqlockMeterProvider(options);
    source = new MetricSource(provider.store);
    return provider.getMeter('threads');
  };
  let source: MetricSource;
  const points = async (): Promise<Record<string, [unknown, unknown][]>> => {
    const { taken } = await source.collect(undefined, new DataPoints());
    return Object.fromEntries(
      taken.scopeMetrics.flatMap(({ metrics }) =>
        metrics.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          (dataPoints as { attributes: Attributes; value: unknown }[]).map(({ attributes, value }) => [
            attributes['k'],
            (value as { count?: number }).count ?? value,
          ]),
        ]),
      ),
    ) as Record<string, [unknown, unknown][]>;
  };
  afterEach(async () => {
    await endThreads();
    await provider?.shutdown();
  });

  it('ends one series of every kind of instrument, and clear ends all', async () => {
    const meter = make({ views: [{ instrumentName: 'e', aggregation: { type: 4 } }] });
    const [c, u] = [meter.createCounter('c'), meter.createUpDownCounter('u')];
    const [g, h, e] = [meter.createGauge('g'), meter.createHistogram('h'), meter.createHistogram('e')];
    const record = (attributes: Attributes): void => {
      for (const one of [c, u]) one.add(1, attributes);
      for (const one of [g, h, e]) one.record(1, attributes);
    };
    const all = [c, u, g, h, e];
    for (const k of ['a', 'b', 'a']) record({ k });
    for (const one of all) expect(remove(one, { k: 'a' })).to.equal(true);
    expect(await points()).to.deep.equal(
      Object.fromEntries(['c', 'u', 'g', 'h', 'e'].map((name) => [name, [['b', 1]]])),
    );
    record({ k: 'a' });
    expect((await points())['c']).to.deep.equal([
      ['b', 1],
      ['a', 1],
    ]);
    for (const one of all) one.clear();
    expect(await points()).to.deep.equal({});
    record({});
    expect(await points()).to.deep.equal(
      Object.fromEntries(['c', 'u', 'g', 'h', 'e'].map((name) => [name, [[undefined, 1]]])),
    );
    for (const one of all) remove(one);
    expect(await points()).to.deep.equal({});
  });

  it('makes room within the cardinality limit, and lets a bound instrument go on from zero', async () => {
    const counter = make({ views: [{ instrumentName: 'c', aggregationCardinalityLimit: 2 }] }).createCounter(
      'c',
    );
    const bound = counter.bind({ k: 'a' });
    bound.add(5);
    counter.add(1, { k: 'b' });
    counter.remove({ k: 'b' });
    for (let round = 0; round < 50; round++) {
      counter.add(1, { k: round });
      expect((await points())['c']).to.deep.equal([
        ['a', 5],
        [round, 1],
      ]);
      counter.remove({ k: round });
    }
    counter.remove({ k: 'a' });
    expect(await points()).to.deep.equal({});
    bound.add(2);
    counter.add(1, { k: 'a' });
    expect((await points())['c']).to.deep.equal([['a', 3]]);
  });

  it('takes no memory to clear what was never recorded to', async () => {
    const meter = make({ views: [{ instrumentName: 'e', aggregation: { type: 4 } }] });
    const histogram = meter.createHistogram('e');
    const bound = histogram.bind({ k: 'a' });
    const { usedBytes } = provider.store;
    for (let i = 0; i < 100; i++) histogram.clear();
    expect(provider.store.usedBytes).to.equal(usedBytes);
    bound.record(1);
    expect((await points())['e']).to.deep.equal([['a', 1]]);
    histogram.clear();
    expect(await points()).to.deep.equal({});
    bound.record(1);
    expect((await points())['e']).to.deep.equal([['a', 1]]);
  });

  it('begins anew with a new start time', async () => {
    const counter = make().createCounter('c');
    const start = async (): Promise<number> => {
      const { taken } = await source.collect(undefined, new DataPoints());
      const [seconds, nanos] = taken.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.startTime;
      return 1e3 * seconds + nanos / 1e6;
    };
    counter.add(1);
    const before = await start();
    counter.remove();
    const removed = Date.now();
    counter.add(1);
    expect(await start())
      .to.be.at.least(removed)
      .and.at.least(before);
  });

  it('takes attributes as the views of the instrument do', async () => {
    const counter = make({
      views: [
        { instrumentName: 'c', name: 'kept', attributeKeys: ['k'] },
        {
          instrumentName: 'c',
          name: 'made',
          attributesProcessors: [{ process: ({ k }) => ({ k: `made of ${String(k)}` }) }],
        },
      ],
    }).createCounter('c');
    for (const k of ['a', 'b']) counter.add(1, { k, other: 1 });
    counter.remove({ k: 'a', other: 2 });
    expect(await points()).to.deep.equal({ kept: [['b', 1]], made: [['made of b', 1]] });
  });

  it('ends an observed series until it is observed again', async () => {
    const meter = make();
    const gauge = meter.createObservableGauge('o');
    let sets = ['a', 'b'];
    gauge.addCallback((result) => {
      for (const k of sets) result.observe(7, { k });
    });
    expect((await points())['o']).to.have.length(2);
    sets = ['b'];
    remove(gauge, { k: 'a' });
    remove(gauge, { k: 'b' });
    expect((await points())['o']).to.deep.equal([['b', 7]]);
  });

  it('ends series in all threads: another thread lets go of them when its event loop turns', async () => {
    const counter = make().createCounter('c');
    const thread = new Thread();
    const record = (): Promise<unknown> =>
      thread.ask({
        do: 'record',
        recordings: [{ kind: 'counter', name: 'c', attributes: { k: 'a' }, values: [1], times: 3 }],
      });
    await record();
    counter.add(1, { k: 'b' });
    expect((await points())['c']).to.have.deep.members([
      ['a', 3],
      ['b', 1],
    ]);
    counter.remove({ k: 'a' });
    expect((await points())['c']).to.deep.equal([['b', 1]]);
    await eventually(async () => {
      await record();
      expect((await points())['c']).to.deep.include(['a', 3]);
      return true;
    });
    counter.clear();
    expect(await points()).to.deep.equal({});
  });

  it('leaves instruments of others alone, and throws where there is none', async () => {
    make();
    const other = new MeterProvider();
    expect(remove(other.getMeter('m').createCounter('c'))).to.equal(false);
    expect(remove(createNoopMeter().createObservableGauge('g'))).to.equal(false);
    for (const none of [undefined, null, {}, 1]) expect(() => remove(none as never)).to.throw(TypeError);
    await provider.shutdown();
    const late = provider.getMeter('m').createCounter('c');
    late.remove();
    late.clear();
    await other.shutdown();
  });
});
