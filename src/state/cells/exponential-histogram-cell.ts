/**
 * Base-2 exponential histogram cell. One writer at a time; readers in any thread.
 *
 *   float64   at       +1      +2    +3    +4    +5           +6       +7
 *             +--------+-------+-----+-----+-----+------------+--------+--------------+
 *             |version | count | sum | min | max | zero count | bucket | bucket count |   slot 0
 *             +--------+-------+-----+-----+-----+------------+--------+--------------+
 *               at+8   | count | sum | min | max | zero count | bucket | bucket count |   slot 1
 *                      +-------+-----+-----+-----+------------+--------+--------------+
 *               at+15  | array 0                                                      |   tail
 *                      +--------------------------------------------------------------+
 *                      | array 1                                                      |
 *                      +--------------------------------------------------------------+
 *                      | extremes of intervals, of state 0 and of state 1             |   interval-exponential-cell.ts only
 *                      +--------------------------------------------------------------+
 *
 *   array     0       1          2          3
 *             +-------+----------+----------+------------------+------------------+
 *             | scale | base (+) | base (-) | maxSize counts + | maxSize counts - |
 *             +-------+----------+----------+------------------+------------------+
 *               the last part only where measurements may be negative
 *
 * base      index of the bucket whose count comes first
 * bucket    where the count lies that the slot's update changed, as an offset from `at`; it lies in the active array, and so
 *           says which of the two that is. (bucket, bucket count) is the redo entry of histogram-cell.ts and is treated alike:
 *           the array lags one update behind, the next update stores the entry first, a reader lays it over its copy.
 *           An update of a zero changes no bucket and hands the entry on.
 *
 * A value outside the array. What is in the active array is written to the other one, whole: at a smaller scale if all counts need
 * it, then in the middle of the array, so that the next value that lies outside is far. The slot published then points into that
 * array. A reader of the state before looks at the old array, which is not touched; a reader of the state after sees the new
 * one whole; and a writer that dies meanwhile leaves rubbish in an array nobody looks at, which the next one writes anew.
 * Both arrays take turns as the two slots do: what an update writes over was last visible two states ago.
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

const SLOT_WORDS = 7;
const SLOTS = 1;
const ARRAYS: number = SLOTS + 2 * SLOT_WORDS;

// Indices into a slot; private because V8 does not fold exported constants, see histogram-cell.ts.
const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const ZERO_COUNT = 4;
const BUCKET = 5;
const BUCKET_COUNT = 6;

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
  /** Offset of array 1 from the cell's start. */
  readonly secondArray: number;
  /** The same of the extremes of intervals; 0 where cells keep none. */
  readonly intervals: number;
  /** Float64 words of a cell. */
  readonly cellWords: number;
  /** Float64 words of a copy (exponential-copy.ts). */
  readonly copyWords: number;
  /** Where the extremes of intervals lie in it. */
  readonly copiedInterval: number;

  constructor(maxSize: number, maxScale: number, negative: boolean, intervals = false) {
    const intervalWords = intervals ? INTERVAL_WORDS : 0;
    this.maxSize = maxSize;
    this.maxScale = maxScale;
    this.ranges = negative ? 2 : 1;
    this.arrayWords = COUNTS + this.ranges * maxSize;
    this.secondArray = ARRAYS + this.arrayWords;
    this.intervals = intervals ? this.secondArray + this.arrayWords : 0;
    this.cellWords = cellWords(SLOT_WORDS, 2 * this.arrayWords + 2 * intervalWords);
    this.copiedInterval = COPIED_COUNTS + this.ranges * maxSize;
    this.copyWords = this.copiedInterval + intervalWords;
  }
}

/** Makes zeroed memory an empty histogram. Call before the cell is published in the directory. */
export function initExponential(doubles: Float64Array, at: number, shape: ExponentialShape): void {
  doubles[at + SLOTS + MIN] = Infinity;
  doubles[at + SLOTS + MAX] = -Infinity;
  doubles[at + SLOTS + BUCKET] = ARRAYS + COUNTS;
  doubles[at + ARRAYS + SCALE] = shape.maxScale;
  if (shape.intervals !== 0) initInterval(doubles, at + shape.intervals);
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
  doubles[at + last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const bucket = isZero === 1 ? last : bucketOf(doubles, at, shape, last, value);
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[at + bucket]! + (1 - isZero);
  words[at << 1] = (version + 1) | 0;
};

export const recordToExponentialStrict: RecordToExponential = (words, doubles, at, shape, value) => {
  const version = words[(at << 1) + 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const last = doubles[from + BUCKET]! | 0;
  doubles[at + last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const bucket = isZero === 1 ? last : bucketOf(doubles, at, shape, last, value);
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[at + bucket]! + (1 - isZero);
  words[(at << 1) + 1] = (version + 1) | 0;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToExponential: RecordToExponential =
  MEMORY_ORDER === 'fast' ? recordToExponentialFast : recordToExponentialStrict;

/** Where the count of a value's bucket lies, from `at`. `last`: an offset in the active array, which is up to date. For recording. */
export function bucketOf(
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  last: number,
  value: number,
): number {
  const array = last < shape.secondArray ? ARRAYS : shape.secondArray;
  const range = value < 0 ? shape.ranges - 1 : 0;
  const index = exponentialIndex(value, doubles[at + array + SCALE]! | 0);
  const position = index - (doubles[at + array + BASES + range]! | 0);
  if (position >= 0 && position < shape.maxSize) return array + COUNTS + range * shape.maxSize + position;
  const other = array === ARRAYS ? shape.secondArray : ARRAYS;
  return other + moveTo(doubles, at + array, at + other, shape, range, index);
}
