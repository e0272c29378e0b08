/**
 * What a cell counted before its present interval. A delta needs the extremes and the digits of its interval,
 * and totals cannot give them. So the slot of a cell that is read as deltas holds the interval alone, and a
 * block beside the cell holds everything before it.
 *
 *   cell      version  link ------+          slot: what was counted in this interval
 *                                 v
 *   block     +----------+---+---------------------------+---------------------------+
 *             | reported | 0 | record 0                  | record 1                  |
 *             +----------+---+---------------------------+---------------------------+
 *   record    | since | unfinished | what was counted before (float64 words)          |
 *             +-------+------------+--------------------------------------------------+
 *
 * link        0: the slot holds all. Positive: block << 1 | the record that is valid. Negative: no block
 *             yet, and the other bits are those of the version that was reported
 * reported    the version that a reader with delta temporality has read and reported
 * since       the version of the cell whose state went into the record; 0: none did yet
 * unfinished  1 while the interval is being ended
 *
 * A reader with delta temporality stores the version that it has reported. Together with an exemplar's count
 * of collections this is all that readers write, and nothing depends on it being true. The first measurement
 * that finds the cell as it was reported ends the interval, in version v:
 *
 *   c1  the other record = the valid one and the slot together, since = v, unfinished = 1
 *   c2  link = the other record
 *   c3  scratch slot = nothing counted; version = v + 1
 *   c4  unfinished = 0
 *
 * So a cell without such a reader has no block, and an interval begins exactly where the reader's last one
 * ended. It does not matter whether the cell or the reader was there first. If a measurement was made between
 * the reader's copy and its store, the interval continues.
 *
 * The total is record and slot together. Between c2 and c3 the record includes what is still in the slot: a
 * reader that finds `unfinished`, and the cell in version `since`, takes the slot as empty. It loads link and
 * record between its two looks at the version, so they belong to that version: a record is overwritten only
 * in a later one (docs/memory-model.md). A writer that dies leaves at most an unfinished interval. Counts of
 * buckets are exact at any size, so they stay in the cell.
 */
import { MAX_TRIES } from '../../memory/cell.ts';
import { MEMORY_ORDER } from '../../memory/memory-order.ts';

const TRIES: number = MAX_TRIES; // private: V8 folds it
const SLOTS = 1;
const SIGN = -0x80000000;

/**
 * Totals of a cell that may be carried. They are neighbours in its slot, in this order; a sum cell has only
 * the first.
 */
const SUM = 0;
const MIN = 1;

/**
 * Ends the intervals of cells of one kind. Only the writer of a cell calls it; nothing in it throws or
 * allocates.
 */
export interface Carrier {
  /** Float64 words of a block. */
  readonly blockWords: number;
  /** Makes zeroed memory an empty block. */
  initBlock(doubles: Float64Array, block: number): void;
  /** Ends the interval of a cell that has a block. */
  carry(words: Int32Array, doubles: Float64Array, at: number): void;
  /** Finishes a `carry` that a dead writer may have left half done. */
  finishCarry(words: Int32Array, doubles: Float64Array, at: number): void;
}

/** The totals of a cell that are carried, for cells whose state is slots and a tail. */
export class CarriedFields implements Carrier {
  readonly blockWords: number;
  readonly slotWords: number;
  /** Index of the first in a slot. */
  readonly first: number;
  readonly fields: number;

  constructor(slotWords: number, first: number, fields: number) {
    this.slotWords = slotWords;
    this.first = first;
    this.fields = fields;
    this.blockWords = blockWords(fields);
  }

  initBlock(doubles: Float64Array, block: number): void {
    for (let field = 0; field < this.fields; field++) doubles[block + 2 + field] = NOTHING[field]!;
  }

  carry(words: Int32Array, doubles: Float64Array, at: number): void {
    this.#carry(words, doubles, at, true);
  }

  finishCarry(words: Int32Array, doubles: Float64Array, at: number): void {
    if (words[(at << 1) + 1]! > 0) this.#carry(words, doubles, at, false);
  }

  /** All in one function: if the app's stack ends in the call, that is before the link is stored. */
  #carry(words: Int32Array, doubles: Float64Array, at: number, begins: boolean): void {
    const { slotWords, first, fields } = this;
    const version = words[at << 1]!;
    const from = at + SLOTS + (version & 1) * slotWords;
    const to = at + SLOTS + (~version & 1) * slotWords;
    const link = words[(at << 1) + 1]!;
    const valid = recordAt(link, fields);
    const record = begins ? recordAt(link ^ 1, fields) : valid;
    if (begins) {
      words[record << 1] = version;
      words[(record << 1) + 1] = 1;
      for (let field = 0; field < fields; field++)
        doubles[record + 1 + field] = together(
          field,
          doubles[valid + 1 + field]!,
          doubles[from + first + field]!,
        );
      Atomics.exchange(words, (at << 1) + 1, link ^ 1);
    }
    if (words[(record << 1) + 1] === 0) return;
    if (words[record << 1] === version) {
      for (let i = 0; i < slotWords; i++) doubles[to + i] = doubles[from + i]!;
      for (let field = 0; field < fields; field++) doubles[to + first + field] = NOTHING[field]!;
      Atomics.exchange(words, at << 1, (version + 1) | 0);
    }
    words[(record << 1) + 1] = 0;
  }
}

/**
 * Behind slot and tail in what `readCarrying` copies: two versions, then the totals of the interval alone.
 */
export const INTERVAL_SINCE = 0;
export const INTERVAL_VERSION = 1;
export const INTERVAL_FIELDS = 2;

/** Float64 words of a block whose records have so many words besides the first. */
export function blockWords(recordWords: number): number {
  return 1 + 2 * (1 + recordWords);
}

/** Float64 index of the record that a link names, whose first word is `since` and `unfinished`. */
export function recordAt(link: number, recordWords: number): number {
  return (link >> 1) + 1 + (link & 1) * (1 + recordWords);
}

const NOTHING: readonly number[] = [0, Infinity, -Infinity];

function together(field: number, a: number, b: number): number {
  if (field === SUM) return a + b;
  return field === MIN ? Math.min(a, b) : Math.max(a, b);
}

/** Notes that a reader with delta temporality has reported a cell as it was in `version`. Any thread. */
export function noteReported(words: Int32Array, at: number, version: number): void {
  const index = (at << 1) + 1;
  for (;;) {
    const link = Atomics.load(words, index);
    if (link > 0) {
      if (link < words.length) Atomics.store(words, link & ~1, version);
      return;
    }
    if (Atomics.compareExchange(words, index, link, version | SIGN) === link) return;
  }
}

/** Where a cell's block is, as its link says; negative: it has none. */
export function blockOf(words: Int32Array, at: number): number {
  const link = Atomics.load(words, (at << 1) + 1);
  return link > 0 ? link >> 1 : -1;
}

/** Whether everything the cell counted is reported. For its writer, when the cell's link is not 0. */
export function isReported(words: Int32Array, at: number): boolean {
  const version = words[at << 1]!;
  const link = words[(at << 1) + 1]!;
  return link > 0 ? words[link & ~1] === version : link === (version | SIGN);
}

/** Gives a cell its block, whose memory is zero and published in the directory. Only the cell's writer. */
export function linkBlock(words: Int32Array, at: number, block: number): void {
  Atomics.exchange(words, (at << 1) + 1, block << 1);
}

/**
 * As `ReadConsistent`, for cells whose totals may be carried. Copies the total of each field and, behind slot
 * and tail, the interval's part of it. Also gives up when the block lies in memory that was added after the
 * views were made. Any thread.
 */
export type ReadCarrying = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  cell: CarriedFields,
  tailWords: number,
  into: Float64Array,
) => number;

/**
 * Both forms, which differ in their second look at the version. Exported for the check of its machine code.
 */
export function readCarryingIn(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  cell: CarriedFields,
  tailWords: number,
  into: Float64Array,
  strict: boolean,
): number {
  const { slotWords, first, fields } = cell;
  const versionIndex = at << 1;
  const tail = at + SLOTS + 2 * slotWords;
  const end = slotWords + tailWords;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const version = Atomics.load(words, versionIndex);
    const slot = at + SLOTS + (version & 1) * slotWords;
    for (let i = 0; i < slotWords; i++) into[i] = doubles[slot + i]!;
    for (let i = 0; i < tailWords; i++) into[slotWords + i] = doubles[tail + i]!;
    if (words[versionIndex + 1]! > 0) {
      if (!addRecord(words, doubles, at, version, cell, into, end)) return 0;
    } else {
      into[end + INTERVAL_SINCE] = 0;
      for (let field = 0; field < fields; field++) into[end + INTERVAL_FIELDS + field] = into[first + field]!;
    }
    const now = strict ? Atomics.add(words, versionIndex, 0) : Atomics.load(words, versionIndex);
    if (now !== version) continue;
    into[end + INTERVAL_VERSION] = version;
    return attempt;
  }
  return 0;
}

/**
 * Turns the copy of a slot into the interval, and the total with what was carried. False when the views do
 * not reach the block.
 */
function addRecord(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  version: number,
  { first, fields }: CarriedFields,
  into: Float64Array,
  end: number,
): boolean {
  const record = recordAt(Atomics.load(words, (at << 1) + 1), fields);
  if (record + fields >= doubles.length) return false;
  const since = words[record << 1]!;
  const isCarried = words[(record << 1) + 1] !== 0 && since === version;
  into[end + INTERVAL_SINCE] = since;
  for (let field = 0; field < fields; field++) {
    const interval = isCarried ? NOTHING[field]! : into[first + field]!;
    into[end + INTERVAL_FIELDS + field] = interval;
    into[first + field] = together(field, doubles[record + 1 + field]!, interval);
  }
  return true;
}

export const readCarryingFast: ReadCarrying = (words, doubles, at, cell, tailWords, into) =>
  readCarryingIn(words, doubles, at, cell, tailWords, into, false);

export const readCarryingStrict: ReadCarrying = (words, doubles, at, cell, tailWords, into) =>
  readCarryingIn(words, doubles, at, cell, tailWords, into, true);

export const readCarrying: ReadCarrying = MEMORY_ORDER === 'fast' ? readCarryingFast : readCarryingStrict;
