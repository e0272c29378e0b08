/** Real threads that die at a chosen step of what they do to a region: where nothing else could have stopped them so exactly. */
import { Worker } from 'node:worker_threads';
import { Region } from '../../src/memory/region.ts';
import type { StreamDescription } from '../../src/state/records.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter } from './descriptions.ts';
import { recordTo } from './record-to.ts';

/** What the thread is doing when it dies. */
export type DyingPhase =
  'taking a new slab' | 'taking over a slab' | 'making a series' | 'taking a new extent';
export const DYING_PHASES: readonly DyingPhase[] = [
  'taking a new slab',
  'taking over a slab',
  'making a series',
  'taking a new extent',
];

export interface DyingJob {
  readonly phase: DyingPhase;
  readonly step: number;
  readonly buffer: SharedArrayBuffer;
  /** 0 until the thread waits at its step for its death, or is done without having come there. */
  readonly state: Int32Array;
}

export const DYING_WORKER: URL = new URL('./dying-worker.js', import.meta.url);

export const AT_STEP = 1;
export const DONE = 2;

/** Measurements that were made before, by a thread that is dead, and one by the dying thread before the step. */
export const EARLIER = 7;
export const requests: StreamDescription = counter('requests');

/** Records as every writer of these tests does, so that all are of one kind. */
export function recordOnce(writer: StoreWriter, attributes: object): void {
  recordTo(writer.stream(requests, 2000), 1, attributes);
}

export interface Death {
  /** The memory that the dead thread left, or undefined: it was done before it came to that step. */
  readonly left: Region | undefined;
  /** What was recorded for certain. */
  readonly recorded: number;
  /** 1 where the measurement of the dying thread may count or not. */
  readonly uncertain: number;
}

/** Has a thread die at a step of a phase, in a region of its own. */
export async function dieAt(phase: DyingPhase, step: number): Promise<Death> {
  const region = Region.create(2 ** 20);
  const state = new Int32Array(new SharedArrayBuffer(4));
  if (phase === 'taking over a slab')
    await runWorker({ phase: 'making a series', step: Infinity, buffer: region.buffer, state });
  Atomics.store(state, 0, 0);
  const died = (await runWorker({ phase, step, buffer: region.buffer, state })) === AT_STEP;
  const isSeries = phase === 'making a series' || phase === 'taking a new extent';
  return {
    left: died ? region : undefined,
    recorded: phase === 'taking a new slab' ? 0 : EARLIER,
    uncertain: isSeries ? 1 : 0,
  };
}

async function runWorker(job: DyingJob): Promise<number> {
  const worker = new Worker(DYING_WORKER, { workerData: job });
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  let failed: unknown;
  worker.once('error', (error) => (failed = error));
  for (let isOver = false; !isOver && Atomics.load(job.state, 0) === 0;) {
    const { async: isAsync, value } = Atomics.waitAsync(job.state, 0, 0, 1000);
    const changed = isAsync ? value : Promise.resolve();
    await Promise.race([changed, exit.then(() => (isOver = true))]);
  }
  await worker.terminate();
  await exit;
  if (failed !== undefined) throw failed as Error;
  return Atomics.load(job.state, 0);
}
