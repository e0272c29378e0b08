import { performance, setTimeout, clearTimeout } from '../base/platform.ts';
import { DONE_INDEX, FAILED_INDEX, REQUESTED_INDEX } from './protocol.ts';

/** `late`: not done in time. */
export type FlushOutcome = 'delivered' | 'failed' | 'late';

/** The host's side of the control words (protocol.ts): asks for flushes and waits for them. */
export class FlushRequests {
  readonly control: SharedArrayBuffer;
  readonly #words: Int32Array;
  #diedOver: number | undefined;

  constructor(control: SharedArrayBuffer) {
    this.control = control;
    this.#words = new Int32Array(control);
  }

  /** Asks for a flush of all that is recorded by now. Returns its number. */
  request(): number {
    const number = (Atomics.add(this.#words, REQUESTED_INDEX, 1) + 1) | 0;
    Atomics.notify(this.#words, REQUESTED_INDEX);
    return number;
  }

  /** Waits without turning the event loop. */
  waitFor(number: number, timeoutMillis: number): FlushOutcome {
    const deadline = performance.now() + timeoutMillis;
    for (;;) {
      const done = Atomics.load(this.#words, DONE_INDEX);
      if (isReached(done, number)) return this.#outcome();
      const left = deadline - performance.now();
      if (left <= 0) return 'late';
      Atomics.wait(this.#words, DONE_INDEX, done, left);
    }
  }

  /** Waits while the event loop turns, and keeps the process alive until then. */
  async whenDone(number: number, timeoutMillis: number): Promise<FlushOutcome> {
    const deadline = performance.now() + timeoutMillis;
    for (;;) {
      const done = Atomics.load(this.#words, DONE_INDEX);
      if (isReached(done, number)) return this.#outcome();
      const left = deadline - performance.now();
      if (left <= 0) return 'late';
      const wait = Atomics.waitAsync(this.#words, DONE_INDEX, done, left);
      if (!wait.async) continue;
      const timer = setTimeout(() => {}, left);
      await wait.value;
      clearTimeout(timer);
    }
  }

  /**
   * Call when a thread died. A flush that was asked for is left to the next thread; when that dies of it as well, it has failed: it may be the
   * flush that kills.
   */
  noteDeath(): void {
    const requested = Atomics.load(this.#words, REQUESTED_INDEX);
    if (requested === Atomics.load(this.#words, DONE_INDEX)) return;
    if (this.#diedOver === requested) {
      Atomics.store(this.#words, FAILED_INDEX, 1);
      Atomics.store(this.#words, DONE_INDEX, requested);
      Atomics.notify(this.#words, DONE_INDEX);
    }
    this.#diedOver = requested;
  }

  #outcome(): FlushOutcome {
    return Atomics.load(this.#words, FAILED_INDEX) === 0 ? 'delivered' : 'failed';
  }
}

/** Numbers wrap. */
function isReached(done: number, number: number): boolean {
  return ((done - number) | 0) >= 0;
}
