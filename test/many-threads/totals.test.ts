import { expect } from 'chai';
import type { HistogramValue } from '../../src/index.ts';
import { MetricStore } from '../../src/index.ts';
import { needsProc } from '../support/marks.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import type { Recording } from '../support/recording-thread.ts';
import { endThreads, sharedWord, Thread } from '../support/threads.ts';

const THREADS = 8;
const RECORDS = 50_000;

/** What one thread records; `RECORDS` measurements for each instrument and kind of series. */
function recordings(thread: number): Recording[] {
  const half = RECORDS / 2;
  return [
    { kind: 'counter', name: 'shared', values: [1, 2], times: half },
    { kind: 'counter', name: 'own', attributes: { thread }, values: [1, 2], times: half },
    { kind: 'upDown', name: 'level', values: [3, -2], times: half },
    { kind: 'histogram', name: 'time', attributes: { kind: 'shared' }, values: [1, 30], times: half },
    { kind: 'histogram', name: 'time', attributes: { thread }, values: [7, 70_000], times: half },
  ];
}

function expectTotals({ points }: ProviderUnderTest): void {
  const half = RECORDS / 2;
  expect(points('shared')).to.deep.equal([{ attributes: {}, value: THREADS * half * 3 }]);
  expect(points('level')).to.deep.equal([{ attributes: {}, value: THREADS * half }]);
  const own = points('own').sort((a, b) => Number(a.attributes['thread']) - Number(b.attributes['thread']));
  expect(own).to.deep.equal(
    Array.from({ length: THREADS }, (_, thread) => ({ attributes: { thread }, value: half * 3 })),
  );
  const times = points('time');
  expect(times).to.have.length(THREADS + 1);
  for (const { attributes, value } of times) {
    const { count, sum, min, max, buckets } = value as HistogramValue;
    const isShared = attributes['kind'] === 'shared';
    const n = isShared ? THREADS * half : half;
    const [low, high] = isShared ? [1, 30] : [7, 70_000];
    expect({ count, sum, min, max }).to.deep.equal({
      count: 2 * n,
      sum: n * (low + high),
      min: low,
      max: high,
    });
    expect(buckets.counts.filter((counted) => counted > 0)).to.deep.equal([n, n]);
  }
}

describe('totals over threads', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  afterEach(endThreads);
  afterEach(shutDownProviders);

  it(`are exact with ${THREADS} threads at once, and stay so when the threads end, are terminated or crash`, async function () {
    this.timeout(60_000);
    const provided = makeProvider();
    const threads = Array.from({ length: THREADS }, () => new Thread());
    await Promise.all(threads.map((thread, i) => thread.ask({ do: 'record', recordings: recordings(i) })));
    expectTotals(provided);
    expect((await provided.reader.collect()).errors).to.deep.equal([]);
    const endings = threads.map(async (thread, i) => {
      if (i % 4 === 0) return thread.terminate();
      if (i % 4 === 1) return void thread.ask({ do: 'throw' }).catch(() => {});
      return void thread.ask({ do: 'exit' }).catch(() => {});
    });
    await Promise.all([...endings, ...threads.map(({ ended }) => ended)]);
    expect(threads.map(({ error }) => error instanceof Error)).to.deep.equal([
      false,
      true,
      false,
      false,
      false,
      true,
      false,
      false,
    ]);
    expectTotals(provided);
  });

  it('miss at most the measurement that a terminated thread was making', async function () {
    this.timeout(60_000);
    const { points } = makeProvider();
    for (let round = 1; round <= 6; round++) {
      const thread = new Thread();
      const [stop, progress] = [sharedWord(), sharedWord()];
      const recording: Recording = {
        kind: 'histogram',
        name: 'h',
        attributes: { round },
        values: [1],
        times: 1,
      };
      thread.ask({ do: 'record until told', recording, stop, progress }).catch(() => {});
      while (Atomics.load(progress, 0) < 1000 * round) await new Promise((resolve) => setTimeout(resolve, 1));
      await thread.terminate();
      const { value } = points('h').find(({ attributes }) => attributes['round'] === round)!;
      const { count, sum, buckets } = value as HistogramValue;
      expect(count - Atomics.load(progress, 0)).to.be.oneOf([0, 1]);
      expect(sum).to.equal(count);
      expect(buckets.counts[1]).to.equal(count);
    }
  });

  it('are read whole while threads record at full rate', async function () {
    this.timeout(60_000);
    const { reader, points } = makeProvider();
    const stop = sharedWord();
    const progress = [sharedWord(), sharedWord()];
    const threads = [new Thread(), new Thread()];
    const values = [1, 7, 300, 20_000];
    const done = threads.map((thread, i) =>
      thread.ask<number>({
        do: 'record until told',
        recording: { kind: 'histogram', name: 'h', values, times: 1 },
        stop,
        progress: progress[i]!,
      }),
    );
    while (progress.some((word) => Atomics.load(word, 0) === 0))
      await new Promise((resolve) => setTimeout(resolve, 5));
    let [last, leftOut] = [0, 0];
    const deadline = performance.now() + 20_000;
    const enough = performance.now() + 1500;
    for (let n = 0; performance.now() < deadline; n++) {
      if (performance.now() > enough && n > 1000 && reader.readStats().retryReads > 0) break;
      const [point] = points('h');
      if (point === undefined) {
        // Writers that never pause: a cell that could not be copied, and was not before, is left out, and counted.
        expect(reader.readStats().staleReads).to.be.at.least(++leftOut);
        continue;
      }
      const { count, sum, buckets } = point.value as HistogramValue;
      const counts = [buckets.counts[1]!, buckets.counts[2]!, buckets.counts[8]!, buckets.counts[15]!];
      expect(buckets.counts.reduce((total, counted) => total + counted, 0)).to.equal(count);
      expect(counts.reduce((total, counted, i) => total + counted * values[i]!, 0)).to.equal(sum);
      expect(counts[0]! - counts[3]!).to.be.within(0, threads.length); // each thread records the values in turn
      expect(count).to.be.at.least(last);
      last = count;
    }
    Atomics.store(stop, 0, 1);
    expect(leftOut, 'snapshots without the series').to.be.below(50);
    const total = (await Promise.all(done)).reduce((a, b) => a + b);
    expect((points('h')[0]!.value as HistogramValue).count).to.equal(total);
    const { totalReads, fastPathReads, retryReads, staleReads, totalReadNanos } = reader.readStats();
    expect(fastPathReads + retryReads + staleReads).to.equal(totalReads);
    expect(retryReads).to.be.above(0);
    expect(totalReadNanos).to.be.above(0);
  });

  it('use no more memory however many threads came and went', async function () {
    needsProc.call(this);
    this.timeout(120_000);
    const { provider, points } = makeProvider();
    let used = 0;
    for (let i = 0; i < 20; i++) {
      const thread = new Thread();
      await thread.ask({
        do: 'record',
        recordings: [
          {
            kind: 'counter',
            name: 'c',
            attributes: { route: '/' },
            values: [0.1],
            times: 3,
            description: 'same in all',
          },
          { kind: 'histogram', name: 'h', values: [i], times: 2 },
        ],
      });
      await thread.terminate();
      if (i === 1) used = provider.store.usedBytes;
    }
    expect(provider.store.usedBytes).to.equal(used);
    expect(points('c')[0]!.value).to.be.closeTo(6, 1e-9);
    expect((points('h')[0]!.value as HistogramValue).count).to.equal(40);
  });
});
