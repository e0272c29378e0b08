/**
 * Reading while others write, and writing while others read (founding specification, "Performance Tests"). Writes are timed one by one, for
 * their distribution: alone, beside 64 threads that do nothing but compute, and beside 64 that do nothing but read what is written. The second
 * is what the third is to be compared with: where cores are few, every busy thread takes its share of them.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SeqlockMetricsProvider } from '../src/facade/metrics/seqlock-metrics-provider.ts';
import type { ContentionRole } from './contention-worker.ts';
import { rowOf, type Contender, type Row } from './row.ts';
import { timeInTurns, type Effort } from './rounds.ts';

const BATCH = 512;
const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;

/** Times of single writes, in nanoseconds, the clock's own included. */
export interface Distribution {
  readonly name: string;
  readonly nanos: Float64Array;
}

export interface ContentionFigures {
  readonly rows: Row[];
  readonly writes: Distribution[];
}

export interface ContentionEffort extends Effort {
  readonly readers: number;
  readonly writes: number;
}

export async function benchContention(effort: ContentionEffort): Promise<ContentionFigures> {
  const metrics = new SeqlockMetricsProvider();
  try {
    const rows = await readRows(metrics, effort);
    const writes = await writeDistributions(metrics, effort);
    return { rows: [...rows, ...writeRows(writes, effort.readers)], writes };
  } finally {
    await metrics.shutdown();
  }
}

async function readRows(metrics: SeqlockMetricsProvider, effort: Effort): Promise<Row[]> {
  const counter = metrics.counter('c', '');
  const histogram = metrics.histogram('h', '');
  counter.inc();
  histogram.observe(0.1);
  const reads: Readonly<Record<string, () => number>> = {
    'read a counter': () => counter.value(),
    'read a histogram': () => histogram.stats().count,
  };
  const timesOf = (contender: Contender): Map<string, readonly number[]> =>
    new Map(
      Object.entries(reads).map(([name, read]) => {
        const batch = (): void => {
          for (let i = 0; i < BATCH; i++) if (!(read() >= 0)) throw new Error('no number');
        };
        return [name, timeInTurns([{ contender, batch }], BATCH, effort)[contender]!];
      }),
    );
  const quiet = timesOf('quiet');
  const stop = await crew('write', 1);
  const busy = timesOf('busy');
  await stop();
  return Object.keys(reads).map((name) =>
    rowOf('contention', name, 'ns', { quiet: quiet.get(name)!, busy: busy.get(name)! }),
  );
}

async function writeDistributions(
  metrics: SeqlockMetricsProvider,
  { readers, writes }: ContentionEffort,
): Promise<Distribution[]> {
  const histogram = metrics.histogram('h', '');
  const time = (name: string): Distribution => {
    const nanos = new Float64Array(writes);
    for (let i = 0; i < writes; i++) {
      const start = performance.now();
      histogram.observe(0.1);
      nanos[i] = (performance.now() - start) * 1e6;
    }
    return { name, nanos };
  };
  time('warm-up');
  const distributions = [time('alone')];
  for (const [role, name] of [
    ['spin', `beside ${readers} threads that compute`],
    ['read', `beside ${readers} threads that read it`],
  ] as const) {
    const stop = await crew(role, readers);
    distributions.push(time(name));
    await stop();
  }
  return distributions;
}

function writeRows([quiet, spinning, reading]: readonly Distribution[], readers: number): Row[] {
  const sorted = [quiet!, spinning!, reading!].map(({ nanos }) => nanos.slice().sort());
  return QUANTILES.map((q) => {
    const [ofQuiet, ofSpinning, ofReading] = sorted.map(
      (nanos) => nanos[Math.min(nanos.length - 1, Math.floor(q * nanos.length))]!,
    );
    return rowOf('contention', `write a histogram, ${readers} threads, ${100 * q} % take at most`, 'ns', {
      quiet: [ofQuiet!],
      spinning: [ofSpinning!],
      busy: [ofReading!],
    });
  });
}

/** Starts threads, which join the store of this one. Resolves, when all are at work, to what stops them. */
async function crew(role: ContentionRole, size: number): Promise<() => Promise<void>> {
  const workers = Array.from(
    { length: size },
    () => new Worker(new URL('./contention-worker.js', import.meta.url), { workerData: role }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return async () => void (await Promise.all(workers.map((worker) => worker.terminate())));
}
