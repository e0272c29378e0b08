import { Worker } from 'node:worker_threads';

export type MetricsJob =
  /** `times` each of: a count, a step of 2 up and 1 down, an observation. */
  | { readonly do: 'record'; readonly times: number }
  | { readonly do: 'set'; readonly value: number }
  | { readonly do: 'add'; readonly value: number }
  /** Replies with what the thread itself reads. */
  | { readonly do: 'read' }
  /** Sets the gauge to multiples of `step`, in turn. Replies with their number. */
  | { readonly do: 'set until told'; readonly step: number; readonly stop: Int32Array }
  /** Replies with the number of additions of 1. */
  | { readonly do: 'add until told'; readonly stop: Int32Array };

const running = new Set<Worker>();

/** A worker thread that records through the `MetricsProvider` interface. */
export class MetricsThread {
  readonly #worker = new Worker(new URL('./metrics-worker.js', import.meta.url));
  readonly #waiting = new Map<number, (reply: unknown) => void>();
  #asked = 0;

  constructor() {
    running.add(this.#worker);
    this.#worker.once('exit', () => running.delete(this.#worker));
    this.#worker.on('message', ({ id, reply }: { id: number; reply: unknown }) => {
      this.#waiting.get(id)!(reply);
      this.#waiting.delete(id);
    });
  }

  ask<T = undefined>(job: MetricsJob): Promise<T> {
    const id = this.#asked++;
    const reply = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, resolve as (reply: unknown) => void);
      this.#worker.once('error', reject);
    });
    this.#worker.postMessage({ id, job });
    return reply;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** For `afterEach`. */
export async function endMetricsThreads(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.terminate()));
}
