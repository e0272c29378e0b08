/**
 * Sum cell: one running total, or that of the interval where what came before is carried (carried.ts). One
 * writer at a time; readers in any thread.
 *
 *   float64   at                at+1        at+2        at+3
 *             +--------+--------+-----------+-----------+
 *             |version | link   | total     | total     |
 *             +--------+--------+-----------+-----------+
 *                                 slot 0      slot 1
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords, readConsistent } from '../../memory/cell.ts';
import { INTERVAL_FIELDS, INTERVAL_SINCE, INTERVAL_VERSION, readCarrying, CarriedFields } from './carried.ts';

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
  const version = words[at << 1]!;
  doubles[at + SLOTS + (~version & 1)] = doubles[at + SLOTS + (version & 1)]! + delta;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const addToSum: AddToSum = MEMORY_ORDER === 'fast' ? addToSumFast : addToSumStrict;

/** What is carried of a sum cell. */
export const SUM_FIELDS: CarriedFields = new CarriedFields(SLOT_WORDS, 0, 1);

/**
 * Indices into what `readSumAndIntervalInto` copies: the total; when the interval began, the version copied,
 * and the interval's sum (carried.ts).
 */
export const SUM_TOTAL = 0;
export const SUM_SINCE: number = SLOT_WORDS + INTERVAL_SINCE;
export const SUM_VERSION: number = SLOT_WORDS + INTERVAL_VERSION;
export const SUM_INTERVAL: number = SLOT_WORDS + INTERVAL_FIELDS;
export const SUM_COPY_WORDS: number = SUM_INTERVAL + 1;

/**
 * Copies the total to `into[0]`, and may write to the `SUM_COPY_WORDS` from there. Returns the attempts it
 * took, 0 when it gave up. Any thread.
 */
export function readSumInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  into: Float64Array,
): number {
  const attempts = readConsistent(words, doubles, at, SLOT_WORDS, 0, into);
  return words[(at << 1) + 1]! > 0 ? readCarrying(words, doubles, at, SUM_FIELDS, 0, into) : attempts;
}

/** Also copies the interval. */
export function readSumAndIntervalInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  into: Float64Array,
): number {
  return readCarrying(words, doubles, at, SUM_FIELDS, 0, into);
}
