/** What the stress tests and their workers share: jobs, the control words, and how workers are started. */
import { Worker } from 'node:worker_threads';
import type { MemoryOrder } from '../../src/memory/memory-order.ts';
import { MEMORY_ORDER, MEMORY_ORDER_VARIABLE } from '../../src/memory/memory-order.ts';

/** Indices into the control words. */
export const STOP = 0;
export const TORN = 1;
export const UP = 2;
export const START = 3;

/** Numbers in the array of the Seqlock stress; all equal to the number of updates made. */
export const PAYLOAD_WORDS = 12;

/** Seconds each real protocol is stressed for: each broken one is caught within a tenth of one. The long script raises it. */
export const STRESS_SECONDS = Number(process.env['SEQLOCK_STRESS_SECONDS'] ?? 0.3);

export interface Job {
  readonly role: 'write cell' | 'read cell' | 'read seqlock' | 'count in seqlock' | 'count under broken lock';
  /** Name of the cell protocol or of the broken lock. */
  readonly subject: string;
  readonly memory: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly updates: number;
  readonly id: number;
}

export interface ReaderReport {
  readonly reads: number;
  readonly torn: number;
  readonly backwards: number;
  readonly gaveUp: number;
}

/** The update all of `into` belongs to, -1 if its words differ. */
export function readWhole(into: Float64Array): number {
  for (let i = 1; i < into.length; i++) if (into[i] !== into[0]) return -1;
  return into[0]!;
}

/** The other form needs threads of its own: it is chosen when a thread loads the module. */
export function environmentOf(order: MemoryOrder): NodeJS.ProcessEnv {
  return { ...process.env, [MEMORY_ORDER_VARIABLE]: order === 'strict' ? 'strict' : '' };
}

export const FORMS: readonly MemoryOrder[] = MEMORY_ORDER === 'fast' ? ['fast', 'strict'] : ['strict'];

const live = new Set<Worker>();

/** Remembers a worker, so that a test that fails does not leave it running. */
export function track(worker: Worker): Worker {
  live.add(worker);
  worker.once('exit', () => live.delete(worker));
  return worker;
}

/** Ends every worker that is still there. For `afterEach`. */
export async function endWorkers(): Promise<void> {
  await Promise.all([...live].map((worker) => worker.terminate()));
}

export class Crew {
  readonly control: Int32Array = new Int32Array(new SharedArrayBuffer(64));
  readonly #memory: SharedArrayBuffer;
  readonly #order: MemoryOrder;
  readonly #reports: Promise<unknown>[] = [];
  readonly workers: Worker[] = [];

  constructor(memory: SharedArrayBuffer, order: MemoryOrder = MEMORY_ORDER) {
    this.#memory = memory;
    this.#order = order;
  }

  start<Report>(role: Job['role'], subject = '', updates = Infinity): Promise<Report> {
    const job: Job = {
      role,
      subject,
      memory: this.#memory,
      control: this.control.buffer as SharedArrayBuffer,
      updates,
      id: this.workers.length + 1,
    };
    const worker = track(
      new Worker(new URL('./stress-worker.js', import.meta.url), {
        workerData: job,
        env: environmentOf(this.#order),
      }),
    );
    this.workers.push(worker);
    const report = new Promise<Report>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    this.#reports.push(report);
    return report;
  }

  /** Waits until every worker is ready and lets all go at once, so that they do meet. Workers wait for this. */
  async up(): Promise<void> {
    while (Atomics.load(this.control, UP) < this.workers.length) await sleep(1);
    Atomics.store(this.control, START, 1);
    Atomics.notify(this.control, START);
  }

  /** Lets the workers run for `seconds`, or until one sees a torn state if `untilTorn`; then stops them all. */
  async run(seconds: number, untilTorn = false): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end && !(untilTorn && Atomics.load(this.control, TORN) !== 0)) await sleep(5);
    await this.stop();
  }

  async stop(): Promise<void> {
    Atomics.store(this.control, STOP, 1);
    await Promise.all(this.#reports);
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
