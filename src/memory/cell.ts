/**
 * The cell: state that one thread writes and any thread reads, never torn. A two-slot seqlock with one
 * publish.
 *
 *   float64 index   at              at+1          at+1+S        at+1+2S            at+1+2S+T
 *                   +-------+-------+-------------+-------------+------------------+
 *                   |version| link  | slot 0 (S)  | slot 1 (S)  | tail (T)         |
 *                   | i32   | i32   |  f64 x S    |  f64 x S    |  f64 x T         |
 *                   +-------+-------+-------------+-------------+------------------+
 *   int32 index     2at     2at+1
 *
 * version  v says: slot (v & 1) holds the whole state after update v; the other slot is scratch for update v
 * + 1.
 * link     0, or where the rest of the state is. Only cells that are read as deltas use it: see
 *          `state/cells/carried.ts`.
 * slots    fixed-size state. The writer fills the scratch slot from the published one, then stores v + 1,
 *          once.
 * tail     state too large to copy at each update. A slot names the one tail word its update changes and the
 *          new value (a redo entry); the next update applies the entry before it does anything else. See
 *          histogram-cell.
 *
 * Assumptions
 *   A1  One writer per cell at a time. A new writer may follow a dead one.
 *   A2  Between the first store to the scratch slot and the publish there is no call, no loop, no allocation.
 *   A3  A reader is not suspended inside one attempt for an exact multiple of 2^32 updates of the cell.
 * Guarantees
 *   G1  What a reader accepts is one whole state: the state after update v, of one v.
 *   G2  A writer that stops anywhere, for ever, leaves its last published state readable. There is no locked
 *       state.
 *   G3  Readers never write data and never delay a writer by more than a cache miss. (STRICT readers do a
 *       read-modify-write that stores back the version they found; those that take deltas note which version
 *       they have reported.)
 *   G4  Versions wrap; only equality and the low bit are used.
 * Not guaranteed: that a reader succeeds in a bounded number of tries against a writer that never pauses (it
 * gives up and says so); any order between two cells.
 *
 * Why each line is where it is, for x64, arm64 and ECMA-262: docs/memory-model.md.
 */
import { MEMORY_ORDER } from './memory-order.ts';

const TRIES = 64; // private: V8 folds it; an exported constant would be loaded at every use
/** Attempts of one `readConsistent` call before it gives up. */
export const MAX_TRIES: number = TRIES;

/** Float64 words of a cell with slots of `slotWords` and a tail of `tailWords`. */
export function cellWords(slotWords: number, tailWords: number): number {
  return 1 + 2 * slotWords + tailWords;
}

/**
 * Copies the published slot and the tail of the cell at `at` to `into[0 .. slotWords + tailWords)`. Returns
 * the number of attempts it took, or 0 when the writer published during every one of `MAX_TRIES` copies;
 * `into` is then rubbish and the caller keeps what it had. Any thread.
 */
export type ReadConsistent = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  slotWords: number,
  tailWords: number,
  into: Float64Array,
) => number;

/**
 * FAST form: two atomic loads around the copy. The second must never become a plain load: V8 deletes those.
 */
export const readConsistentFast: ReadConsistent = (words, doubles, at, slotWords, tailWords, into) => {
  const versionIndex = at << 1;
  const tail = at + 1 + 2 * slotWords;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const version = Atomics.load(words, versionIndex);
    const slot = at + 1 + (version & 1) * slotWords;
    for (let i = 0; i < slotWords; i++) into[i] = doubles[slot + i]!;
    for (let i = 0; i < tailWords; i++) into[slotWords + i] = doubles[tail + i]!;
    if (Atomics.load(words, versionIndex) === version) return attempt;
  }
  return 0;
};

/** STRICT form: the re-check is a read-modify-write, which orders the copies before it on every machine. */
export const readConsistentStrict: ReadConsistent = (words, doubles, at, slotWords, tailWords, into) => {
  const versionIndex = at << 1;
  const tail = at + 1 + 2 * slotWords;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const version = Atomics.load(words, versionIndex);
    const slot = at + 1 + (version & 1) * slotWords;
    for (let i = 0; i < slotWords; i++) into[i] = doubles[slot + i]!;
    for (let i = 0; i < tailWords; i++) into[slotWords + i] = doubles[tail + i]!;
    if (Atomics.add(words, versionIndex, 0) === version) return attempt;
  }
  return 0;
};

export const readConsistent: ReadConsistent =
  MEMORY_ORDER === 'fast' ? readConsistentFast : readConsistentStrict;
