/**
 * The mutex among the writers of one `Seqlock`: one Int32 word of shared memory.
 *
 *   bit      31        30 .. 0
 *            +---------+----------------------------------------------+
 *            | waiters | mark of the holder (liveness.ts); 0 = free   |
 *            +---------+----------------------------------------------+
 *
 * waiters  some thread may be asleep on the word, so whoever frees it must wake one.
 *
 * Assumptions
 *   A1  Every thread that locks the word has a mark no other live thread of the process has.
 *   A2  `isDead(mark)` is true only when the thread of that mark runs no more code, ever.
 *   A3  The kernel does not give a dead thread's id to a new thread that then takes this very lock in the
 *       moment between a proof of death and the compare-and-exchange that follows it.
 * Guarantees
 *   G1  At most one live thread is between `acquire` and `release`.
 *   G2  A holder that dies, at any instruction, is found and replaced by the next thread that wants the lock.
 *       Its mark is exchanged for the successor's in one step, so of several successors one wins. Time alone
 *       proves nothing: a holder that is suspended keeps the lock for as long as that lasts.
 *   G3  A thread holds one lock at a time; a second `acquire` throws instead of waiting for itself or for a
 *       circle.
 *   G4  A wake-up lost with a thread that died on receiving it delays the others by one timed sleep, no more.
 * Not guaranteed: fairness; an end to waiting while a live holder does not release; recovery where nothing
 * can prove a death (no /proc and no `isDead`), or while the kernel lends a dead holder's id to another live
 * thread.
 */
import { isProvenDead, OWN_MARK } from './liveness.ts';

const FREE = 0;
const WAITERS = 0x80000000 | 0;
const MARK = 0x7fffffff;

/**
 * How often to look at the word before the first sleep. Holders are inside for some ten nanoseconds; a sleep
 * costs 50 us.
 */
const SPINS = 100;
/** Longest sleep before the holder is checked for death again: first, and after repeated checks. */
const FIRST_SLEEP_MS = 1;
const LONGEST_SLEEP_MS = 20;

/** Whether this thread is inside a lock. One flag per thread, because each thread loads this module once. */
let inside = false;

export class WriterLock {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #isDead: (mark: number) => boolean;

  /** A lock on `words[index]`, which must be shared and start as 0. */
  constructor(words: Int32Array, index: number, isDead: (mark: number) => boolean = isProvenDead) {
    this.#words = words;
    this.#index = index;
    this.#isDead = isDead;
  }

  /**
   * Throws when this thread is inside a lock. Called by `acquire`; alone, for a caller with work to do before
   * it.
   */
  refuseNested(): void {
    if (!inside) return;
    throw new Error(
      'Seqlock: write or update was called inside the function given to update. ' +
        'Change the array that function is given instead; it is written when the function returns.',
    );
  }

  /**
   * Waits for the lock and takes it. Any thread, the main thread too. Follow with `release` in a `finally`.
   */
  acquire(): void {
    this.refuseNested();
    if (Atomics.compareExchange(this.#words, this.#index, FREE, OWN_MARK) !== FREE) this.#wait();
    inside = true;
  }

  /**
   * Frees the lock and wakes one waiter. Throws, and frees nothing, if the lock is no longer this thread's.
   */
  release(): void {
    inside = false;
    const word = Atomics.compareExchange(this.#words, this.#index, OWN_MARK, FREE);
    if (word === OWN_MARK) return;
    const waited = OWN_MARK | WAITERS;
    if (word !== waited || Atomics.compareExchange(this.#words, this.#index, waited, FREE) !== waited) {
      throw new Error(
        `Seqlock: the writer lock of thread ${OWN_MARK} was taken over while that thread was alive; ` +
          'isDead must return true only for threads that have ended',
      );
    }
    Atomics.notify(this.#words, this.#index, 1);
  }

  #wait(): void {
    const words = this.#words;
    const index = this.#index;
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(words, index) === FREE && this.#replace(FREE, OWN_MARK)) return;
    }
    // From here on the word is taken with the waiters bit. Other threads may be asleep, and only a holder
    // that sees the bit wakes them.
    const mine = OWN_MARK | WAITERS;
    for (let sleepMs = FIRST_SLEEP_MS; ;) {
      const word = Atomics.load(words, index);
      // This thread is inside no lock. So its own mark was left by a dead thread whose id it was given. Or it
      // was left by this thread itself, when an exception such as a stack overflow came between taking the
      // lock and noting it.
      if (word === FREE || (word & MARK) === OWN_MARK) {
        if (this.#replace(word, mine)) return;
        continue;
      }
      const waited = word | WAITERS;
      if (word !== waited && !this.#replace(word, waited)) continue;
      if (Atomics.wait(words, index, waited, sleepMs) !== 'timed-out') continue;
      if (this.#isDead(waited & MARK) && this.#replace(waited, mine)) return;
      sleepMs = Math.min(2 * sleepMs, LONGEST_SLEEP_MS);
    }
  }

  #replace(expected: number, word: number): boolean {
    return Atomics.compareExchange(this.#words, this.#index, expected, word) === expected;
  }
}
