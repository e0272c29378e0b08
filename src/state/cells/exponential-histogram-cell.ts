/**
 * Base-2 exponential histogram cell. One writer at a time; readers in any thread.
 *
 *   float64   at       +1      +2    +3    +4    +5           +6      +7       +8
 *             +--------+-------+-----+-----+-----+------------+-------+--------+--------------+
 *             |version | count | sum | min | max | zero count | array | bucket | bucket count |   slot 0
 *             |link    |       |     |     |     |            |       |        |              |
 *             +--------+-------+-----+-----+-----+------------+-------+--------+--------------+
 *               at+9   | count | sum | min | max | zero count | array | bucket | bucket count |   slot 1
 *                      +-------+-----+-----+-----+------------+-------+--------+--------------+
 *               at+17  | home: an array                                                       |   tail
 *                      +----------------------------------------------------------------------+
 *
 *   array     0       1          2          3
 *             +-------+----------+----------+------------------+------------------+
 *             | scale | base (+) | base (-) | maxSize counts + | maxSize counts - |
 *             +-------+----------+----------+------------------+------------------+
 *               the last part only where measurements may be negative
 *
 * array     where the cell's array begins, from the start of the region: at home at first, elsewhere after a
 *           move
 * base      index of the bucket whose count comes first
 * bucket    where the count lies that the slot's update changed, from the start of the region; it lies in the
 *           array. (bucket, bucket count) is the redo entry of histogram-cell.ts and is treated alike: the
 *           array lags one update behind, the next update stores the entry first, a reader lays it over its
 *           copy. An update of a zero changes no bucket and hands the entry on.
 *
 * A value outside the array. The cells of a stream in one slab share one spare array of the same size. The
 * counts of the cell's array are written to the spare one: at a smaller scale if they need it, then in the
 * middle of the array, so that the next value outside is far away. The slot that is published then points to
 * the spare array, and the cell's old array becomes the stream's spare one.
 *
 *   before     cell i -> array a      cell j -> array b      spare: array c
 *   after      cell i -> array c      cell j -> array b      spare: array a
 *
 * A reader of the old state looks at a. Nobody writes to a before the new state is published. A later move,
 * of any cell, may write to a, and a reader that is still there then finds that the version has changed. A
 * reader of the new state sees c complete. A writer that dies during the move leaves garbage in an array that
 * nobody looks at. Which array is the spare one is stored nowhere, so it cannot disagree with the slots: it
 * is the only one that no slot points to (`displacement`).
 *
 * A2 of cell.ts holds: the loops of a move end before the first store to the scratch slot. They are bounded
 * by the size of the array. A cell makes few moves in its life: each move that keeps the scale at least
 * halves the free room that is left, and there are 31 scales.
 *
 * The scale is the highest at which everything that was recorded fits (specification, ideal scale). It starts
 * at maxScale, zeros leave it there, and it falls no further than the present value needs. In every state
 * that a reader accepts, count = zero count + sum over buckets, and sum, min and max belong to exactly those
 * observations.
 *
 * Intervals. If the cell is read as deltas, the slot holds the interval alone (carried.ts). So an interval
 * has the scale that it deserves, whatever was recorded before. The block has records of count, sum, min,
 * max, zero count and array, and an array behind them. When the interval ends, the counts of the record's
 * array and the cell's are written to the spare one, which becomes that of the new record:
 *
 *   before     record -> array a      cell -> array b      spare: array c
 *   after      record -> array c      cell -> array b      spare: array a
 *
 * Then c is a and b together. b is emptied when a state with count 0 is published: readers of such a state do
 * not look at its array.
 */
import { cellWords, MAX_TRIES } from '../../memory/cell.ts';
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { blockOf, blockWords, recordAt, type Carrier } from './carried.ts';
import { exponentialIndex, isInt32, isScale } from './exponential-index.ts';

const TRIES: number = MAX_TRIES;
const SLOT_WORDS = 8;
const SLOTS = 1;
const HOME: number = SLOTS + 2 * SLOT_WORDS;

// Indices into a slot; private because V8 does not fold exported constants, see histogram-cell.ts.
const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const ZERO_COUNT = 4;
const ARRAY = 5;
const BUCKET = 6;
const BUCKET_COUNT = 7;

/** A record of the block has the first of these fields, up to the array. */
const RECORD_WORDS = 6;
const BLOCK_ARRAY: number = blockWords(RECORD_WORDS);

// Indices into an array.
const SCALE = 0;
const BASES = 1;
const COUNTS = 3;

/**
 * Indices into a row, the form in which the state of a cell is copied, without unused buckets.
 *
 *   0       1     2     3     4            5       6          7          8          9          10
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+
 *   | count | sum | min | max | zero count | scale | offset + | length + | offset - | length - |
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+
 *   | counts of positive values ... | counts of negative values ... |
 *   +-------------------------------+-------------------------------+
 *
 * offset, length   index of the first bucket that has counts, and buckets up to the last one that has; 0 and
 *                  0 where none has
 * counts           maxSize words for each range the cell has, of which `length` are in use; what is in the
 *                  others is undefined
 *
 * A copy is two rows: that of the interval, and that of what was carried before it. If the count of the
 * second is 0, its other fields are undefined. Between the rows are the version in which the interval began,
 * and the version copied.
 */
const ROW_TOTALS = 5;
const ROW_SCALE = 5;
const ROW_RANGES = 6;
const ROW_COUNTS = 10;
const VERSIONS = 2;

export const EXPONENTIAL_COUNT = 0;
export const EXPONENTIAL_SUM = 1;
export const EXPONENTIAL_MIN = 2;
export const EXPONENTIAL_MAX = 3;
export const EXPONENTIAL_ZERO_COUNT = 4;
export const EXPONENTIAL_SCALE: number = ROW_SCALE;
/** Offset and length of the positive range; those of the negative one follow. */
export const EXPONENTIAL_RANGES: number = ROW_RANGES;
export const EXPONENTIAL_COUNTS: number = ROW_COUNTS;

/** What all cells of one stream share. */
export class ExponentialShape implements Carrier {
  /** Buckets of each range, 2 to `LARGEST_MAX_SIZE`. */
  readonly maxSize: number;
  readonly maxScale: number;
  /** 2 where measurements may be negative, else 1. */
  readonly ranges: number;
  readonly arrayWords: number;
  /** Float64 words of a cell. */
  readonly cellWords: number;
  /** Float64 words of the block of a cell that is read as deltas. */
  readonly blockWords: number;
  /** Where a copy has the version in which its interval began, and then the version copied. */
  readonly copiedSince: number;
  /** Where a copy has the row of what was carried. */
  readonly copiedCarried: number;
  /** Float64 words of a copy. */
  readonly copyWords: number;
  /**
   * For the cells' writer: where their spare array begins, from the start of the region. A move changes it.
   */
  spare = 0;

  constructor(maxSize: number, maxScale: number, negative: boolean) {
    this.maxSize = maxSize;
    this.maxScale = maxScale;
    this.ranges = negative ? 2 : 1;
    this.arrayWords = COUNTS + this.ranges * maxSize;
    this.cellWords = cellWords(SLOT_WORDS, this.arrayWords);
    this.blockWords = BLOCK_ARRAY + this.arrayWords;
    this.copiedSince = ROW_COUNTS + this.ranges * maxSize;
    this.copiedCarried = this.copiedSince + VERSIONS;
    this.copyWords = this.copiedCarried + this.copiedSince;
  }

  initBlock(doubles: Float64Array, block: number): void {
    const record = block + 2;
    doubles[record + MIN] = Infinity;
    doubles[record + MAX] = -Infinity;
    doubles[record + ARRAY] = block + BLOCK_ARRAY;
    doubles[block + BLOCK_ARRAY + SCALE] = this.maxScale;
  }

  carry(words: Int32Array, doubles: Float64Array, at: number): void {
    carry(words, doubles, at, this, true);
  }

  finishCarry(words: Int32Array, doubles: Float64Array, at: number): void {
    if (words[(at << 1) + 1]! > 0) carry(words, doubles, at, this, false);
  }
}

/** Makes zeroed memory an empty histogram. Call before the cell is published in the directory. */
export function initExponential(doubles: Float64Array, at: number, shape: ExponentialShape): void {
  doubles[at + SLOTS + MIN] = Infinity;
  doubles[at + SLOTS + MAX] = -Infinity;
  doubles[at + SLOTS + ARRAY] = at + HOME;
  doubles[at + SLOTS + BUCKET] = at + HOME + COUNTS;
  doubles[at + HOME + SCALE] = shape.maxScale;
}

/**
 * How far a cell's arrays are from home. The arrays of a stream are the homes of its cells, those in their
 * blocks, and the first spare one. So the present spare array begins where the first one began, less the
 * displacements of all cells. For a new owner of the cells.
 */
export function displacement(words: Int32Array, doubles: Float64Array, at: number): number {
  const version = Atomics.load(words, at << 1);
  const link = Atomics.load(words, (at << 1) + 1);
  const own = doubles[at + SLOTS + (version & 1) * SLOT_WORDS + ARRAY]! - (at + HOME);
  if (link <= 0) return own;
  return own + doubles[recordAt(link, RECORD_WORDS) + 1 + ARRAY]! - ((link >> 1) + BLOCK_ARRAY);
}

/** Where the arrays begin that came with a cell: its home, and that of its block if it has one. */
export function homesOf(words: Int32Array, at: number): number[] {
  const block = blockOf(words, at);
  return block < 0 ? [at + HOME] : [at + HOME, block + BLOCK_ARRAY];
}

/**
 * Whether a cell that another has written may be recorded to. Its arrays must be among `free`, those of the
 * stream that no other cell has, and are taken out. Its bucket must lie in its array.
 */
export function isSoundExponential(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  free: Set<number>,
): boolean {
  const version = words[at << 1]!;
  const slot = at + SLOTS + (version & 1) * SLOT_WORDS;
  const array = doubles[slot + ARRAY]!;
  const bucket = doubles[slot + BUCKET]! - array - COUNTS;
  if (!free.delete(array)) return false;
  if (!(Number.isInteger(bucket) && bucket >= 0 && bucket < shape.arrayWords - COUNTS)) return false;
  if (blockOf(words, at) < 0) return isSoundArray(doubles, array, shape);
  const record = recordAt(words[(at << 1) + 1]!, RECORD_WORDS);
  const carried = doubles[record + 1 + ARRAY]!;
  // Of one whose writer died while it emptied the array, the rest is still to be emptied.
  const isEmptied = words[(record << 1) + 1] !== 0 && words[record << 1] !== version;
  return (
    free.delete(carried) &&
    isSoundArray(doubles, carried, shape) &&
    (isEmptied || isSoundArray(doubles, array, shape))
  );
}

function isSoundArray(doubles: Float64Array, array: number, shape: ExponentialShape): boolean {
  for (let range = 0; range < shape.ranges; range++) {
    const base = doubles[array + BASES + range]!;
    if (!isInt32(base) || !isInt32(base + shape.maxSize - 1)) return false;
  }
  return isScale(doubles[array + SCALE]!, shape.maxScale);
}

/**
 * Counts a finite value, from 0 where the shape has one range. Only the cell's writer may call it. Never
 * throws, never allocates.
 */
export type RecordToExponential = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  value: number,
) => void;

export const recordToExponentialFast: RecordToExponential = (words, doubles, at, shape, value) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const last = doubles[from + BUCKET]! | 0;
  doubles[last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const array = doubles[from + ARRAY]! | 0;
  const { spare } = shape;
  const bucket = isZero === 1 ? last : bucketOf(doubles, array, shape, value);
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + ARRAY] = shape.spare === array ? spare : array;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[bucket]! + (1 - isZero);
  words[at << 1] = (version + 1) | 0;
};

export const recordToExponentialStrict: RecordToExponential = (words, doubles, at, shape, value) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const last = doubles[from + BUCKET]! | 0;
  doubles[last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const array = doubles[from + ARRAY]! | 0;
  const { spare } = shape;
  const bucket = isZero === 1 ? last : bucketOf(doubles, array, shape, value);
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + ARRAY] = shape.spare === array ? spare : array;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[bucket]! + (1 - isZero);
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToExponential: RecordToExponential =
  MEMORY_ORDER === 'fast' ? recordToExponentialFast : recordToExponentialStrict;

/**
 * Where the count of a value's bucket lies, for recording. `array` is up to date. Where it has no such
 * bucket, the counts are moved to the spare array, and `array` is the spare one when this returns.
 */
function bucketOf(doubles: Float64Array, array: number, shape: ExponentialShape, value: number): number {
  const range = value < 0 ? shape.ranges - 1 : 0;
  const index = exponentialIndex(value, doubles[array + SCALE]! | 0);
  const position = index - (doubles[array + BASES + range]! | 0);
  if (position >= 0 && position < shape.maxSize) return array + COUNTS + range * shape.maxSize + position;
  const { spare } = shape;
  const bucket = spare + gather(doubles, array, array, spare, shape, range, index);
  shape.spare = array; // last: if the app's stack ends in the move, the cell keeps its array
  return bucket;
}

/** Not a range: `gather` makes room for no value. */
const NO_RANGE = -1;

/**
 * Writes the counts of the arrays `a` and `b` (`a` twice for one array) to the array at `to`, whole, so that
 * bucket `index` of a range, at the scale of `a`, has a place there. Returns where its count lies, relative
 * to `to`. Only the cell's writer, before it stores anything to the scratch slot. Never allocates.
 */
function gather(
  doubles: Float64Array,
  a: number,
  b: number,
  to: number,
  { maxSize, ranges, arrayWords }: ExponentialShape,
  range: number,
  index: number,
): number {
  const scale = Math.min(doubles[a + SCALE]!, doubles[b + SCALE]!) | 0;
  const aChange = (doubles[a + SCALE]! | 0) - scale;
  const bChange = (doubles[b + SCALE]! | 0) - scale;
  let change = 0;
  for (let r = 0; r < ranges; r++) {
    let low = lowestOf(doubles, a, aChange, b, bChange, r, maxSize);
    let high = highestOf(doubles, a, aChange, b, bChange, r, maxSize);
    if (r === range && index < low) low = index;
    if (r === range && index > high) high = index;
    while ((high >> change) - (low >> change) >= maxSize) change++;
  }
  for (let i = 0; i < arrayWords; i++) doubles[to + i] = 0;
  doubles[to + SCALE] = scale - change;
  for (let r = 0; r < ranges; r++) {
    const first = lowestOf(doubles, a, aChange, b, bChange, r, maxSize);
    const last = highestOf(doubles, a, aChange, b, bChange, r, maxSize);
    const low = (r === range && index < first ? index : first) >> change;
    const high = (r === range && index > last ? index : last) >> change;
    const base = low > high ? 0 : low - ((maxSize - 1 - (high - low)) >> 1);
    doubles[to + BASES + r] = base;
    add(doubles, a, to, r, maxSize, aChange + change);
    if (b !== a) add(doubles, b, to, r, maxSize, bChange + change);
  }
  return COUNTS + range * maxSize + (index >> change) - (doubles[to + BASES + range]! | 0);
}

/** Of two arrays, or of one that is given twice, at scales that are lower by so much. */
function lowestOf(
  doubles: Float64Array,
  a: number,
  aChange: number,
  b: number,
  bChange: number,
  range: number,
  maxSize: number,
): number {
  const low = lowest(doubles, a, range, maxSize) >> aChange;
  return b === a ? low : Math.min(low, lowest(doubles, b, range, maxSize) >> bChange);
}

function highestOf(
  doubles: Float64Array,
  a: number,
  aChange: number,
  b: number,
  bChange: number,
  range: number,
  maxSize: number,
): number {
  const high = highest(doubles, a, range, maxSize) >> aChange;
  return b === a ? high : Math.max(high, highest(doubles, b, range, maxSize) >> bChange);
}

/** Adds the counts of a range to an array that has a place for them, at a scale that is lower by `change`. */
function add(
  doubles: Float64Array,
  from: number,
  to: number,
  range: number,
  maxSize: number,
  change: number,
): void {
  const counts = from + COUNTS + range * maxSize;
  const base = doubles[from + BASES + range]! | 0;
  const toCounts = to + COUNTS + range * maxSize - (doubles[to + BASES + range]! | 0);
  for (let i = 0; i < maxSize; i++) {
    const count = doubles[counts + i]!;
    if (count !== 0) doubles[toCounts + ((base + i) >> change)]! += count;
  }
}

/**
 * Index of the first bucket of a range that has counts; beyond every other where none has, at any lower scale
 * too.
 */
function lowest(doubles: Float64Array, array: number, range: number, maxSize: number): number {
  const counts = array + COUNTS + range * maxSize;
  for (let i = 0; i < maxSize; i++) {
    if (doubles[counts + i]! !== 0) return i + (doubles[array + BASES + range]! | 0);
  }
  return 0x7fffffff;
}

/**
 * Index of the last bucket of a range that has counts; below every other where none has, at any lower scale
 * too.
 */
function highest(doubles: Float64Array, array: number, range: number, maxSize: number): number {
  const counts = array + COUNTS + range * maxSize;
  for (let i = maxSize; i-- > 0;) {
    if (doubles[counts + i]! !== 0) return i + (doubles[array + BASES + range]! | 0);
  }
  return -0x80000000;
}

/**
 * Ends the interval of a cell that has a block. With `begins` false, finishes what a dead writer left of
 * that. All in one function: if the app's stack ends in the call, that is before the link is stored. See
 * carried.ts.
 */
function carry(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  begins: boolean,
): void {
  const { arrayWords, maxScale, spare } = shape;
  const version = words[at << 1]!;
  const link = words[(at << 1) + 1]!;
  const slot = at + SLOTS + (version & 1) * SLOT_WORDS;
  const scratch = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const array = doubles[slot + ARRAY]! | 0;
  const valid = recordAt(link, RECORD_WORDS);
  const record = begins ? recordAt(link ^ 1, RECORD_WORDS) : valid;
  if (begins) {
    const from = valid + 1;
    const to = record + 1;
    const carried = doubles[from + ARRAY]! | 0;
    doubles[doubles[slot + BUCKET]! | 0] = doubles[slot + BUCKET_COUNT]!;
    gather(doubles, carried, array, spare, shape, NO_RANGE, 0);
    words[record << 1] = version;
    words[(record << 1) + 1] = 1;
    doubles[to + COUNT] = doubles[from + COUNT]! + doubles[slot + COUNT]!;
    doubles[to + SUM] = doubles[from + SUM]! + doubles[slot + SUM]!;
    doubles[to + MIN] = Math.min(doubles[from + MIN]!, doubles[slot + MIN]!);
    doubles[to + MAX] = Math.max(doubles[from + MAX]!, doubles[slot + MAX]!);
    doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + doubles[slot + ZERO_COUNT]!;
    doubles[to + ARRAY] = spare;
    Atomics.exchange(words, (at << 1) + 1, link ^ 1);
    shape.spare = carried;
  }
  if (words[(record << 1) + 1] === 0) return;
  if (words[record << 1] === version) {
    for (let i = 0; i < SLOT_WORDS; i++) doubles[scratch + i] = 0;
    doubles[scratch + MIN] = Infinity;
    doubles[scratch + MAX] = -Infinity;
    doubles[scratch + ARRAY] = array;
    doubles[scratch + BUCKET] = array + COUNTS;
    Atomics.exchange(words, at << 1, (version + 1) | 0);
  }
  for (let i = 0; i < arrayWords; i++) doubles[array + i] = 0;
  doubles[array + SCALE] = maxScale;
  words[(record << 1) + 1] = 0;
}

/**
 * Copies a cell's state as two rows, with the protocol of `readConsistent` (cell.ts). Returns the attempts it
 * took, or 0 when it gave up, also because an array is none, or lies beyond the views. Any thread.
 */
export type CopyExponential = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  into: Float64Array,
) => number;

/**
 * Both forms, which differ in their second look at the version. While a writer is at work, an attempt may
 * find anything. It still looks only at the cell and the arrays of its stream, it ends, and the second look
 * discards what it found. Exported for the check of its machine code.
 */
export function copyExponential(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  into: Float64Array,
  strict: boolean,
): number {
  const { copiedSince, copiedCarried } = shape;
  const versionIndex = at << 1;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const version = Atomics.load(words, versionIndex);
    const slot = at + SLOTS + (version & 1) * SLOT_WORDS;
    let since = 0;
    let isCarried = false;
    into[copiedCarried + COUNT] = 0;
    if (words[versionIndex + 1]! > 0) {
      const record = recordAt(Atomics.load(words, versionIndex + 1), RECORD_WORDS);
      if (record + RECORD_WORDS >= doubles.length) return 0;
      since = words[record << 1]!;
      isCarried = words[(record << 1) + 1] !== 0 && since === version;
      if (!copyRow(doubles, record + 1, 0, 0, shape, into, copiedCarried)) return 0;
    }
    const last = doubles[slot + BUCKET]! | 0;
    if (!copyRow(doubles, slot, last, doubles[slot + BUCKET_COUNT]!, shape, into, 0)) return 0;
    const now = strict ? Atomics.add(words, versionIndex, 0) : Atomics.load(words, versionIndex);
    if (now !== version) continue;
    if (isCarried) empty(into, 0, shape);
    into[copiedSince] = since;
    into[copiedSince + 1] = version;
    return attempt;
  }
  return 0;
}

/**
 * Copies a slot or a record, and its array, as the row at `to`. (`last`, `lastCount`): the redo entry; none
 * where the count is 0. False where there is no such array, also since the views do not reach as far.
 */
function copyRow(
  doubles: Float64Array,
  from: number,
  last: number,
  lastCount: number,
  shape: ExponentialShape,
  into: Float64Array,
  to: number,
): boolean {
  const { maxSize, maxScale, ranges, arrayWords } = shape;
  if (doubles[from + COUNT] === 0) {
    empty(into, to, shape);
    return true;
  }
  for (let i = 0; i < ROW_TOTALS; i++) into[to + i] = doubles[from + i]!;
  const array = doubles[from + ARRAY]! | 0;
  if (array < 0 || array + arrayWords > doubles.length) return false;
  const scale = doubles[array + SCALE]!;
  if (!isScale(scale, maxScale)) return false;
  into[to + ROW_SCALE] = scale;
  for (let range = 0; range < ranges; range++) {
    const counts = array + COUNTS + range * maxSize;
    // The array lags one update behind: the redo entry is laid over it.
    const entry = last - array - COUNTS - range * maxSize;
    const hasEntry = entry >= 0 && entry < maxSize && lastCount !== 0;
    let first = 0;
    while (first < maxSize && doubles[counts + first] === 0) first++;
    let end = maxSize;
    while (end > 0 && doubles[counts + end - 1] === 0) end--;
    if (hasEntry && entry < first) first = entry;
    if (hasEntry && entry >= end) end = entry + 1;
    const toCounts = to + ROW_COUNTS + range * maxSize - first;
    for (let i = first; i < end; i++) into[toCounts + i] = doubles[counts + i]!;
    if (hasEntry) into[toCounts + entry] = lastCount;
    const length = first < end ? end - first : 0;
    const base = doubles[array + BASES + range]!;
    if (!isInt32(base + first) || !isInt32(base + end)) return false;
    into[to + ROW_RANGES + 2 * range] = length === 0 ? 0 : base + first;
    into[to + ROW_RANGES + 2 * range + 1] = length;
  }
  if (ranges === 1) into[to + ROW_RANGES + 2] = into[to + ROW_RANGES + 3] = 0;
  return true;
}

/** Makes the row at `to` that of an empty histogram. */
function empty(into: Float64Array, to: number, { maxScale }: ExponentialShape): void {
  into.fill(0, to, to + ROW_COUNTS);
  into[to + MIN] = Infinity;
  into[to + MAX] = -Infinity;
  into[to + ROW_SCALE] = maxScale;
}

export const copyExponentialFast: CopyExponential = (words, doubles, at, shape, into) =>
  copyExponential(words, doubles, at, shape, into, false);

export const copyExponentialStrict: CopyExponential = (words, doubles, at, shape, into) =>
  copyExponential(words, doubles, at, shape, into, true);

/** An empty histogram has min +Infinity and max -Infinity. */
export const readExponentialInto: CopyExponential =
  MEMORY_ORDER === 'fast' ? copyExponentialFast : copyExponentialStrict;
