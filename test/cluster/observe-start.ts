/** Loaded first: what `register` starts, for the apps of this script. */
import { createHook } from 'node:async_hooks';
import type { Worker } from 'node:worker_threads';

export interface Started {
  /** Timers of the main thread that are alive. */
  timers(): number;
  /** All workers that the main thread has started. */
  readonly workers: readonly Worker[];
}

const alive = new Set<number>();
createHook({
  init(id, type) {
    if (type === 'Timeout') alive.add(id);
  },
  destroy(id) {
    alive.delete(id);
  },
}).enable();
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));
(globalThis as { started?: Started }).started = { timers: () => alive.size, workers };
