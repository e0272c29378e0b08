import { withoutContext } from '../base/no-context.ts';
import { queueMicrotask } from '../base/platform.ts';

/**
 * Wake-ups: who has changed a word of the region calls `wake`, and all who wait for that word go on. Indices
 * are those of int32 words of the header and the slab table only, because these never move.
 */
export interface Signal {
  /** Wakes all who wait for word `index`. Call it after the change. Any thread. */
  wake(index: number): void;
  /**
   * Resolves when word `index` is no longer `seen`, or after `millis`. It may resolve earlier, so look again.
   * Undefined if the word has changed already. Does not keep the process alive.
   */
  wait(index: number, seen: number, millis?: number): Promise<unknown> | undefined;
}

/** Between the threads of one process, which share the memory itself. */
export class ThreadSignal implements Signal {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  wake(index: number): void {
    Atomics.notify(this.#words, index);
  }

  wait(index: number, seen: number, millis: number = Infinity): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.#words, index, seen, millis);
    return wait.async ? wait.value : undefined;
  }
}

/**
 * Calls `then` when word `index` is no longer `seen`. For waits that last as long as a store. The wait is in
 * no context, since it may begin in a request. It holds `then`, and nothing else, until it is over.
 */
export function whenChanged(signal: Signal, index: number, seen: number, then: () => void): void {
  withoutContext(() => {
    const changed = signal.wait(index, seen);
    if (changed !== undefined) void changed.then(then);
    else queueMicrotask(then);
  });
}
