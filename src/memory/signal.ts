import { withoutContext } from '../base/no-context.ts';
import { queueMicrotask } from '../base/platform.ts';

/**
 * Wake-ups: one who has changed a word of the region says so, and whoever waits for that word goes on.
 * Indices are those of the region's int32 words, of header and slab table alone: these never move.
 */
export interface Signal {
  /** Wakes all who wait for word `index`. Call it after the change. Any thread. */
  wake(index: number): void;
  /**
   * Resolves when word `index` is no longer `seen`, or after `millis`; it may resolve earlier, so look again.
   * Undefined where the word has changed already. Does not keep the process alive.
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
 * Calls `then` when word `index` is no longer `seen`. For waits that last as long as a store: in no context,
 * since whoever begins one may be in a request. What `then` holds is held until then; this function adds
 * nothing.
 */
export function whenChanged(signal: Signal, index: number, seen: number, then: () => void): void {
  withoutContext(() => {
    const changed = signal.wait(index, seen);
    if (changed !== undefined) void changed.then(then);
    else queueMicrotask(then);
  });
}
