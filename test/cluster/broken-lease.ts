/** Loaded first in all threads of a process, also in the exporter thread: everybody gets the lease. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { WorkerOptions } from 'node:worker_threads';
import { LockLease } from '../../src/memory/lease.ts';

LockLease.prototype.take = () => true;
LockLease.prototype.isFree = () => true;

const OWN_PATH = fileURLToPath(import.meta.url);
const threads = createRequire(import.meta.url)('node:worker_threads') as {
  Worker: typeof import('node:worker_threads').Worker;
};
const { Worker } = threads;
threads.Worker = class extends Worker {
  constructor(file: string | URL, options: WorkerOptions = {}) {
    super(options.eval === true ? `require(${JSON.stringify(OWN_PATH)});${String(file)}` : file, options);
  }
};
syncBuiltinESMExports();
