/**
 * The standing of one writer's part of a series: whether it counts, and where. It is the first word of the
 * part's record, so that it outlives every thread, and all readers see the same.
 *
 *   UNDECIDED -----------> WITHIN, BEYOND    a reader: the set is within the cardinality limit of its stream,
 *                                            or not
 *   UNDECIDED, WITHIN ---> REMOVED -> ENDED  the owner: the series ends, of all writers; then a reader has
 *                                            told all owners
 *   any, of an overflow -> CLEARED -> ENDED  the same for all series of the stream
 *   any -----------------> ENDING -> ENDED   a reader: the series was removed; then its owner has let go
 *
 * Each step is one compare-and-swap. So a thread that dies has made it or not, and of two that make one the
 * other follows. A part that is REMOVED, CLEARED, ENDING or ENDED counts no more.
 *
 *   word    number of a removal << 3 | state
 *
 * Removals are numbered by a counter of the region. A part has the number of the removal that comes next when
 * it is made; with REMOVED and CLEARED, it has that of its own removal. So a removal ends the parts whose
 * numbers are not above its own, and those that are made after it belong to the life that follows. Numbers
 * wrap.
 */
import type { Region } from '../memory/region.ts';

const STATE_BITS = 3;
const STATE_MASK = 7;

/** New: no reader has met it. */
export const UNDECIDED = 0;
/** It is part of its series. */
export const WITHIN = 1;
/** The set is beyond the cardinality limit: the part counts in the overflow series, for good. */
export const BEYOND = 2;
/** Its owner has removed the series. */
export const REMOVED = 3;
/** The owner of this part of an overflow series has removed all series of the stream. */
export const CLEARED = 4;
/** The series was removed elsewhere. The owner does not know it yet. */
export const ENDING = 5;
/** Nobody counts it or records to it. */
export const ENDED = 6;

/** The standing of a part that is made now, or of one that says that its series was removed. */
export function standingOf({ endings }: Region, state: number = UNDECIDED): number {
  return (endings << STATE_BITS) | state;
}

/** The state of a part. `word`: int32 index of its standing. Any thread. */
export function stateAt(words: Int32Array, word: number): number {
  return Atomics.load(words, word) & STATE_MASK;
}

/** The number of the removal of a part that is REMOVED or CLEARED. */
export function removalAt(words: Int32Array, word: number): number {
  return Atomics.load(words, word) >> STATE_BITS;
}

/** Whether a part was made before the removal of that number. */
export function wasBefore(words: Int32Array, word: number, removal: number): boolean {
  const number = Atomics.load(words, word) & ~STATE_MASK;
  return (((removal << STATE_BITS) - number) | 0) >= 0;
}

/** Whether a part in this state counts no more. */
export function isOver(state: number): boolean {
  return state > BEYOND;
}

/** Whether anybody can have written such a state. */
export function isState(state: number): boolean {
  return state <= ENDED;
}

/**
 * Decides that an undecided part is `within` the limit or not. Returns its state then, which another thread
 * may have given it. Any thread.
 */
export function decide(words: Int32Array, word: number, within: boolean): number {
  for (;;) {
    const standing = Atomics.load(words, word);
    if ((standing & STATE_MASK) !== UNDECIDED) return standing & STATE_MASK;
    const decision = within ? WITHIN : BEYOND;
    if (Atomics.compareExchange(words, word, standing, standing | decision) === standing) return decision;
  }
}

/**
 * Ends a part: gives it the state `to`, and the number of a removal if it is its owner that removes the
 * series. False if it counts elsewhere (`BEYOND`), where it stays, or was over before. `isOverflow`: what
 * counts in the overflow series ends too. Any thread.
 */
export function end(
  words: Int32Array,
  word: number,
  to: number,
  isOverflow: boolean,
  removal?: number,
): boolean {
  for (;;) {
    const standing = Atomics.load(words, word);
    const state = standing & STATE_MASK;
    if (isOver(state) || (state === BEYOND && !isOverflow)) return false;
    const number = removal === undefined ? standing & ~STATE_MASK : removal << STATE_BITS;
    if (Atomics.compareExchange(words, word, standing, number | to) === standing) return true;
  }
}

/** Makes the state of a part that is over ENDED, if it is `from`. False if it is not. Any thread. */
export function finish(words: Int32Array, word: number, from: number): boolean {
  const standing = Atomics.load(words, word);
  if ((standing & STATE_MASK) !== from) return false;
  return Atomics.compareExchange(words, word, standing, (standing & ~STATE_MASK) | ENDED) === standing;
}
