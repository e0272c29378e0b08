import { setImmediate as turn } from 'node:timers/promises';
import { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type HistogramValue,
} from '../../src/index.ts';
import type { Recording } from '../support/recording-thread.ts';
import { endThreads, sharedWord, Thread } from '../support/threads.ts';

const THREADS = 3;
const COLLECTIONS = 300;

/** Adds up what a reader with delta temporality is told. */
class Sum {
  readonly reader: SeqlockMetricReader = new SeqlockMetricReader({
    aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
  });
  total = 0;
  count = 0;
  sum = 0;
  counts: number[] = [];
  extremes: unknown;

  async collect(): Promise<void> {
    const { resourceMetrics } = await this.reader.collect();
    for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)) {
      const value = dataPoints[0]!.value as number | HistogramValue;
      if (typeof value === 'number') {
        this.total += value;
        continue;
      }
      expect(
        value.buckets.counts.reduce((a, b) => a + b),
        descriptor.name,
      ).to.equal(value.count);
      this.count += value.count;
      this.sum += value.sum!;
      this.counts = value.buckets.counts.map((counted, i) => counted + (this.counts[i] ?? 0));
      this.extremes = [value.min, value.max];
    }
  }
}

describe('delta temporality over threads', () => {
  beforeEach(() =>
    expect(MetricStore.published(), 'a store that another test left open').to.equal(undefined),
  );
  let provider: SeqlockMeterProvider | undefined;
  afterEach(endThreads);
  afterEach(() => provider?.shutdown());

  it('adds up to what was recorded, for each of several readers, while threads record and end', async function () {
    this.timeout(60_000);
    const [often, seldom] = [new Sum(), new Sum()];
    const cumulative = new SeqlockMetricReader();
    provider = new SeqlockMeterProvider({ readers: [often.reader, seldom.reader, cumulative] });
    const stop = sharedWord();
    const recordings: Recording[] = [
      { kind: 'counter', name: 'c', values: [1, 2], times: 1 },
      { kind: 'histogram', name: 'h', values: [7, 30, 4000], times: 1 },
    ];
    const threads = recordings.flatMap((recording) =>
      Array.from({ length: THREADS }, () => {
        const thread = new Thread();
        const progress = sharedWord();
        const job = { do: 'record until told', recording, stop, progress } as const;
        return { thread, progress, done: thread.ask<number>(job).catch(() => undefined) };
      }),
    );
    const isOn = (): boolean => threads.every(({ progress }) => Atomics.load(progress, 0) > 1000);
    for (let i = 0; i < COLLECTIONS; i = isOn() ? i + 1 : 1) {
      await often.collect();
      if (i % 7 === 0) await seldom.collect();
      if (often.extremes !== undefined) expect(often.extremes).to.satisfy(isBetween(7, 4000));
      if (i === COLLECTIONS / 2) await threads[0]!.thread.terminate();
      await turn();
    }
    Atomics.store(stop, 0, 1);
    await Promise.all(threads.map(({ done }) => done));
    const totals = cumulative.snapshot().scopeMetrics.flatMap(({ metrics }) => metrics);
    const [counter, histogram] = ['c', 'h'].map(
      (name) => totals.find(({ descriptor }) => descriptor.name === name)!.dataPoints[0]!.value,
    ) as [number, HistogramValue];
    for (const reader of [often, seldom]) {
      await reader.collect();
      const { total, count, sum, counts } = reader;
      expect({ total, count, sum, counts }).to.deep.equal({
        total: counter,
        count: histogram.count,
        sum: histogram.sum,
        counts: histogram.buckets.counts,
      });
    }
    // Nothing moves any more: from here the extremes are exact, and from all threads.
    const last = threads.at(-1)!.thread;
    for (const values of [[50], [8, 9], [3, 5000, 20]]) {
      await last.ask({ do: 'record', recordings: [{ kind: 'histogram', name: 'h', values, times: 1 }] });
      await often.collect();
      expect(often.extremes).to.deep.equal([Math.min(...values), Math.max(...values)]);
    }
    await seldom.collect();
    expect(seldom.extremes).to.deep.equal([3, 5000]);
  });
});

function isBetween(low: number, high: number): (extremes: unknown) => boolean {
  return (extremes) => {
    const [min, max] = extremes as [number, number];
    return min >= low && min <= max && max <= high;
  };
}
