import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type HistogramValue,
} from '../../src/index.ts';
import { Acknowledged, COUNTED } from '../processes/acknowledged.ts';
import { FEW, traceOf, type Kinds, type KindsJob, type KindsPoint } from '../support/kinds.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const PROGRAM = fileURLToPath(new URL('../support/kinds-program.js', import.meta.url));

class KindsProcess {
  readonly child: ChildProcess;

  constructor(directory: string) {
    this.child = fork(PROGRAM, [directory]);
  }

  get pid(): number {
    return this.child.pid!;
  }

  async ready(): Promise<void> {
    await once(this.child, 'message');
  }

  async ask<T = unknown>(job: KindsJob): Promise<T> {
    this.child.send(job);
    const [{ answer }] = (await once(this.child, 'message')) as [{ answer: T }];
    return answer;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}

/** What each process records, in order. Sums of the values are exact. */
const TASKS = [
  { number: 1, values: [0.5, 3, 70, 2 ** 20, 0], traced: 0.125, gauge: 30, sets: ['a', 'b', 'c'] },
  { number: 2, values: [2 ** -20, 3, 3.25, 10], traced: 2, gauge: 10, sets: ['c', 'd', 'e'] },
  { number: 3, values: [100, 100.5, 8, 2 ** 12], traced: 30, gauge: 20, sets: ['e', 'f', 'g'] },
] as const;

/** What one process would have that had recorded all of them, by itself. */
function alone(name: 'explicit' | 'exponential'): unknown {
  const store = MetricStore.create();
  const reader = new SeqlockMetricReader();
  const histogram = new SeqlockMeterProvider({
    store,
    readers: [reader],
    views: [{ instrumentName: 'exponential', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  })
    .getMeter('kinds')
    .createHistogram(name, { advice: { explicitBucketBoundaries: [1, 10, 100] } });
  for (const { values, traced } of TASKS)
    for (const value of name === 'explicit' ? [...values, traced] : values) histogram.record(value);
  store.close();
  return reader.snapshot().scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.value;
}

const numberOf = ({ value }: KindsPoint): number => value as number;
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);

/** Values by one attribute. */
function by(attribute: string, points: readonly KindsPoint[] = []): Record<string, unknown> {
  return Object.fromEntries(points.map(({ attributes, value }) => [String(attributes[attribute]), value]));
}

// One after the other: they share the processes, some of which die in the end.
describe('metrics of all kinds over processes', function () {
  let writers: [KindsProcess, KindsProcess, KindsProcess];
  let reader: KindsProcess;
  let folder: string;
  let all: Kinds;

  before(async function () {
    if (process.platform === 'win32') this.skip();
    folder = newFolder();
    const start = (): KindsProcess => new KindsProcess(join(folder, 'store'));
    const first = start(); // publishes the configuration, which is written in a slab
    await first.ready();
    writers = [first, start(), start()];
    reader = start();
    await Promise.all([writers[1], writers[2], reader].map((one) => one.ready()));
    for (const [i, task] of TASKS.entries()) await writers[i]!.ask({ do: 'record', ...task });
    all = await reader.ask({ do: 'collect' });
  });
  after(async () => {
    for (const one of [...writers, reader]) await one.kill();
    removeFolders();
  });

  it('has histograms as one process would that had recorded everything', () => {
    expect(all['explicit']![0]!.value).to.deep.equal(alone('explicit'));
    expect(all['exponential']![0]!.value).to.deep.equal(alone('exponential'));
    const { count, sum } = all['exponential']![0]!.value as HistogramValue;
    const values = TASKS.flatMap((task) => [...task.values]);
    expect({ count, sum }).to.deep.equal({ count: values.length, sum: sumOf(values) });
  });

  it('has exemplars of all processes, each as it was sent', () => {
    const sent = TASKS.map(({ number, traced }) => [traceOf(number), traced]);
    expect(all['explicit']![0]!.exemplars).to.have.deep.members(sent);
  });

  it('merges gauges as each says', () => {
    const merged = ['most-recent', 'sum', 'min', 'max'].map((merge) => all[`gauge.${merge}`]!.map(numberOf));
    expect(merged).to.deep.equal([[20], [60], [10], [30]]);
    expect(
      all['gauge.per-writer']!.map(({ attributes, value }) => ({ ...attributes, value })),
    ).to.have.deep.members(
      TASKS.map(({ gauge }, i) => ({ 'process.pid': writers[i]!.pid, 'thread.id': 0, value: gauge })),
    );
  });

  it('adds up what goes up and down, and sends to overflow what exceeds the limit over all', () => {
    expect(all['balance']!.map(numberOf)).to.deep.equal([-6]);
    const few = by('set', all['few']);
    const { undefined: overflow, ...sets } = few;
    expect(sets).to.deep.equal({ a: 1, b: 1, c: 3, d: 2, e: 5 });
    expect(Object.keys(sets)).to.have.length(FEW);
    expect(overflow, 'f and g').to.equal(6);
  });

  it('has one value of a gauge by name that all set and add to', async () => {
    const [first, second, third] = writers;
    const steps = [
      await first.ask({ do: 'shared gauge', method: 'set', value: 10 }),
      await second.ask({ do: 'shared gauge', method: 'inc', value: 5 }),
      await third.ask({ do: 'shared gauge', method: 'dec', value: 2 }),
    ];
    expect(steps).to.deep.equal([10, 15, 13]);
    await second.ask({ do: 'shared gauge', method: 'set', value: 4 });
    expect(await first.ask({ do: 'shared gauge', method: 'inc', value: 1 })).to.equal(5);
  });

  it('says of the store itself what is true of it', () => {
    const { live } = by('seqlock.writer.state', all['seqlock.writers']);
    expect(live, 'the one that reads has a slab too').to.equal(TASKS.length + 1);
    expect(all['seqlock.lost.measurements']?.map(numberOf)).to.deep.equal([0]);
  });

  it('keeps the last observations of a process that is stopped, says that it is blocked, and goes on with it', async () => {
    const [, , third] = writers;
    const observe = async (...values: number[]): Promise<void> => {
      for (const [i, value] of values.entries()) await writers[i]!.ask({ do: 'observe', value });
    };
    /** Collects until it is as expected: on a busy machine a process may be late, and be left with its last values. */
    const expectObserved = async (...values: number[]): Promise<void> => {
      const expected = Object.fromEntries(writers.map(({ pid }, i) => [pid, values[i]]));
      for (let now; !isDeepStrictEqual(now, expected);) {
        now = by('pid', (await reader.ask<Kinds>({ do: 'collect' }))['observed']);
        if (values[0] === 10 && values[2] === 3) expect(now[third.pid], 'of the stopped one').to.equal(3);
      }
    };
    const blocked = async (): Promise<Record<string, unknown>> => {
      const points = await reader.ask<KindsPoint[]>({ do: 'look at threads' });
      for (const { attributes } of points) expect(attributes).to.include({ 'thread.id': 0 });
      return by('process.pid', points);
    };
    await observe(1, 2, 3);
    await expectObserved(1, 2, 3);
    await blocked();
    third.child.kill('SIGSTOP');
    await observe(10, 20);
    await expectObserved(10, 20, 3);
    for (;;) {
      const seconds = await blocked();
      if ((seconds[third.pid] as number) > 0) break;
    }
    third.child.kill('SIGCONT');
    await observe(10, 20, 30);
    await expectObserved(10, 20, 30);
    while ((await blocked())[third.pid] !== 0);
  });

  it('delivers each count once as deltas, whoever is killed meanwhile', async () => {
    const noted = join(folder, 'noted');
    const notes = new Acknowledged(noted);
    const delivered = { sum: 0, count: 0, buckets: [] as number[] };
    const collect = async (): Promise<number> => {
      const deltas = await reader.ask<Kinds>({ do: 'collect deltas' });
      const sum = sumOf((deltas['delivered'] ?? []).map(numberOf));
      delivered.sum += sum;
      for (const { value } of deltas['delivered.sizes'] ?? []) {
        const { count, buckets } = value as HistogramValue;
        expect(sumOf(buckets.counts), 'each delta is whole').to.equal(count);
        delivered.count += count;
        buckets.counts.forEach((one, i) => (delivered.buckets[i] = (delivered.buckets[i] ?? 0) + one));
      }
      return sum;
    };
    const [first, second] = writers;
    for (const [i, writer] of [first, second].entries())
      await writer.ask({ do: 'record for ever', noted, number: i });
    for (const writer of [first, second]) {
      for (let rounds = 0; rounds < 8;) if ((await collect()) > 0) rounds++;
      await writer.kill();
    }
    await collect();
    expect(await collect(), 'nobody records any more').to.equal(0);
    const totals = await reader.ask<Kinds>({ do: 'collect' });
    expect(delivered.sum).to.equal(sumOf(totals['delivered']!.map(numberOf)));
    const sizes = totals['delivered.sizes']!.map(({ value }) => value as HistogramValue);
    expect(delivered.count).to.equal(sumOf(sizes.map(({ count }) => count)));
    expect(delivered.buckets).to.deep.equal(
      delivered.buckets.map((_, i) => sumOf(sizes.map(({ buckets }) => buckets.counts[i]!))),
    );
    const acknowledged = notes.total(COUNTED);
    expect(4 * delivered.sum, 'at most one more for each that was killed').to.be.within(
      acknowledged,
      acknowledged + 2,
    );
  });

  it('has totals of the dead, and gauges of the living alone', async () => {
    const now = await reader.ask<Kinds>({ do: 'collect' });
    for (const name of ['explicit', 'exponential', 'balance', 'few'])
      expect(
        now[name]!.map(({ value }) => value),
        name,
      ).to.deep.equal(all[name]!.map(({ value }) => value));
    const merged = ['most-recent', 'sum', 'min', 'max'].map((merge) => now[`gauge.${merge}`]!.map(numberOf));
    expect(merged).to.deep.equal([[20], [20], [20], [20]]);
    expect(by('process.pid', now['gauge.per-writer'])).to.deep.equal({ [writers[2].pid]: 20 });
    expect(by('pid', now['observed'])).to.deep.equal({ [writers[2].pid]: 30 });
    expect(
      await writers[2].ask({ do: 'shared gauge', method: 'inc', value: 1 }),
      'what the dead added',
    ).to.equal(6);
    expect(by('seqlock.writer.state', now['seqlock.writers'])).to.deep.equal({ live: 2, dead: 2 });
  });
});
