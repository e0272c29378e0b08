import { clearTimeout, performance, setTimeout } from '../base/platform.ts';
import {
  CONTROL_BYTES,
  DONE_INDEX,
  FAILED_INDEX,
  LAST_INDEX,
  REASON_LENGTH_INDEX,
  REASON_OFFSET,
  REQUESTED_INDEX,
} from './protocol.ts';

/** `late`: not done in time. */
export type FlushOutcome = 'delivered' | 'failed' | 'late';

/** The host's side of the control words (protocol.ts): requests flushes and waits for them. */
export class FlushRequests {
  readonly control: SharedArrayBuffer = new SharedArrayBuffer(CONTROL_BYTES);
  readonly #words = new Int32Array(this.control);
  #diedOver: number | undefined;

  /**
   * Requests a flush of everything that is recorded by now. Returns its number. `isLast`: the app ends, and
   * must not wait for something that cannot succeed.
   */
  request(isLast: boolean): number {
    const number = (Atomics.load(this.#words, REQUESTED_INDEX) + 1) | 0;
    if (isLast) Atomics.store(this.#words, LAST_INDEX, number);
    Atomics.store(this.#words, REQUESTED_INDEX, number); // by this thread alone
    Atomics.notify(this.#words, REQUESTED_INDEX);
    return number;
  }

  isDone(number: number): boolean {
    return isReached(Atomics.load(this.#words, DONE_INDEX), number);
  }

  /** Whether the latest flush that is done has failed. */
  get hasFailed(): boolean {
    return Atomics.load(this.#words, FAILED_INDEX) === 1;
  }

  /** Why the latest flush that is done has failed. */
  get reason(): string {
    const length = this.#words[REASON_LENGTH_INDEX]!;
    // A copy, because text in shared memory cannot be decoded.
    return new TextDecoder().decode(new Uint8Array(this.control, REASON_OFFSET, length).slice());
  }

  /** Ends a flush that nobody can do. */
  fail(number: number): void {
    const { written } = new TextEncoder().encodeInto(
      'there is no exporter thread',
      new Uint8Array(this.control, REASON_OFFSET),
    );
    this.#words[REASON_LENGTH_INDEX] = written;
    Atomics.store(this.#words, FAILED_INDEX, 1);
    Atomics.store(this.#words, DONE_INDEX, number);
    Atomics.notify(this.#words, DONE_INDEX);
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
   * Call it when a thread died. A flush that was requested is left to its successor, if there will be one. If
   * the successor dies of it as well, the flush has failed: it may be the flush that kills.
   */
  noteDeath(hasSuccessor: boolean): void {
    const requested = Atomics.load(this.#words, REQUESTED_INDEX);
    if (this.isDone(requested)) return;
    if (!hasSuccessor || this.#diedOver === requested) this.fail(requested);
    this.#diedOver = requested;
  }

  #outcome(): FlushOutcome {
    return this.hasFailed ? 'failed' : 'delivered';
  }
}

/** Numbers wrap. */
function isReached(done: number, number: number): boolean {
  return ((done - number) | 0) >= 0;
}
