/**
 * The standing of one writer's part of a series: whether it counts, and where. It is the first word of the
 * part's record, so that it outlives every thread, and all readers see the same.
 *
 *   UNDECIDED  -> WITHIN, BEYOND    a reader: the set is within the cardinality limit of its stream, or not
 *
 * Each step is one compare-and-swap. So a thread that dies has made it or not, and of two that make one the
 * other follows.
 */

/** New: no reader has met it. */
export const UNDECIDED = 0;
/** It is part of its series. */
export const WITHIN = 1;
/** The set is beyond the cardinality limit: the part counts in the overflow series, for good. */
export const BEYOND = 2;

/**
 * Decides that an undecided part is `within` the limit or not. Returns what it is, which another reader may
 * have decided. `word`: int32 index of the standing. Any thread.
 */
export function decide(words: Int32Array, word: number, within: boolean): number {
  const decision = within ? WITHIN : BEYOND;
  const before = Atomics.compareExchange(words, word, UNDECIDED, decision);
  return before === UNDECIDED ? decision : before;
}
