/**
 * `Seqlock`: an array of numbers that any thread reads whole and any thread writes whole, in shared memory.
 *
 *   byte from byteOffset   0               8                 16              16 + 8n         16 + 16n
 *                          +-------+-------+---------+-------+---------------+---------------+
 *                          | lock  | shape | version | (not  | slot 0        | slot 1        |
 *                          | i32   | i32   | i32     | used) | f64 x n       | f64 x n       |
 *                          +-------+-------+---------+-------+---------------+---------------+
 *                                          '------- a cell without a tail, see cell.ts ------'
 *
 * lock     the mutex among writers, see writer-lock.ts. Readers never look at it.
 * shape    4 n + the memory order (1 FAST, 2 STRICT) of whoever came first; 0 = nobody yet. Threads that
 *          disagree about either would read each other wrongly, so they are refused.
 * version  as in cell.ts.
 *
 * Zeroed memory is a Seqlock of n zeros, so no thread has to be first.
 *
 * Guarantees
 *   G1  What a reader accepts is one whole array that one `write` or `update` published. Never a mixture.
 *   G2  Writes happen one after the other; `update` sees what the write before it published. None is lost or
 *       doubled.
 *   G3  A writer may die at any instruction: readers go on with the last published array, the lock is
 *       recovered on proof of the death, and the write that was under way never happened.
 *   G4  Readers never wait for the lock, and are bounded in tries and time.
 * Not guaranteed: that `read` succeeds against writers that never pause (it says so); fairness among writers;
 * that `write` returns while a live holder of the lock is suspended; any order between two Seqlocks.
 *
 * Why this is right on x64 and arm64: docs/memory-model.md.
 */
import { isMainThread } from 'node:worker_threads';
import { someFunction, table, type Check } from '../base/options.ts';
import { performance } from '../base/platform.ts';
import { cellWords, readConsistent } from './cell.ts';
import { isProvenDead, OWN_MARK } from './liveness.ts';
import { MEMORY_ORDER } from './memory-order.ts';
import { sleepSync } from './sleep.ts';
import { WriterLock } from './writer-lock.ts';

const LOCK_INDEX = 0;
const SHAPE_INDEX = LOCK_INDEX + 1;
const CELL = 1; // float64 index of the cell, behind lock and shape
const VERSION_INDEX = CELL << 1;
const SLOTS = CELL + 1;

const BYTES_PER_WORD = 8;
/** `shape` is an int32 that holds 4 x length. */
const MAX_LENGTH = 2 ** 29 - 1;
const ORDER_CODE = MEMORY_ORDER === 'fast' ? 1 : 2;

/**
 * How long a reader goes on after its first `MAX_TRIES` attempts. On the main thread it is shorter, because
 * an event loop waits.
 */
const READ_BUDGET_MS = isMainThread ? 1 : 5;
const FIRST_NAP_MS = 0.02;
const LONGEST_NAP_MS = 1;

/** How a `Seqlock` learns of deaths. */
export interface SeqlockOptions {
  /**
   * Proof of death in addition to the built-in one, which needs Linux's /proc. Given the mark of the thread
   * that holds the writer lock (that thread's `Seqlock.ownMark`), returns true only if that thread has ended,
   * for instance because its worker's 'exit' event was seen. Called by waiting writers, at most once a
   * millisecond.
   */
  readonly isDead?: (mark: number) => boolean;
}

const CHECK: Check = table<SeqlockOptions>({ isDead: someFunction }, { prefix: '' });

/**
 * An array of numbers in shared memory, which any thread reads whole and any thread writes whole. Readers
 * never wait for writers. A writer that dies leaves the last array that was published.
 */
export class Seqlock {
  /** Numbers in the array. */
  readonly length: number;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #lock: WriterLock;
  // Two private arrays, because the function given to `update` may call `read`.
  readonly #readCopy: Float64Array;
  readonly #writeCopy: Float64Array;

  /** Bytes of shared memory for an array of `length` numbers. */
  static byteLength(length: number): number {
    checkLength(length);
    return (CELL + cellWords(length, 0)) * BYTES_PER_WORD;
  }

  /**
   * The mark by which the writer lock names the calling thread. Other threads' `isDead` is asked about it.
   */
  static get ownMark(): number {
    return OWN_MARK;
  }

  /**
   * The Seqlock of `length` numbers at `byteOffset` (a multiple of 8) of `buffer`, which may be growable.
   * Every thread makes its own object over the same range. The range must be zeroed before the first one is
   * made.
   *
   * @throws TypeError or RangeError on a wrong argument, and where another thread made it with another
   * length.
   */
  constructor(buffer: SharedArrayBuffer, byteOffset: number, length: number, options: SeqlockOptions = {}) {
    CHECK(options, 'options of Seqlock');
    const { isDead } = options;
    checkRange(buffer, byteOffset, length);
    const words = Seqlock.byteLength(length) / BYTES_PER_WORD;
    this.length = length;
    // Explicit lengths: a view that tracks a growable buffer makes every access some 100 ns slower.
    this.#words = new Int32Array(buffer, byteOffset, 2 * words);
    this.#doubles = new Float64Array(buffer, byteOffset, words);
    claimShape(this.#words, length);
    const dead = isDead && ((mark: number) => isProvenDead(mark) || isDead(mark));
    this.#lock = new WriterLock(this.#words, LOCK_INDEX, dead);
    this.#readCopy = new Float64Array(length);
    this.#writeCopy = new Float64Array(length);
  }

  /**
   * Copies the array last published to `into[0 .. length)` and returns true. Never waits for a writer that is
   * inside or dead. If writers publish during every attempt for about 5 ms (1 ms on the main thread, each
   * after `MAX_TRIES` attempts without a pause) it gives up: it returns false and leaves `into` as it was.
   * Any thread.
   */
  read(into: Float64Array): boolean {
    if (into.length < this.length) {
      throw new RangeError(`Seqlock: into must have at least ${this.length} elements, got ${into.length}`);
    }
    const copy = this.#readCopy;
    if (
      readConsistent(this.#words, this.#doubles, CELL, this.length, 0, copy) === 0 &&
      !this.#readPatiently()
    ) {
      return false;
    }
    for (let i = 0; i < copy.length; i++) into[i] = copy[i]!;
    return true;
  }

  /**
   * Publishes the `length` numbers of `from` as one state. Waits while another thread writes. Any thread, but
   * not inside the function given to `update`, where it throws.
   */
  write(from: Float64Array | readonly number[]): void {
    this.#lock.refuseNested();
    if (from.length !== this.length) {
      throw new RangeError(`Seqlock: from must have ${this.length} elements, got ${from.length}`);
    }
    const copy = this.#writeCopy; // so that no code of the caller runs or throws under the lock
    for (let i = 0; i < copy.length; i++) {
      const value = from[i]!;
      if (typeof value !== 'number') {
        throw new TypeError(`Seqlock: from[${i}] must be a number, got ${describe(value)}`);
      }
      copy[i] = value;
    }
    this.#lock.acquire();
    try {
      this.#publish();
    } finally {
      this.#lock.release();
    }
  }

  /**
   * Passes the published array to `change`, which alters it in place, and publishes the result. No other
   * thread writes in between. Nothing is published if `change` throws. `change` runs under the writer lock:
   * it must be quick and synchronous, must not keep the array, and must not write or update any Seqlock (that
   * throws). Any thread.
   */
  update(change: (state: Float64Array) => void): void {
    this.#lock.acquire();
    try {
      const copy = this.#writeCopy;
      const slot = SLOTS + (Atomics.load(this.#words, VERSION_INDEX) & 1) * this.length;
      for (let i = 0; i < copy.length; i++) copy[i] = this.#doubles[slot + i]!;
      change(copy);
      this.#publish();
    } finally {
      this.#lock.release();
    }
  }

  /**
   * The writer's half of the cell protocol. Call it under the lock only, where the version is read after the
   * last writer. The publish is a read-modify-write in both forms: next to the two of the lock it costs
   * little, and it needs no assumption about the compiler.
   */
  #publish(): void {
    const words = this.#words;
    const doubles = this.#doubles;
    const copy = this.#writeCopy;
    const version = Atomics.load(words, VERSION_INDEX);
    const scratch = SLOTS + (~version & 1) * copy.length;
    for (let i = 0; i < copy.length; i++) doubles[scratch + i] = copy[i]!;
    Atomics.exchange(words, VERSION_INDEX, (version + 1) | 0);
  }

  #readPatiently(): boolean {
    const end = performance.now() + READ_BUDGET_MS;
    for (let napMs = FIRST_NAP_MS; performance.now() < end; napMs = Math.min(2 * napMs, LONGEST_NAP_MS)) {
      sleepSync(napMs);
      if (readConsistent(this.#words, this.#doubles, CELL, this.length, 0, this.#readCopy) !== 0) return true;
    }
    return false;
  }
}

function checkLength(length: number): void {
  if (typeof length !== 'number')
    throw new TypeError(`Seqlock: length must be a number, got ${describe(length)}`);
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH) {
    throw new RangeError(`Seqlock: length must be an integer from 1 to ${MAX_LENGTH}, got ${length}`);
  }
}

function checkRange(buffer: SharedArrayBuffer, byteOffset: number, length: number): void {
  // By tag, not by instanceof: a buffer made in another realm (vm, some test runners) works too.
  if (Object.prototype.toString.call(buffer) !== '[object SharedArrayBuffer]') {
    throw new TypeError(`Seqlock: buffer must be a SharedArrayBuffer, got ${describe(buffer)}`);
  }
  if (typeof byteOffset !== 'number') {
    throw new TypeError(`Seqlock: byteOffset must be a number, got ${describe(byteOffset)}`);
  }
  if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset % BYTES_PER_WORD !== 0) {
    throw new RangeError(`Seqlock: byteOffset must be a multiple of 8 and not negative, got ${byteOffset}`);
  }
  const end = byteOffset + Seqlock.byteLength(length);
  if (end > buffer.byteLength) {
    throw new RangeError(
      `Seqlock: ${length} numbers at byteOffset ${byteOffset} need a buffer of ${end} bytes, got ${buffer.byteLength}`,
    );
  }
}

/** The first thread of all writes length and memory order. Every later one compares them. */
function claimShape(words: Int32Array, length: number): void {
  const shape = 4 * length + ORDER_CODE;
  const found = Atomics.compareExchange(words, SHAPE_INDEX, 0, shape);
  if (found === 0 || found === shape) return;
  if (found >>> 2 !== length) {
    throw new RangeError(
      `Seqlock: length must be ${found >>> 2}, as for the thread that made it, got ${length}`,
    );
  }
  throw new Error(
    `Seqlock: this thread runs the ${MEMORY_ORDER} memory order and the thread that made it another; ` +
      'set SEQLOCK_METRICS_MEMORY_ORDER for the whole process, not for one worker',
  );
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? Object.prototype.toString.call(value)
      : typeof value;
}
