/**
 * An app that does nothing for its metrics, as a cluster, PM2 or `fork` runs it: a web server, and a worker thread. Both count as
 * long as they live, and note each count in a file that survives them.
 *
 *   ACKNOWLEDGED  the file
 *   WORKERS       so many processes of a cluster; without it, this process alone
 *   WORKERS_EXPORTER  OTEL_METRICS_EXPORTER of these, if it is another one
 *   APP_PORT      where it serves; without it, nowhere
 *
 * SIGUSR2 to the primary process replaces its workers one by one, and then says `reloaded`.
 */
import { metrics } from '@opentelemetry/api';
import cluster, { type Worker as Process } from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isMainThread, Worker } from 'node:worker_threads';
import { Acknowledged, COUNTED } from '../processes/acknowledged.ts';
import type { Started } from './observe-start.ts';
import { PLACES_GIVEN, QUIET } from './places.ts';

const ROUND_MILLIS = 2;
const COUNTS = 5;

export type AppJob = 'block' | 'end exporter' | 'end';

const { WORKERS = '0', APP_PORT, ACKNOWLEDGED = '' } = process.env;

if (cluster.isPrimary && isMainThread && Number(WORKERS) > 0) lead();
else work();

function work(): void {
  const notes = new Acknowledged(ACKNOWLEDGED);
  const place = Atomics.add(notes.words, notes.index(PLACES_GIVEN, COUNTED), 1);
  const quiet = notes.index(QUIET, COUNTED);
  const noted = notes.index(place, COUNTED);
  const counter = metrics.getMeter('shop').createCounter('hits');
  const count = (): void => {
    counter.add(1, { thread: isMainThread ? 'main' : 'worker' });
    notes.words[noted]!++;
  };
  setInterval(() => {
    if (notes.words[quiet] === 0) for (let i = 0; i < COUNTS; i++) count();
  }, ROUND_MILLIS);
  if (!isMainThread) return;
  const own = new Worker(new URL(import.meta.url));
  own.unref();
  if (APP_PORT !== undefined)
    createServer((_, response) => response.end(String(process.pid))).listen(Number(APP_PORT));
  process.on('message', (job: AppJob) => {
    if (job === 'block') for (;;);
    const { workers = [] } = (globalThis as { started?: Started }).started ?? {};
    if (job === 'end exporter')
      void workers
        .filter((worker) => worker !== own)
        .at(-1)!
        .terminate();
    if (job === 'end') process.exit();
  });
  process.send?.('ready');
}

function forkOne(): Process {
  const { WORKERS_EXPORTER } = process.env;
  return cluster.fork(WORKERS_EXPORTER === undefined ? {} : { OTEL_METRICS_EXPORTER: WORKERS_EXPORTER });
}

function lead(): void {
  let replaced: Process | undefined;
  for (let i = 0; i < Number(WORKERS); i++) forkOne();
  cluster.on('exit', (worker) => {
    if (worker !== replaced) forkOne();
  });
  process.on('SIGUSR2', () => {
    void (async () => {
      for (const worker of Object.values(cluster.workers ?? {}) as Process[]) {
        await once(forkOne(), 'listening');
        replaced = worker;
        worker.process.kill('SIGTERM');
        await once(worker, 'exit');
      }
      process.send?.('reloaded');
    })();
  });
  process.send?.('ready');
}
