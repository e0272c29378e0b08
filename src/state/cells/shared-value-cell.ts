/**
 * Shared-value cell: one writer's part in a value that all writers set and add to. A last-value cell whose
 * tick has a sign. One writer at a time; readers in any thread. How the parts make one value:
 * `shared-value.ts`.
 *
 *   float64   at                at+1        at+2        at+3        at+4        at+5
 *             +--------+--------+-----------+-----------+-----------+-----------+
 *             |version | 0      | amount    | tick      | amount    | tick      |
 *             +--------+--------+-----------+-----------+-----------+-----------+
 *                                 slot 0                  slot 1
 *
 * tick   0 never written; t > 0: this writer set the value at tick t, and has added to it since; -t: this
 *        writer has added `amount` to what another set at tick t.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { LAST_VALUE_CELL_WORDS, readLastValueInto, setLastValue } from './last-value-cell.ts';

const SLOT_WORDS = 2;
const SLOTS = 1;
export const SHARED_VALUE_CELL_WORDS: number = LAST_VALUE_CELL_WORDS;

// Indices into a slot; private because V8 does not fold exported constants, see histogram-cell.ts.
const AMOUNT = 0;
const TICK = 1;

/** Indices into what `readSharedValueInto` copies. */
export const SHARED_AMOUNT: number = AMOUNT;
export const SHARED_TICK: number = TICK;

/**
 * Makes the cell the base of a new epoch. `tick`: a new one of the region's clock. Only the cell's writer.
 * Never throws, never allocates.
 */
export const setShared: typeof setLastValue = setLastValue;

/**
 * Adds to the value of an epoch, which is the tick of the newest set that the writer sees. What the cell
 * holds of an earlier epoch is void. Only the cell's writer. Never throws, never allocates.
 */
export type AddToShared = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  delta: number,
  epoch: number,
) => void;

export const addToSharedFast: AddToShared = (words, doubles, at, delta, epoch) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const tick = doubles[from + TICK]!;
  const isOfEpoch = tick === epoch || tick === -epoch;
  doubles[to + AMOUNT] = (isOfEpoch ? doubles[from + AMOUNT]! : 0) + delta;
  doubles[to + TICK] = tick === epoch ? epoch : -epoch;
  words[at << 1] = (version + 1) | 0;
};

export const addToSharedStrict: AddToShared = (words, doubles, at, delta, epoch) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const tick = doubles[from + TICK]!;
  const isOfEpoch = tick === epoch || tick === -epoch;
  doubles[to + AMOUNT] = (isOfEpoch ? doubles[from + AMOUNT]! : 0) + delta;
  doubles[to + TICK] = tick === epoch ? epoch : -epoch;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const addToShared: AddToShared = MEMORY_ORDER === 'fast' ? addToSharedFast : addToSharedStrict;

/** Copies amount and tick to `into[0..2)`. Returns the attempts it took, 0 when it gave up. Any thread. */
export const readSharedValueInto: typeof readLastValueInto = readLastValueInto;
