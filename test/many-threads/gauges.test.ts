import { expect } from 'chai';
import { MetricStore } from '../../src/index.ts';
import { needsProc } from '../support/marks.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import type { Job } from '../support/recording-thread.ts';
import { endThreads, Thread } from '../support/threads.ts';

const set = (...values: number[]): Job => ({
  do: 'record',
  recordings: [{ kind: 'gauge', name: 'g', values, times: 1 }],
});

describe('gauges of several threads', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(endThreads);
  afterEach(shutDownProviders);

  it('show the value that was set last, whoever set it', async () => {
    const { value } = makeProvider();
    const threads = [new Thread(), new Thread(), new Thread()];
    for (let n = 0; n < 60; n++) {
      await threads[(n * 7) % 3]!.ask(set(-1, n)); // the reply orders one set before the next
      expect(value('g')).to.equal(n);
    }
  });

  it('are merged as the views of the main thread say', async function () {
    needsProc.call(this);
    const views = [{ instrumentName: 'g', merge: 'per-writer' as const }];
    const { points } = makeProvider(undefined, { views });
    const threads = [new Thread(), new Thread()];
    await threads[0]!.ask(set(1));
    await threads[1]!.ask(set(2));
    const seen = points('g');
    expect(seen.map(({ value }) => value)).to.deep.equal([1, 2]);
    expect(seen.map(({ attributes }) => Object.keys(attributes))).to.deep.equal([
      ['thread.id'],
      ['thread.id'],
    ]);
    await threads[0]!.terminate();
    expect(points('g').map(({ value }) => value)).to.deep.equal([2]);
  });

  it('go stale with their thread; sums stay', async function () {
    needsProc.call(this);
    const { points, value } = makeProvider();
    const [one, two] = [new Thread(), new Thread()];
    const add: Job = { do: 'record', recordings: [{ kind: 'upDown', name: 'u', values: [5], times: 1 }] };
    await one.ask(add);
    await two.ask(add);
    await one.ask(set(1));
    await two.ask(set(2));
    await two.terminate();
    expect(value('g')).to.equal(1); // set last by a thread that lives
    await one.terminate();
    expect(points('g')).to.deep.equal([]);
    expect(value('u')).to.equal(10);
    const heir = new Thread(); // takes over a dead thread's slab, and not its gauges
    await heir.ask(add);
    expect(points('g')).to.deep.equal([]);
    await heir.ask(set(3));
    expect(value('g')).to.equal(3);
    expect(value('u')).to.equal(15);
  });
});
