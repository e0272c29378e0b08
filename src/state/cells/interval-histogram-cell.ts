/**
 * Explicit-bucket histogram cell for readers with delta temporality: histogram-cell.ts, and in each slot the extremes of
 * intervals (interval-part.ts). One writer at a time; readers in any thread.
 *
 *   float64   at                at+1
 *             +--------+--------+-------+-----+-----+-----+--------------+--------------+
 *             |version | mirror | count | sum | min | max | bucket index | bucket count |                     slot 0
 *             +--------+--------+-------+-----+-----+-----+--------------+--------------+----------------+
 *                               | epoch | since | low | high | earlier since | earlier low | earlier high |
 *                               +-------+-------+-----+------+---------------+-------------+--------------+
 *                       at+14     slot 1, the same
 *                       at+27     bucket 0, bucket 1, .. bucket n-1                                             tail
 *
 * Order, redo entry and guarantees are those of histogram-cell.ts.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords, readConsistent } from '../../memory/cell.ts';
import { initInterval } from './interval-part.ts';

const SLOT_WORDS = 13;
const SLOTS = 1;
const BUCKETS: number = SLOTS + 2 * SLOT_WORDS;

// Indices into a slot; private because V8 does not fold exported constants, see histogram-cell.ts. The first are the same as there.
const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const REDO_BUCKET = 4;
const REDO_COUNT = 5;
const EPOCH = 6;
const SINCE = 7;
const LOW = 8;
const HIGH = 9;
const EARLIER_SINCE = 10;
const EARLIER_LOW = 11;
const EARLIER_HIGH = 12;

/** Where the extremes of intervals lie in what `readIntervalHistogramInto` copies. */
export const INTERVAL_HISTOGRAM_EXTREMES: number = EPOCH;
/** Where the bucket counts start in what `readIntervalHistogramInto` copies; before them, histogram-cell.ts's indices hold. */
export const INTERVAL_HISTOGRAM_BUCKETS: number = SLOT_WORDS;

/** Float64 words of a cell of `buckets` buckets (bounds + 1). */
export function intervalHistogramCellWords(buckets: number): number {
  return cellWords(SLOT_WORDS, buckets);
}

/** Float64 words `readIntervalHistogramInto` needs for a cell of `buckets` buckets. */
export function intervalHistogramCopyWords(buckets: number): number {
  return SLOT_WORDS + buckets;
}

/** Makes zeroed memory an empty histogram. Call before the cell is published in the directory. */
export function initIntervalHistogram(doubles: Float64Array, at: number): void {
  doubles[at + SLOTS + MIN] = Infinity;
  doubles[at + SLOTS + MAX] = -Infinity;
  initInterval(doubles, at + SLOTS + EPOCH);
}

/**
 * Counts `value` in `bucket`. `epoch`: the region's interval epoch, read just before. Only the cell's writer may call it. Never throws,
 * never allocates (see `RecordToHistogram`).
 */
export type RecordToIntervalHistogram = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  bucket: number,
  value: number,
  epoch: number,
) => void;

export const recordToIntervalHistogramFast: RecordToIntervalHistogram = (
  words,
  doubles,
  at,
  bucket,
  value,
  epoch,
) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const buckets = at + BUCKETS;
  doubles[(buckets + doubles[from + REDO_BUCKET]!) | 0] = doubles[from + REDO_COUNT]!;
  const number = +value;
  const count = doubles[from + COUNT]!;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  const low = doubles[from + LOW]!;
  const high = doubles[from + HIGH]!;
  const goesOn = doubles[from + EPOCH] === epoch;
  doubles[to + COUNT] = count + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + REDO_BUCKET] = bucket;
  doubles[to + REDO_COUNT] = doubles[buckets + bucket]! + 1;
  doubles[to + EPOCH] = epoch;
  doubles[to + SINCE] = goesOn ? doubles[from + SINCE]! : count;
  doubles[to + LOW] = goesOn && low < number ? low : number;
  doubles[to + HIGH] = goesOn && high > number ? high : number;
  doubles[to + EARLIER_SINCE] = doubles[from + (goesOn ? EARLIER_SINCE : SINCE)]!;
  doubles[to + EARLIER_LOW] = doubles[from + (goesOn ? EARLIER_LOW : LOW)]!;
  doubles[to + EARLIER_HIGH] = doubles[from + (goesOn ? EARLIER_HIGH : HIGH)]!;
  words[at << 1] = (version + 1) | 0;
};

export const recordToIntervalHistogramStrict: RecordToIntervalHistogram = (
  words,
  doubles,
  at,
  bucket,
  value,
  epoch,
) => {
  const version = words[(at << 1) + 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const buckets = at + BUCKETS;
  doubles[(buckets + doubles[from + REDO_BUCKET]!) | 0] = doubles[from + REDO_COUNT]!;
  const number = +value;
  const count = doubles[from + COUNT]!;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  const low = doubles[from + LOW]!;
  const high = doubles[from + HIGH]!;
  const goesOn = doubles[from + EPOCH] === epoch;
  doubles[to + COUNT] = count + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + REDO_BUCKET] = bucket;
  doubles[to + REDO_COUNT] = doubles[buckets + bucket]! + 1;
  doubles[to + EPOCH] = epoch;
  doubles[to + SINCE] = goesOn ? doubles[from + SINCE]! : count;
  doubles[to + LOW] = goesOn && low < number ? low : number;
  doubles[to + HIGH] = goesOn && high > number ? high : number;
  doubles[to + EARLIER_SINCE] = doubles[from + (goesOn ? EARLIER_SINCE : SINCE)]!;
  doubles[to + EARLIER_LOW] = doubles[from + (goesOn ? EARLIER_LOW : LOW)]!;
  doubles[to + EARLIER_HIGH] = doubles[from + (goesOn ? EARLIER_HIGH : HIGH)]!;
  words[(at << 1) + 1] = (version + 1) | 0;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToIntervalHistogram: RecordToIntervalHistogram =
  MEMORY_ORDER === 'fast' ? recordToIntervalHistogramFast : recordToIntervalHistogramStrict;

/**
 * Copies count, sum, min, max and the intervals, and from `INTERVAL_HISTOGRAM_BUCKETS` on the bucket counts. Returns the attempts it
 * took, 0 when it gave up. Any thread.
 */
export function readIntervalHistogramInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  buckets: number,
  into: Float64Array,
): number {
  const attempts = readConsistent(words, doubles, at, SLOT_WORDS, buckets, into);
  if (attempts !== 0) into[SLOT_WORDS + into[REDO_BUCKET]!] = into[REDO_COUNT]!;
  return attempts;
}
