/** 64 threads with a `SeqlockMetricsProvider` each, for the test plan of the founding specification. See `specification-worker.ts`. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { environmentOf, sleep, track } from './stress-job.ts';
import { MEMORY_ORDER } from '../../src/memory/memory-order.ts';

/** Phases. */
export const IDLE = 0;
export const READ = 1;
export const MIXED = 2;

/** Indices into the control words; from `FIRST_REPORT` on, `REPORT_WORDS` for each thread. */
export const PHASE = 0;
export const ACTIVE = 1;
export const FIRST_REPORT = 16;
export const REPORT_WORDS = 4;
/** Indices into a thread's report. */
export const IS_IDLE = 0;
export const READS = 1;
export const FAULTS = 2;
export const WRITES = 3;

export interface CrewData {
  readonly index: number;
  readonly control: Int32Array;
  /** A `Seqlock` of one number. */
  readonly lock: SharedArrayBuffer;
}

/** The values that are observed, in turn: one for each bucket, so that the buckets tell the sum. */
export const OBSERVED = [1, 7, 50] as const;
export const BUCKETS: readonly number[] = [1, 10];

export class SpecificationCrew {
  readonly size: number;
  readonly lock: SharedArrayBuffer = new SharedArrayBuffer(Seqlock.byteLength(1));
  readonly #control: Int32Array;
  readonly #workers: Worker[] = [];

  constructor(size: number) {
    this.size = size;
    this.#control = new Int32Array(new SharedArrayBuffer(4 * (FIRST_REPORT + REPORT_WORDS * size)));
  }

  async start(): Promise<void> {
    for (let index = 0; index < this.size; index++) {
      const data: CrewData = { index, control: this.#control, lock: this.lock };
      this.#workers.push(
        track(
          new Worker(new URL('./specification-worker.js', import.meta.url), {
            workerData: data,
            env: environmentOf(MEMORY_ORDER),
          }),
        ),
      );
    }
    await this.#allIdle();
  }

  /**
   * Has the first `active` threads do what a phase is, while `meanwhile` runs and until each has read `leastReads` times. Returns
   * what they did in the phase.
   */
  async run(
    phase: number,
    active: number,
    leastReads: number,
    meanwhile: () => void | Promise<void>,
  ): Promise<{ reads: number; faults: number; writes: number }> {
    const control = this.#control;
    for (let i = FIRST_REPORT; i < control.length; i += REPORT_WORDS)
      control.fill(0, i + READS, i + REPORT_WORDS);
    Atomics.store(control, ACTIVE, active);
    this.#enter(phase);
    const deadline = performance.now() + 40_000;
    do await meanwhile();
    while (this.#least(READS, active) < leastReads && performance.now() < deadline && (await sleep(1), true));
    this.#enter(IDLE);
    await this.#allIdle();
    if (this.#least(READS, active) < leastReads) throw new Error('a thread has hardly read');
    return { reads: this.#total(READS), faults: this.#total(FAULTS), writes: this.#total(WRITES) };
  }

  /** Stops some threads wherever they are: the first `count` of them. */
  async terminate(count: number): Promise<void> {
    await Promise.all(
      this.#workers.splice(0, count).map(async (worker) => {
        const exited = once(worker, 'exit');
        await worker.terminate();
        await exited;
      }),
    );
  }

  enter(phase: number, active: number): void {
    Atomics.store(this.#control, ACTIVE, active);
    this.#enter(phase);
  }

  #enter(phase: number): void {
    Atomics.store(this.#control, PHASE, phase);
    Atomics.notify(this.#control, PHASE);
  }

  async #allIdle(): Promise<void> {
    while (this.#least(IS_IDLE, this.size) === 0) await sleep(2);
  }

  #least(what: number, threads: number): number {
    let least = Infinity;
    for (let i = 0; i < threads; i++)
      least = Math.min(least, Atomics.load(this.#control, FIRST_REPORT + REPORT_WORDS * i + what));
    return least;
  }

  #total(what: number): number {
    let total = 0;
    for (let i = 0; i < this.size; i++)
      total += Atomics.load(this.#control, FIRST_REPORT + REPORT_WORDS * i + what);
    return total;
  }
}
