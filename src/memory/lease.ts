import { READER_MARK_INDEX } from './layout.ts';
import { isProvenDead } from './liveness.ts';

/**
 * The right to read the store for all processes: to serve it and to push it. It has one holder at a time and
 * ends with its holder's life.
 */
export interface Lease {
  /** Takes the lease, unless another live holder has it. True when this thread has it now. */
  take(): boolean;
}

/** Between the threads of one process: the holder's mark in a word of the region's header. */
export class ThreadLease implements Lease {
  readonly #words: Int32Array;
  readonly #mark: number;

  /** `mark`: the mark of this thread in the region. */
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
