/** Worker threads that record what a test tells them to. */
import { Worker } from 'node:worker_threads';
import type { Job, ThreadData } from './recording-thread.ts';

interface Reply {
  readonly id: number;
  readonly reply?: unknown;
  readonly error?: string;
}

const running = new Set<Thread>();

export class Thread {
  /** Resolves to the exit code. */
  readonly ended: Promise<number>;
  /** What the thread died of, if it did. */
  error: unknown;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(reply: unknown): void; reject(error: Error): void }>();
  #asked = 0;

  constructor(data: ThreadData = {}) {
    this.#worker = new Worker(new URL('./recording-thread.js', import.meta.url), { workerData: data, stderr: true });
    this.#worker.on('error', (error) => (this.error = error));
    this.#worker.on('message', ({ id, reply, error }: Reply) => {
      const waiting = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      if (error === undefined) waiting.resolve(reply);
      else waiting.reject(new Error(error));
    });
    this.ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        running.delete(this);
        for (const { reject } of this.#waiting.values()) reject(new Error(`the thread ended with ${code}: ${String(this.error)}`));
        resolve(code);
      });
    });
    running.add(this);
  }

  /** Has the thread do a job; resolves to its reply, rejects when the thread ends before. */
  ask<T = unknown>(job: Job): Promise<T> {
    const id = this.#asked++;
    const reply = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (reply: unknown) => void, reject });
    });
    this.#worker.postMessage({ id, job });
    return reply;
  }

  /** Stops the thread wherever it is. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.ended;
  }
}

/** A flag for threads to look at, or a count for them to keep. */
export function sharedWord(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4));
}

/** For `afterEach`. */
export async function endThreads(): Promise<void> {
  await Promise.all([...running].map((thread) => thread.terminate()));
}
