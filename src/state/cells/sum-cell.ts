/**
 * Sum cell: one running total. One writer at a time; readers in any thread.
 *
 *   float64   at                at+1        at+2        at+3
 *             +--------+--------+-----------+-----------+
 *             |version | mirror | total     | total     |
 *             +--------+--------+-----------+-----------+
 *                                 slot 0      slot 1
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords, readConsistent } from '../../memory/cell.ts';

const SLOT_WORDS = 1;
const SLOTS = 1; // offset of slot 0 from the cell's start
export const SUM_CELL_WORDS: number = cellWords(SLOT_WORDS, 0);

/** Adds `delta` to the total. Only the cell's writer may call it. Never throws, never allocates. */
export type AddToSum = (words: Int32Array, doubles: Float64Array, at: number, delta: number) => void;

export const addToSumFast: AddToSum = (words, doubles, at, delta) => {
  const version = words[at << 1]!;
  doubles[at + SLOTS + (~version & 1)] = doubles[at + SLOTS + (version & 1)]! + delta;
  words[at << 1] = (version + 1) | 0;
};

export const addToSumStrict: AddToSum = (words, doubles, at, delta) => {
  const version = words[(at << 1) + 1]!;
  doubles[at + SLOTS + (~version & 1)] = doubles[at + SLOTS + (version & 1)]! + delta;
  words[(at << 1) + 1] = (version + 1) | 0;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const addToSum: AddToSum = MEMORY_ORDER === 'fast' ? addToSumFast : addToSumStrict;

/** Copies the total to `into[0]`. Returns the attempts it took, 0 when it gave up. Any thread. */
export function readSumInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  into: Float64Array,
): number {
  return readConsistent(words, doubles, at, SLOT_WORDS, 0, into);
}
