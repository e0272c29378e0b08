import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { MetricStore } from '../../src/index.ts';
import { ring } from '../../src/memory/doorbell.ts';
import { needsProc } from '../support/marks.ts';
import { eventually } from '../support/eventually.ts';
import type { Block, Observation, Observed } from '../support/observing-thread.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import { sharedWord } from '../support/threads.ts';

const workers = new Set<Worker>();

async function observing(...observations: Observation[]): Promise<Worker> {
  const worker = new Worker(new URL('../support/observing-thread.js', import.meta.url), {
    workerData: observations,
  });
  workers.add(worker);
  await once(worker, 'message');
  return worker;
}

/** Blocks a worker's loop for a minute; returns what ends that. */
async function block(worker: Worker): Promise<() => void> {
  const until = sharedWord();
  worker.postMessage({ blockMillis: 60_000, until } satisfies Block);
  await once(worker, 'message');
  return () => {
    Atomics.store(until, 0, 1);
    Atomics.notify(until, 0);
  };
}

async function tell(worker: Worker): Promise<Observed> {
  const reply = once(worker, 'message');
  worker.postMessage('tell');
  return ((await reply) as [Observed])[0];
}

/** The values of a metric after a collection, by attributes. */
async function collected({ reader, points }: ProviderUnderTest, name: string): Promise<unknown> {
  const { errors } = await reader.collect();
  expect(errors).to.deep.equal([]);
  return Object.fromEntries(points(name).map(({ attributes, value }) => [JSON.stringify(attributes), value]));
}

describe('observable instruments of several threads', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(async () => {
    await Promise.all([...workers].map((worker) => worker.terminate()));
    workers.clear();
  });
  afterEach(shutDownProviders);

  it('are asked by the reader of another thread; sums add up', async () => {
    const under = makeProvider();
    under.meter.createObservableCounter('unused');
    await observing(
      { kind: 'Counter', name: 'c', value: 5 },
      { kind: 'Gauge', name: 'g', value: 1, attributes: { t: 1 } },
    );
    await observing(
      { kind: 'Counter', name: 'c', value: 7 },
      { kind: 'Gauge', name: 'g', value: 2, attributes: { t: 2 } },
    );
    for (let i = 0; i < 3; i++) {
      expect(await collected(under, 'c')).to.deep.equal({ '{}': 12 });
      expect(await collected(under, 'g')).to.deep.equal({ '{"t":1}': 1, '{"t":2}': 2 });
    }
  });

  it('keep their last values while their thread is blocked, and the reader does not wait for long', async () => {
    const under = makeProvider();
    const worker = await observing({ kind: 'Gauge', name: 'g', value: 4 });
    expect(await collected(under, 'g')).to.deep.equal({ '{}': 4 });
    await block(worker);
    const started = performance.now();
    for (let i = 0; i < 5; i++) expect(await collected(under, 'g')).to.deep.equal({ '{}': 4 });
    expect(
      performance.now() - started,
      'five collections, of a thread that is blocked for a minute',
    ).to.be.below(30_000);
  });

  it('of a thread that is blocked are told in our own metrics, until it answers again or ends', async function () {
    needsProc.call(this);
    const under = makeProvider(undefined, { selfMetrics: true });
    const answers = async (): Promise<unknown[]> => {
      await under.reader.collect();
      return ['seqlock.observation.silent_writers', 'seqlock.observation.timeouts'].map(under.value);
    };
    const worker = await observing({ kind: 'Gauge', name: 'g', value: 4 });
    const other = await observing({ kind: 'Gauge', name: 'h', value: 4 });
    expect(await answers()).to.deep.equal([0, 0]);
    const unblock = await block(worker);
    await block(other);
    expect(await answers()).to.deep.equal([2, 2]);
    await other.terminate();
    unblock();
    await eventually(async () => ((await answers())[0] === 0 ? true : undefined));
  });

  it('whose callbacks throw or record: the others count, and the error is said in their thread', async () => {
    const under = makeProvider();
    const worker = await observing(
      { kind: 'Gauge', name: 'bad', value: 1, afterwards: 'throw' },
      { kind: 'Gauge', name: 'good', value: 2, afterwards: 'record' },
    );
    for (let i = 1; i <= 3; i++) {
      expect(await collected(under, 'bad'), 'observed before it threw').to.deep.equal({});
      expect(await collected(under, 'good')).to.deep.equal({ '{}': 2 });
      expect(under.value('recorded')).to.equal(2 * i);
    }
    const { warnings } = await tell(worker);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/when another thread collected metrics: Error: bad on purpose/);
  });

  it('whose callbacks never return are waited for once, and called once; the others count', async () => {
    const under = makeProvider(undefined, { selfMetrics: true });
    const worker = await observing(
      { kind: 'Gauge', name: 'bad', value: 1, afterwards: 'hang' },
      { kind: 'Gauge', name: 'good', value: 2 },
    );
    await Promise.all(Array.from({ length: 5 }, () => under.reader.collect()));
    await eventually(async () => {
      expect(await collected(under, 'good')).to.deep.equal({ '{}': 2 });
      return under.value('seqlock.observation.silent_writers') === 0 ? true : undefined;
    });
    const { warnings, calls } = await tell(worker);
    expect(calls['bad']).to.equal(1);
    expect(calls['good']).to.be.at.least(2);
    expect(warnings.join()).to.match(/did not end within 800 ms.*is still running/s);
  });

  it('that are asked again while a round runs answer all of it with one more', async () => {
    const { provider } = makeProvider();
    for (let attempt = 0; ; attempt++) {
      const worker = await observing(
        { kind: 'Gauge', name: 'bad', value: 1, afterwards: 'hang' },
        { kind: 'Gauge', name: 'good', value: 2 },
      );
      const calls = async (): Promise<number> => (await tell(worker)).calls['good'] ?? 0;
      for (let request = 0; request < 4; request++) {
        ring(provider.store.region);
        await eventually(async () => ((await calls()) > 0 ? true : undefined)); // its loop has turned
      }
      const isStillFirst = (await calls()) === 1; // else the machine was too slow: the round is over
      if (!isStillFirst && attempt < 5) continue;
      await eventually(async () => ((await calls()) > 1 ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await calls()).to.equal(2);
      return;
    }
  });

  it('of a dead thread: a counter stays, and goes on where a thread takes over; the rest is gone', async function () {
    needsProc.call(this);
    const under = makeProvider();
    const all: Observation[] = [
      { kind: 'Counter', name: 'c', value: 100 },
      { kind: 'UpDownCounter', name: 'u', value: 3 },
      { kind: 'Gauge', name: 'g', value: 9 },
    ];
    const worker = await observing(...all);
    expect([
      await collected(under, 'c'),
      await collected(under, 'u'),
      await collected(under, 'g'),
    ]).to.deep.equal([{ '{}': 100 }, { '{}': 3 }, { '{}': 9 }]);
    await worker.terminate();
    expect([
      await collected(under, 'c'),
      await collected(under, 'u'),
      await collected(under, 'g'),
    ]).to.deep.equal([{ '{}': 100 }, {}, {}]);
    const used = under.provider.store.usedBytes;
    await observing(...all); // takes over the slab
    expect(under.provider.store.usedBytes).to.equal(used);
    expect([
      await collected(under, 'c'),
      await collected(under, 'u'),
      await collected(under, 'g'),
    ]).to.deep.equal([{ '{}': 200 }, { '{}': 3 }, { '{}': 9 }]);
  });

  it('of a dead thread: counters stay, though the thread that takes over observes none, or other series', async function () {
    needsProc.call(this);
    const under = makeProvider();
    const dead = await observing(
      { kind: 'Counter', name: 'c', value: 100, attributes: { by: 'dead' } },
      { kind: 'Counter', name: 'd', value: 7 },
    );
    expect(await collected(under, 'c')).to.deep.equal({ '{"by":"dead"}': 100 });
    await dead.terminate();
    const heirs: Observation[] = [
      { kind: 'Gauge', name: 'g', value: 1 },
      { kind: 'Counter', name: 'c', value: 5, attributes: { by: 'heir' } },
    ];
    for (const observation of heirs) {
      const heir = await observing(observation);
      for (let i = 0; i < 2; i++) {
        expect(await collected(under, 'c')).to.include({ '{"by":"dead"}': 100 });
        expect(await collected(under, 'd')).to.deep.equal({ '{}': 7 });
      }
      await heir.terminate();
    }
    expect(await collected(under, 'c')).to.deep.equal({ '{"by":"dead"}': 100, '{"by":"heir"}': 5 });
  });
});
