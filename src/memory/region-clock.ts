/**
 * A clock for "which writer set this gauge last", made of one shared counter and no time.
 *
 * A tick is a float64 integer above 0. Rule: of two sets where one happened before the other (same thread, or
 * ordered by a message, a lock or an atomic), the later has the greater or, from the same writer, an equal
 * tick. Ticks of different writers are never equal.
 *
 * A writer takes a new tick only when another writer has taken one since its own last one. So while one
 * thread alone sets gauges, a set costs one atomic load and no write to shared memory. (Lamport, "Time,
 * Clocks, and the Ordering of Events in a Distributed System", 1978, with one counter in place of messages.)
 *
 * The counter is an int32 that wraps. The word beside it counts its wraps in halves: the low bit of `half` is
 * the counter's top bit, unless the thread that crossed a half has not counted it yet. Any thread that finds
 * this state repairs it, so a thread that died there leaves nothing wrong. This holds as long as no thread
 * sleeps through 2^30 ticks inside `now`.
 */
import { TICK_HALF_INDEX, TICK_INDEX } from './layout.ts';

const QUARTER: number = 2 ** 30;

export class RegionClock {
  readonly #words: Int32Array;
  #taken = 0; // the counter's value when this writer took its tick
  #tick = 0; // that tick, whole; 0 = none yet

  /** One per writer and region. `words` must start at the region's start. */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The tick for a set that happens now. Only the writer's thread. Never allocates. */
  now(): number {
    if (this.#tick !== 0 && Atomics.load(this.#words, TICK_INDEX) === this.#taken) return this.#tick;
    return this.take();
  }

  /** A tick that is greater than every one taken before. Only the writer's thread. */
  take(): number {
    const taken = (Atomics.add(this.#words, TICK_INDEX, 1) + 1) | 0;
    this.#taken = taken;
    this.#tick = wholeTick(this.#words, taken);
    return this.#tick;
  }
}

/** The newest tick that any writer has taken; 0 when none has. Any thread. */
export function newestTick(words: Int32Array): number {
  const counter = Atomics.load(words, TICK_INDEX);
  return counter === 0 && Atomics.load(words, TICK_HALF_INDEX) === 0 ? 0 : wholeTick(words, counter);
}

/**
 * Extends the int32 counter to a float64 by the number of halves crossed. Repairs that number if it is
 * behind.
 */
function wholeTick(words: Int32Array, counter: number): number {
  const unsigned = counter >>> 0;
  const half = Atomics.load(words, TICK_HALF_INDEX);
  const intoHalf = unsigned & 0x7fffffff;
  if ((half & 1) === unsigned >>> 31) return (half >>> 1) * 2 ** 32 + unsigned;
  // The two disagree. Near the start of a half the crossing is not counted yet. Near its end this tick is the
  // older.
  const actual = intoHalf < QUARTER ? half + 1 : half - 1;
  if (actual > half) Atomics.compareExchange(words, TICK_HALF_INDEX, half, actual);
  return (actual >>> 1) * 2 ** 32 + unsigned;
}
