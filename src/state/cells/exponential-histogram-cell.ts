/**
 * Base-2 exponential histogram cell. One writer at a time; readers in any thread.
 *
 *   float64   at       +1      +2    +3    +4    +5           +6      +7       +8
 *             +--------+-------+-----+-----+-----+------------+-------+--------+--------------+
 *             |version | count | sum | min | max | zero count | array | bucket | bucket count |   slot 0
 *             +--------+-------+-----+-----+-----+------------+-------+--------+--------------+
 *               at+9   | count | sum | min | max | zero count | array | bucket | bucket count |   slot 1
 *                      +-------+-----+-----+-----+------------+-------+--------+--------------+
 *               at+17  | home: an array                                                       |   tail
 *                      +----------------------------------------------------------------------+
 *                      | extremes of intervals, of state 0 and of state 1                     |   interval-exponential-cell.ts only
 *                      +----------------------------------------------------------------------+
 *
 *   array     0       1          2          3
 *             +-------+----------+----------+------------------+------------------+
 *             | scale | base (+) | base (-) | maxSize counts + | maxSize counts - |
 *             +-------+----------+----------+------------------+------------------+
 *               the last part only where measurements may be negative
 *
 * array     where the cell's array begins, from the start of the region: at home at first, elsewhere after a move
 * base      index of the bucket whose count comes first
 * bucket    where the count lies that the slot's update changed, from the start of the region; it lies in the array. (bucket, bucket count) is
 *           the redo entry of histogram-cell.ts and is treated alike: the array lags one update behind, the next update stores the
 *           entry first, a reader lays it over its copy. An update of a zero changes no bucket and hands the entry on.
 *
 * A value outside the array. The cells of a stream in one slab have one spare array between them, of the same size. What is in the cell's array is
 * written to the spare one, whole: at a smaller scale if all counts need it, then in the middle of the array, so that the next value that
 * lies outside is far. The slot published then points there, and what the cell has left is the stream's spare array from now on.
 *
 *   before     cell i -> array a      cell j -> array b      spare: array c
 *   after      cell i -> array c      cell j -> array b      spare: array a
 *
 * A reader of the state before looks at a, which nobody writes to before the state after is published; a later move, of whichever cell, may write
 * to a, and a reader that is still there finds the version changed. A reader of the state after sees c whole. A writer that dies meanwhile leaves
 * rubbish in an array nobody looks at. Which one is the spare is stored nowhere, so that it cannot disagree with what the slots say: of
 * all arrays it is the one no slot points to (`displacement`).
 *
 * A2 of cell.ts holds as it stands: the loops of that move end before the scratch slot's first store. They are bounded by the
 * size of the array, and a cell makes few of such moves in its life: each that lowers no scale at least halves what is left of the
 * array's free room, and there are 31 scales.
 *
 * The scale is the highest at which all that was recorded fits (specification, ideal scale): it starts at maxScale, zeros leave it
 * there, and it falls by no more than the value at hand needs.
 * In every state a reader accepts: count = zero count + sum over buckets, and sum, min and max belong to just those observations.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords } from '../../memory/cell.ts';
import { exponentialIndex } from './exponential-index.ts';
import { moveTo } from './exponential-move.ts';
import { initInterval, INTERVAL_WORDS } from './interval-part.ts';

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

// Indices into an array.
const SCALE = 0;
const BASES = 1;
const COUNTS = 3;

const COPIED_COUNTS = 10; // where counts begin in a copy

/** What the cells of one stream have in common. */
export class ExponentialShape {
  /** Buckets of each range, from 2. */
  readonly maxSize: number;
  readonly maxScale: number;
  /** 2 where measurements may be negative, else 1. */
  readonly ranges: number;
  readonly arrayWords: number;
  /** Offset of the extremes of intervals from the cell's start; 0 where cells keep none. */
  readonly intervals: number;
  /** Float64 words of a cell. */
  readonly cellWords: number;
  /** Float64 words of a copy (exponential-copy.ts). */
  readonly copyWords: number;
  /** Where the extremes of intervals lie in it. */
  readonly copiedInterval: number;
  /** For the cells' writer: where their spare array begins, from the start of the region. A move changes it. */
  spare = 0;

  constructor(maxSize: number, maxScale: number, negative: boolean, intervals = false) {
    const intervalWords = intervals ? INTERVAL_WORDS : 0;
    this.maxSize = maxSize;
    this.maxScale = maxScale;
    this.ranges = negative ? 2 : 1;
    this.arrayWords = COUNTS + this.ranges * maxSize;
    this.intervals = intervals ? HOME + this.arrayWords : 0;
    this.cellWords = cellWords(SLOT_WORDS, this.arrayWords + 2 * intervalWords);
    this.copiedInterval = COPIED_COUNTS + this.ranges * maxSize;
    this.copyWords = this.copiedInterval + intervalWords;
  }
}

/** Makes zeroed memory an empty histogram. Call before the cell is published in the directory. */
export function initExponential(doubles: Float64Array, at: number, shape: ExponentialShape): void {
  doubles[at + SLOTS + MIN] = Infinity;
  doubles[at + SLOTS + MAX] = -Infinity;
  doubles[at + SLOTS + ARRAY] = at + HOME;
  doubles[at + SLOTS + BUCKET] = at + HOME + COUNTS;
  doubles[at + HOME + SCALE] = shape.maxScale;
  if (shape.intervals !== 0) initInterval(doubles, at + shape.intervals);
}

/**
 * How far a cell's array is from home. All arrays of a stream are the homes of its cells and the first spare one: so where that began, less the
 * displacements of all cells, begins the spare array of now. For a new owner of the cells.
 */
export function displacement(words: Int32Array, doubles: Float64Array, at: number): number {
  const version = Atomics.load(words, at << 1);
  return doubles[at + SLOTS + (version & 1) * SLOT_WORDS + ARRAY]! - (at + HOME);
}

/**
 * Counts a finite value, from 0 where the shape has one range. Only the cell's writer may call it. Never throws, never allocates.
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
  const version = words[(at << 1) + 1]!;
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
  words[(at << 1) + 1] = (version + 1) | 0;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToExponential: RecordToExponential =
  MEMORY_ORDER === 'fast' ? recordToExponentialFast : recordToExponentialStrict;

/**
 * Where the count of a value's bucket lies, for recording. `array` is up to date. Where it has no such bucket, the counts are moved to the spare
 * array, and `array` is the spare one when this returns.
 */
export function bucketOf(
  doubles: Float64Array,
  array: number,
  shape: ExponentialShape,
  value: number,
): number {
  const range = value < 0 ? shape.ranges - 1 : 0;
  const index = exponentialIndex(value, doubles[array + SCALE]! | 0);
  const position = index - (doubles[array + BASES + range]! | 0);
  if (position >= 0 && position < shape.maxSize) return array + COUNTS + range * shape.maxSize + position;
  const { spare } = shape;
  const bucket = spare + moveTo(doubles, array, spare, shape, range, index);
  shape.spare = array; // not before: where the app's stack ends in the move, the cell keeps its array
  return bucket;
}
