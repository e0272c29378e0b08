import { setTimeout as wait } from 'node:timers/promises';
import { ValueType, createNoopMeter, type Attributes, type ObservableResult } from '@opentelemetry/api';
import { AggregationTemporality, TimeoutError } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { systemClock } from '../../src/base/platform.ts';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { eventually } from '../support/eventually.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

type Points = readonly (readonly [Attributes, unknown])[];

/** What one collection gives for a metric, and the errors of the whole. */
async function collect(
  { reader }: ProviderUnderTest,
  name: string,
): Promise<{ points: Points; errors: unknown[] }> {
  const { resourceMetrics, errors } = await reader.collect();
  const points = resourceMetrics.scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [attributes, value] as const));
  return { points, errors };
}

const points = async (under: ProviderUnderTest, name: string): Promise<Points> =>
  (await collect(under, name)).points;

describe('observable instruments', () => {
  let log: ReturnType<typeof collectWarnings>;
  beforeEach(() => (log = collectWarnings()));
  afterEach(() => log.stop());
  afterEach(shutDownProviders);

  it('report what their callbacks observe, once a collection', async () => {
    const under = makeProvider();
    let calls = 0;
    const counter = under.meter.createObservableCounter('c');
    counter.addCallback((result) => result.observe(10 * ++calls, { a: 1 }));
    expect(under.points('c'), 'a snapshot calls nobody').to.deep.equal([]);
    expect(await points(under, 'c')).to.deep.equal([[{ a: 1 }, 10]]);
    expect(await points(under, 'c')).to.deep.equal([[{ a: 1 }, 20]]);
    expect(under.value('c'), 'a snapshot has the latest round').to.equal(20);
    expect(calls).to.equal(2);
  });

  it('are sums and gauges of the right kind', async () => {
    const { meter, reader } = makeProvider();
    const observe = (result: ObservableResult): void => result.observe(-1.5);
    meter.createObservableUpDownCounter('u', { unit: 'By', description: 'd' }).addCallback(observe);
    meter.createObservableGauge('g').addCallback(observe);
    meter
      .createObservableGauge('i', { valueType: ValueType.INT })
      .addCallback((result) => result.observe(2.5));
    const { resourceMetrics } = await reader.collect();
    const [up, gauge, integer] = resourceMetrics.scopeMetrics[0]!.metrics;
    expect(up).to.deep.include({ dataPointType: 3, isMonotonic: false });
    expect(up!.descriptor).to.deep.include({
      unit: 'By',
      description: 'd',
      type: 'OBSERVABLE_UP_DOWN_COUNTER',
    });
    expect(gauge!.dataPointType).to.equal(2);
    expect([up, gauge, integer].map((metric) => metric!.dataPoints[0]!.value)).to.deep.equal([-1.5, -1.5, 2]);
  });

  it('no longer report what is no longer observed', async () => {
    const under = makeProvider();
    let present = ['x', 'y'];
    const gauge = under.meter.createObservableGauge('g');
    const callback = (result: ObservableResult): void => present.forEach((id) => result.observe(1, { id }));
    gauge.addCallback(callback);
    expect(await points(under, 'g')).to.have.length(2);
    present = ['y'];
    expect(await points(under, 'g')).to.deep.equal([[{ id: 'y' }, 1]]);
    present = ['x', 'y'];
    expect(await points(under, 'g')).to.have.length(2);
    gauge.removeCallback(callback);
    expect(await points(under, 'g')).to.deep.equal([]);
  });

  it('call a callback once, however often it was added, and none that was removed', async () => {
    const under = makeProvider();
    const counter = under.meter.createObservableCounter('c');
    let calls = 0;
    const callback = (result: ObservableResult): void => result.observe(++calls);
    counter.addCallback(callback);
    counter.addCallback(callback);
    await under.reader.collect();
    expect(calls).to.equal(1);
    counter.removeCallback(callback);
    counter.removeCallback(callback);
    await under.reader.collect();
    expect(calls).to.equal(1);
  });

  it('may add and remove callbacks in a round: it calls all that were there when it began', async () => {
    const under = makeProvider();
    const counter = under.meter.createObservableCounter('c');
    const added = (result: ObservableResult): void => result.observe(1, { callback: 'added' });
    const removing = (result: ObservableResult): void => {
      result.observe(1, { callback: 'removing' });
      counter.removeCallback(removing);
      counter.addCallback(added);
    };
    counter.addCallback(removing);
    counter.addCallback((result) => result.observe(1, { callback: 'next' }));
    expect(await points(under, 'c')).to.deep.equal([
      [{ callback: 'removing' }, 1],
      [{ callback: 'next' }, 1],
    ]);
    expect(await points(under, 'c')).to.deep.equal([
      [{ callback: 'next' }, 1],
      [{ callback: 'added' }, 1],
    ]);
  });

  it('are not heard once their callback has ended, though others of the round have not', async () => {
    const under = makeProvider();
    const [counter, slow] = ['c', 'slow'].map((name) => under.meter.createObservableCounter(name));
    let isOver: () => void;
    const over = new Promise<void>((resolve) => (isOver = resolve));
    counter!.addCallback((result) => {
      result.observe(1);
      setImmediate(() => {
        result.observe(2);
        setImmediate(isOver);
      });
    });
    under.meter.addBatchObservableCallback(
      (result) => void setImmediate(() => result.observe(counter!, 3)),
      [counter!],
    );
    slow!.addCallback(() => over);
    expect(await points(under, 'c')).to.deep.equal([[{}, 1]]);
  });

  it('take the later of two observations with the same attributes', async () => {
    const under = makeProvider();
    const counter = under.meter.createObservableCounter('c');
    counter.addCallback((result) => result.observe(2, { a: 1, b: 2 }));
    counter.addCallback((result) => result.observe(9, { b: 2, a: 1 }));
    expect(await points(under, 'c')).to.deep.equal([[{ a: 1, b: 2 }, 9]]);
    expect(await points(under, 'c')).to.deep.equal([[{ a: 1, b: 2 }, 9]]);
  });

  it('start counting when the instrument is made', async () => {
    const { meter, reader } = makeProvider();
    const before = Date.now();
    meter.createObservableCounter('c').addCallback((result) => result.observe(1));
    const after = Date.now();
    await wait(20);
    for (let i = 0; i < 2; i++) {
      const { startTime } = (await reader.collect()).resourceMetrics.scopeMetrics[0]!.metrics[0]!
        .dataPoints[0]!;
      expect(startTime[0] * 1000 + startTime[1] / 1e6).to.be.within(before, after);
    }
  });

  describe('in batches', () => {
    it('report to the instruments they were registered with, and to no other', async () => {
      const under = makeProvider();
      const [a, b, other] = ['a', 'b', 'other'].map((name) => under.meter.createObservableGauge(name));
      let calls = 0;
      under.meter.addBatchObservableCallback(
        (result) => {
          calls++;
          result.observe(a!, 1);
          result.observe(b!, 2, { x: 1 });
          result.observe(other!, 3);
        },
        [a!, b!],
      );
      expect(await points(under, 'a')).to.deep.equal([[{}, 1]]);
      expect(under.points('b')).to.deep.equal([{ attributes: { x: 1 }, value: 2 }]);
      expect(under.points('other')).to.deep.equal([]);
      expect(calls).to.equal(1);
      expect(log.warnings.join()).to.match(/not registered with/);
    });

    it('can be removed, and ignore instruments of others', async () => {
      const under = makeProvider();
      const gauge = under.meter.createObservableGauge('g');
      let calls = 0;
      const callback = (): void => void calls++;
      under.meter.addBatchObservableCallback(callback, [createNoopMeter().createObservableGauge('n')]);
      expect(log.warnings.join()).to.match(/no observable instrument of this SDK/);
      under.meter.addBatchObservableCallback(callback, [gauge]);
      under.meter.removeBatchObservableCallback(callback, [gauge]);
      await under.reader.collect();
      expect(calls).to.equal(0);
    });

    it('are told apart by the set of their instruments, and from callbacks of one', async () => {
      const under = makeProvider();
      const [a, b] = ['a', 'b'].map((name) => under.meter.createObservableGauge(name));
      let calls = 0;
      const callback = (): void => void calls++;
      under.meter.addBatchObservableCallback(callback, [a!, a!]);
      under.meter.addBatchObservableCallback(callback, [b!, a!]);
      under.meter.addBatchObservableCallback(callback, [a!, b!]);
      a!.addCallback(callback);
      await under.reader.collect();
      expect(calls).to.equal(3);
      under.meter.removeBatchObservableCallback(callback, [a!]);
      under.meter.removeBatchObservableCallback(callback, [a!, b!, b!]);
      await under.reader.collect();
      expect(calls, 'but the one of one').to.equal(4);
    });
  });

  describe('whose callbacks fail', () => {
    it('leave the others as they are; the errors are handed over', async () => {
      const under = makeProvider();
      const gauge = under.meter.createObservableGauge('g');
      const thrown = new Error('thrown');
      const rejected = new Error('rejected');
      gauge.addCallback(() => {
        throw thrown;
      });
      gauge.addCallback(() => Promise.reject(rejected));
      gauge.addCallback((result) => result.observe(1));
      const { points: seen, errors } = await collect(under, 'g');
      expect(seen).to.deep.equal([[{}, 1]]);
      expect(errors).to.deep.equal([thrown, rejected]);
    });

    it('report nothing of what such a callback had observed before', async () => {
      const under = makeProvider();
      const gauge = under.meter.createObservableGauge('g');
      gauge.addCallback((result) => {
        result.observe(1, { a: 1 });
        throw new Error('half done');
      });
      gauge.addCallback(async (result) => {
        result.observe(2, { a: 2 });
        await wait(1);
        throw new Error('half done');
      });
      gauge.addCallback((result) => result.observe(3, { a: 3 }));
      const { points: seen, errors } = await collect(under, 'g');
      expect(seen).to.deep.equal([[{ a: 3 }, 3]]);
      expect(errors).to.have.length(2);
    });

    it('stop being waited for after the time-out, are not heard afterwards, and not called before they end', async () => {
      const under = makeProvider();
      let late: ObservableResult | undefined;
      let end = (): void => {};
      let calls = 0;
      under.meter.createObservableGauge('g').addCallback((result) => {
        calls++;
        late = result;
        result.observe(4);
        return new Promise<void>((resolve) => (end = resolve));
      });
      under.meter.createObservableGauge('other').addCallback((result) => result.observe(1));
      const { errors } = await under.reader.collect({ timeoutMillis: 30 });
      expect(errors).to.have.length(1);
      expect(errors[0]).to.be.instanceOf(TimeoutError).and.to.include({ code: 'E_CALLBACK_TIMEOUT' });
      late!.observe(5);
      for (let i = 0; i < 2; i++) {
        const started = performance.now();
        const again = await under.reader.collect(); // for which it would have seconds
        expect(performance.now() - started).to.be.below(2000);
        expect(again.errors).to.have.length(1);
        expect(again.errors[0]).to.include({ code: 'E_CALLBACK_TIMEOUT' });
        expect(under.metrics().map(({ descriptor }) => descriptor.name)).to.deep.equal(['other']);
      }
      expect(calls).to.equal(1);
      end();
      await wait(1);
      const collecting = under.reader.collect();
      await eventually(async () => (calls === 2 ? true : undefined));
      end();
      expect((await collecting).errors).to.deep.equal([]);
      expect(under.value('g')).to.equal(4);
    });

    it('may record, and collect without end', async () => {
      const under = makeProvider();
      const counter = under.meter.createCounter('c');
      under.meter.createObservableGauge('g').addCallback(async (result) => {
        counter.add(1);
        result.observe(1);
        await under.reader.collect({ timeoutMillis: 20 }); // waits for the collection that waits for this
      });
      const { errors } = await under.reader.collect({ timeoutMillis: 20 });
      expect(errors).to.have.length(1);
      expect(under.value('c')).to.equal(1);
    });

    it('report no value that is none; a counter none below 0', async () => {
      const under = makeProvider();
      const values: unknown[] = ['5', NaN, Infinity, 5n, undefined];
      const counter = under.meter.createObservableCounter('c');
      values.forEach((value, i) => counter.addCallback((result) => result.observe(value as number, { i })));
      counter.addCallback((result) => result.observe(-5, { negative: true }));
      expect(await points(under, 'c')).to.deep.equal([[{ negative: true }, 0]]);
      const gauge = under.meter.createObservableGauge('g');
      gauge.addCallback((result) => result.observe(NaN));
      expect(await points(under, 'g')).to.deep.equal([[{}, NaN]]);
    });
  });

  it('run one round at a time, however many collect at once', async () => {
    const { meter, reader } = makeProvider();
    let running = 0;
    let most = 0;
    let calls = 0;
    meter.createObservableGauge('g').addCallback(async (result) => {
      most = Math.max(most, ++running);
      await wait(10);
      result.observe(++calls);
      running--;
    });
    const collected = await Promise.all([reader.collect(), reader.collect(), reader.collect()]);
    expect(most).to.equal(1);
    expect(calls).to.equal(3);
    expect(collected.map(({ errors }) => errors)).to.deep.equal([[], [], []]);
  });

  it('give each of several collections at once the observations that were made for it', async () => {
    const readers = Array.from({ length: 3 }, () => new SeqlockMetricReader());
    const provider = new SeqlockMeterProvider({ readers });
    let calls = 0;
    const gauge = provider.getMeter('m').createObservableGauge('g');
    gauge.addCallback(async (result) => {
      const call = ++calls;
      await wait(call % 2 === 1 ? 5 : 0);
      result.observe(call, { call });
    });
    const results = await Promise.all(readers.map((reader) => reader.collect()));
    const seen = results.map(({ resourceMetrics }) =>
      resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints.map(({ value }) => value),
    );
    expect(seen).to.deep.equal([[1], [2], [3]]);
    await provider.shutdown();
  });

  it('count what exceeds the cardinality limit in the overflow series, each time anew', async () => {
    const under = makeProvider({ cardinalitySelector: () => 3 });
    under.meter.createObservableCounter('c').addCallback((result) => {
      for (let id = 0; id < 10; id++) result.observe(id, { id });
    });
    for (let i = 0; i < 3; i++) {
      const seen = await points(under, 'c');
      expect(seen).to.have.length(4);
      expect(seen.reduce((sum, [, value]) => sum + (value as number), 0)).to.equal(45);
    }
  });

  it('start anew where a total was set back, when the reader collected before; other readers see it themselves', async () => {
    const realNow = systemClock.now;
    let now = 10_000;
    let value = 0;
    systemClock.now = () => now;
    const [often, once] = [new SeqlockMetricReader(), new SeqlockMetricReader()];
    const provider = new SeqlockMeterProvider({ readers: [often, once] });
    try {
      const meter = provider.getMeter('m');
      for (const counter of [meter.createObservableCounter('c'), meter.createObservableUpDownCounter('u')])
        for (const set of Array.from({ length: 20 }, (_, i) => i))
          counter.addCallback((result) => result.observe(set === 15 ? value : 7, { set }));
      const starts = async (reader: SeqlockMetricReader): Promise<unknown[]> => {
        now += 1000;
        const { resourceMetrics } = await reader.collect();
        const [counter, upDown] = resourceMetrics.scopeMetrics[0]!.metrics;
        const others = [...counter!.dataPoints.filter((_, i) => i !== 15), ...upDown!.dataPoints];
        expect(new Set(others.map(({ startTime }) => startTime[0]))).to.deep.equal(new Set([10]));
        return [counter!.dataPoints[15]!.value, counter!.dataPoints[15]!.startTime[0]];
      };
      for (const [next, start] of [
        [5, 10],
        [9, 10],
        [2, 12],
        [2, 12],
        [8, 12],
        [0, 15],
      ] as const) {
        value = next;
        expect(await starts(often)).to.deep.equal([next, start]);
      }
      expect(await starts(once)).to.deep.equal([0, 10]);
    } finally {
      systemClock.now = realNow;
      await provider.shutdown();
    }
  });

  describe('under delta temporality', () => {
    const delta = { aggregationTemporalitySelector: () => AggregationTemporality.DELTA };

    it('give what changed since the reader asked before; a counter that fell was set back', async () => {
      const under = makeProvider(delta);
      let value = 0;
      const observe = (result: ObservableResult): void => result.observe(value, { a: 1 });
      under.meter.createObservableCounter('c').addCallback(observe);
      under.meter.createObservableUpDownCounter('u').addCallback(observe);
      under.meter.createObservableGauge('g').addCallback(observe);
      const told: unknown[][] = [];
      for (value of [10, 10, 25, 4, 6]) {
        const { resourceMetrics } = await under.reader.collect();
        told.push(resourceMetrics.scopeMetrics[0]!.metrics.map(({ dataPoints }) => dataPoints[0]!.value));
      }
      expect(told).to.deep.equal([
        [10, 10, 10],
        [0, 0, 10],
        [15, 15, 25],
        [4, -21, 4],
        [2, 2, 6],
      ]);
    });

    it('leave out what was not observed, and go on from what was told last', async () => {
      const under = makeProvider(delta);
      let value: number | undefined;
      under.meter.createObservableCounter('c').addCallback((result) => {
        if (value !== undefined) result.observe(value);
      });
      const told: unknown[] = [];
      for (value of [10, undefined, 15, undefined, undefined, 15])
        told.push((await points(under, 'c')).map(([, change]) => change));
      expect(told).to.deep.equal([[10], [], [5], [], [], [0]]);
    });

    it('give each reader its own', async () => {
      const [first, second] = [new SeqlockMetricReader(delta), new SeqlockMetricReader(delta)];
      const cumulative = new SeqlockMetricReader();
      const provider = new SeqlockMeterProvider({ readers: [first, second, cumulative] });
      let calls = 0;
      provider
        .getMeter('m')
        .createObservableCounter('c')
        .addCallback((result) => result.observe(10 * ++calls));
      const value = async (reader: SeqlockMetricReader): Promise<unknown> =>
        (await reader.collect()).resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.value;
      expect(await value(first)).to.equal(10);
      expect(await value(first)).to.equal(10);
      expect(await value(second)).to.equal(30);
      expect(await value(first)).to.equal(20);
      expect(await value(cumulative)).to.equal(50);
      expect(await value(second)).to.equal(30);
      await provider.shutdown();
    });
  });
});
