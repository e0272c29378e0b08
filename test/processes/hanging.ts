/** Row 9: one process hangs, and the others are read as if it did not. Row 8: a cluster whose workers are replaced one by one. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { newFolder } from '../support/store-directories.ts';
import { Child, sleep } from './children.ts';
import type { RecorderJob } from './jobs.ts';
import { Judge } from './judge.ts';
import { check } from './report.ts';

const HANGS_MILLIS = 4000;
/** How long a collection waits for one that does not answer, and what a busy machine needs. */
const LONGEST_MILLIS = 1500;

export async function checkHanging(): Promise<void> {
  const directory = join(newFolder(), 'store');
  const children = Array.from({ length: 3 }, () => new Child('observer', { directory }));
  for (const child of children) await child.message();
  const reader = new SeqlockMetricReader();
  void new SeqlockMeterProvider({ store: MetricStore.open({ directory }), readers: [reader] });

  /** When each was asked last, by process id, and how long the collection took. */
  async function collect(): Promise<{
    readonly at: Map<number, number>;
    readonly millis: number;
    readonly from: number;
    readonly counted: number;
  }> {
    const from = Date.now();
    const { resourceMetrics } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const points = (name: string) =>
      metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
    return {
      from,
      millis: Date.now() - from,
      at: new Map(
        points('asked_at').map(({ attributes, value }) => [Number(attributes['pid']), value as number]),
      ),
      counted: points('counted').reduce((sum, { value }) => sum + (value as number), 0),
    };
  }

  const all = await collect();
  const fresh = ({ at, from }: typeof all, { process: { pid } }: Child): boolean =>
    (at.get(pid!) ?? 0) >= from - 1;
  check(
    children.every((child) => fresh(all, child)) && all.counted === 3,
    `three processes observe when one asks: within ${all.millis} ms`,
  );
  const [hanging, ...others] = children as [Child, ...Child[]];
  hanging.process.send(HANGS_MILLIS);
  await hanging.message((message) => message === 'hangs');
  await collect(); // finds out that it hangs
  const during = await collect();
  check(
    others.every((child) => fresh(during, child)) &&
      !fresh(during, hanging) &&
      during.at.has(hanging.process.pid!) &&
      during.counted === 3 &&
      during.millis < LONGEST_MILLIS,
    `one of them hangs: the others are fresh, its last values stay, within ${during.millis} ms`,
  );
  await sleep(HANGS_MILLIS);
  await collect();
  const after = await collect();
  check(fresh(after, hanging), 'it goes on, and observes again');
  for (const child of children) await child.kill();
}

/**
 * Row 10: without a watch a process looks by itself, twice a second. A collection does not wait for that; the next
 * one has what was observed for it.
 */
export async function checkNoWatches(): Promise<void> {
  const directory = join(newFolder(), 'store');
  const child = new Child('observer', { directory }, { fixture: 'no-watches' });
  await child.message();
  const reader = new SeqlockMetricReader();
  void new SeqlockMeterProvider({ store: MetricStore.open({ directory }), readers: [reader] });
  const lates: number[] = [];
  let errors = 0;
  for (let before = Infinity, i = 0; i < 3; i++) {
    const from = Date.now();
    const collected = await reader.collect();
    errors += collected.errors.length;
    const metrics = collected.resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    const asked = metrics.find(({ descriptor }) => descriptor.name === 'asked_at')?.dataPoints[0];
    const at = (asked?.value as number | undefined) ?? 0;
    if (at >= before - 1) lates.push(at - (at >= from ? from : before));
    before = from;
    await sleep(700);
  }
  await child.kill();
  check(
    lates.length === 2 && errors === 0,
    `a process that gets no watch of a file: ${lates.length} of 2 requests answered by the next collection, ${Math.max(...lates)} ms late at most, ${errors} errors`,
  );
}

const RECORDER = fileURLToPath(new URL('./recorder.js', import.meta.url));
const WORKERS = 4;

/** As `pm2 reload` does: a new worker records before the old one gets SIGINT. */
export async function checkCluster(reloads: number): Promise<void> {
  const judge = new Judge();
  let place = 0;
  async function fork(): Promise<Worker> {
    const job: RecorderJob = {
      directory: judge.directory,
      acknowledged: judge.acknowledgedPath,
      place: place++,
      threads: 0,
      pauseMillis: 5,
    };
    cluster.setupPrimary({ exec: RECORDER, args: [JSON.stringify(job)] });
    const worker = cluster.fork();
    await once(worker, 'message');
    return worker;
  }
  let deaths = 0;
  async function end(worker: Worker): Promise<void> {
    worker.process.kill('SIGINT');
    await once(worker, 'exit');
    deaths++;
    judge.look();
  }
  let workers: Worker[] = [];
  for (let i = 0; i < WORKERS; i++) workers.push(await fork());
  for (let reload = 0; reload < reloads; reload++) {
    const next: Worker[] = [];
    for (const old of workers) {
      next.push(await fork());
      judge.look();
      await end(old);
    }
    workers = next;
  }
  for (const worker of workers) await end(worker);
  check(
    judge.isSound(deaths),
    `a cluster of ${WORKERS} reloaded ${reloads} times, ${deaths} workers in all: ${judge.findings}`,
  );
}
