import { performance } from '../../base/platform.ts';

/**
 * How many times of one operation are kept: the latest ones. A pause of the thread does not move their
 * median.
 */
const KEPT = 512;
/** One of so many calls is timed. */
const MEAN_DISTANCE = 32;

/** What one kind of operation costs on each side. */
export interface OperationCost {
  /** Its name in the interface, for instance `counter.inc`. */
  readonly operation: string;
  /** Calls so far. */
  readonly calls: number;
  /** How many of them were timed. */
  readonly timed: number;
  /**
   * Median time of a call in seqlock mode, in nanoseconds, without the clock's own. NaN when none was timed.
   */
  readonly seqlockNanos: number;
  /** The same in standard mode. */
  readonly standardNanos: number;
}

/** Runs an operation on both sides, and times some of its calls. */
export class OperationTimer {
  readonly #operation: string;
  readonly #seqlock = new Float64Array(KEPT);
  readonly #standard = new Float64Array(KEPT);
  #calls = 0;
  #timed = 0;
  #untilTimed = 1;

  constructor(operation: string) {
    this.#operation = operation;
  }

  /** True if this call is to be timed: then pass both sides to `time`. */
  isTimed(): boolean {
    this.#calls++;
    return --this.#untilTimed <= 0;
  }

  /** Runs both sides; they take turns at going first. Returns the result of the first. */
  time<T>(seqlock: () => T, standard: () => T): T {
    this.#untilTimed = 1 + Math.floor(Math.random() * (2 * MEAN_DISTANCE - 1));
    const at = this.#timed++ % KEPT;
    if (this.#timed % 2 === 0) timeInto(this.#standard, at, standard);
    const result = timeInto(this.#seqlock, at, seqlock);
    if (this.#timed % 2 === 1) timeInto(this.#standard, at, standard);
    return result;
  }

  cost(): OperationCost {
    const kept = Math.min(this.#timed, KEPT);
    return {
      operation: this.#operation,
      calls: this.#calls,
      timed: this.#timed,
      seqlockNanos: netNanos(this.#seqlock, kept),
      standardNanos: netNanos(this.#standard, kept),
    };
  }
}

function timeInto<T>(times: Float64Array, at: number, work: () => T): T {
  const started = performance.now();
  const result = work();
  times[at] = performance.now() - started;
  return result;
}

let clockMillis: number | undefined;

/** The time between two looks at the clock with nothing in between. */
function clockCost(): number {
  if (clockMillis === undefined) {
    const times = new Float64Array(KEPT);
    for (let i = 0; i < KEPT; i++) timeInto(times, i, () => i);
    clockMillis = median(times, KEPT);
  }
  return clockMillis;
}

function netNanos(times: Float64Array, kept: number): number {
  return kept === 0 ? Number.NaN : Math.max(0, median(times, kept) - clockCost()) * 1e6;
}

function median(times: Float64Array, kept: number): number {
  return times.slice(0, kept).sort()[kept >> 1]!;
}
