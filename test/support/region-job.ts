/** Starts threads that do a job on a region (`region-worker.ts`). */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Region } from '../../src/memory/region.ts';

export type RegionJob =
  | { readonly kind: 'claim'; readonly claims: number }
  | { readonly kind: 'acquire'; readonly count: number; readonly threads: number }
  | { readonly kind: 'tick'; readonly rounds: number; readonly threads: number }
  | { readonly kind: 'tick-freely'; readonly rounds: number }
  | { readonly kind: 'count'; readonly times: number; readonly end: 'return' | 'exit' | 'throw' }
  | { readonly kind: 'hold'; readonly how: 'suspended' | 'busy' };

/** Indices in the control words. */
export const READY = 0;
export const GO = 1;
export const PASSED = 2;
export const ACKNOWLEDGED = 3;

export function makeControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(16));
}

/** A thread with a job. It waits for `start` first, except for 'hold'. */
export function startRegionWorker(region: Region, job: RegionJob, control: Int32Array, number = 0): Worker {
  const workerData = { job, buffer: region.buffer, control: control.buffer, number };
  return new Worker(new URL('./region-worker.js', import.meta.url), { workerData });
}

/** Waits until `threads` workers are ready, then lets all go at once. */
export async function start(control: Int32Array, threads: number): Promise<void> {
  for (let ready; (ready = Atomics.load(control, READY)) < threads; ) {
    const { async: isAsync, value } = Atomics.waitAsync(control, READY, ready, 20);
    if (isAsync) await value;
  }
  Atomics.store(control, GO, 1);
  Atomics.notify(control, GO);
}

/** Resolves when the worker has ended, however it did. */
export function exitOf(worker: Worker): Promise<void> {
  worker.on('error', () => {}); // a worker that crashes on purpose
  return new Promise((resolve) => worker.once('exit', () => resolve()));
}

export async function message<T>(worker: Worker): Promise<T> {
  const [value] = (await once(worker, 'message')) as [T];
  return value;
}

/** Runs the job in `threads` threads that start together; their results, by number. */
export async function runTogether<T>(region: Region, job: RegionJob, threads: number): Promise<T[]> {
  const control = makeControl();
  const workers = Array.from({ length: threads }, (_, number) => startRegionWorker(region, job, control, number));
  const results = workers.map((worker) => message<T>(worker));
  const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  await start(control, threads);
  const values = await Promise.all(results);
  await Promise.all(exits);
  return values;
}
