import { READER_MARK_INDEX } from './layout.ts';
import { isProvenDead } from './liveness.ts';

/**
 * The right to read the store for all: to serve it and to push it. One holder at a time; it ends with its
 * holder's life.
 */
export interface Lease {
  /** Takes the lease, unless another live holder has it. True when this thread has it now. */
  take(): boolean;
}

/** Between the threads of one process: the holder's mark in a word of the region's header. */
export class ThreadLease implements Lease {
  readonly #words: Int32Array;
  readonly #mark: number;

  /** `mark`: this thread's in the region. */
  constructor(words: Int32Array, mark: number) {
    this.#words = words;
    this.#mark = mark;
  }

  take(): boolean {
    for (;;) {
      const holder = Atomics.load(this.#words, READER_MARK_INDEX);
      if (holder === this.#mark) return true;
      if (holder !== 0 && !isProvenDead(holder)) return false;
      if (Atomics.compareExchange(this.#words, READER_MARK_INDEX, holder, this.#mark) === holder) return true;
    }
  }
}
