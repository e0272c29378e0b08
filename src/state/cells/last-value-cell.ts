/**
 * Last-value cell: the value set last, and when. One writer at a time; readers in any thread.
 *
 *   float64   at                at+1        at+2        at+3        at+4        at+5
 *             +--------+--------+-----------+-----------+-----------+-----------+
 *             |version | 0      | value     | tick      | value     | tick      |
 *             +--------+--------+-----------+-----------+-----------+-----------+
 *                                 slot 0                  slot 1
 *
 * tick orders the sets of different writers: see `region-clock.ts`. 0 = never set.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords, readConsistent } from '../../memory/cell.ts';

const SLOT_WORDS = 2;
const SLOTS = 1;
export const LAST_VALUE_CELL_WORDS: number = cellWords(SLOT_WORDS, 0);

// Indices into a slot; private because V8 does not fold exported constants, see histogram-cell.ts.
const VALUE = 0;
const TICK = 1;

/** Indices into what `readLastValueInto` copies. */
export const LAST_VALUE: number = VALUE;
export const LAST_TICK: number = TICK;

/** Sets the value. Only the cell's writer may call it. Never throws, never allocates. */
export type SetLastValue = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  value: number,
  tick: number,
) => void;

export const setLastValueFast: SetLastValue = (words, doubles, at, value, tick) => {
  const version = words[at << 1]!;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  doubles[to + VALUE] = value;
  doubles[to + TICK] = tick;
  words[at << 1] = (version + 1) | 0;
};

export const setLastValueStrict: SetLastValue = (words, doubles, at, value, tick) => {
  const version = words[at << 1]!;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  doubles[to + VALUE] = value;
  doubles[to + TICK] = tick;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const setLastValue: SetLastValue = MEMORY_ORDER === 'fast' ? setLastValueFast : setLastValueStrict;

/** Copies value and tick to `into[0..2)`. Returns the attempts it took, 0 when it gave up. Any thread. */
export function readLastValueInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  into: Float64Array,
): number {
  return readConsistent(words, doubles, at, SLOT_WORDS, 0, into);
}
