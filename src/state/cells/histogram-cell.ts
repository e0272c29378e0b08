/**
 * Explicit-bucket histogram cell. One writer at a time; readers in any thread.
 *
 *   float64   at                at+1      +2    +3    +4    +5             +6
 *             +--------+--------+-------+-----+-----+-----+--------------+--------------+
 *             |version | link   | count | sum | min | max | bucket index | bucket count |   slot 0
 *             +--------+--------+-------+-----+-----+-----+--------------+--------------+
 *                       at+7    | count | sum | min | max | bucket index | bucket count |   slot 1
 *                               +-------+-----+-----+-----+--------------+--------------+
 *                       at+13   | bucket 0 | bucket 1 | ... | bucket n-1 |      tail, n = bounds + 1
 *                               +----------+----------+-----+------------+
 *
 * (bucket index, bucket count) is the redo entry of the slot's update: the one bucket that it changed, and
 * the new count. The array in the tail is one update behind: the next update stores the entry there before
 * anything else. Storing it twice does no harm, so a writer may die before, between or after. A reader
 * applies the entry of the slot that it accepted to its copy of the array, so it does not matter whether the
 * entry was stored already. In every state that a reader accepts, count = sum over buckets, and sum, min and
 * max belong to exactly those observations. If the cell is read as deltas, sum, min and max in the slot are
 * those of the interval (carried.ts), and the reader computes the total.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { cellWords, readConsistent } from '../../memory/cell.ts';
import { INTERVAL_FIELDS, INTERVAL_SINCE, INTERVAL_VERSION, readCarrying, CarriedFields } from './carried.ts';

const SLOT_WORDS = 6;
const SLOTS = 1;
const BUCKETS: number = SLOTS + 2 * SLOT_WORDS;

// Indices into a slot. Private, with exported aliases below: V8 folds a constant that is private to its
// module, but loads an exported one from its binding, with checks, at every use (2 ns of a last-value write
// and 3 ns of a histogram's).
const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const REDO_BUCKET = 4;
const REDO_COUNT = 5;

/** Indices into what `readHistogramInto` copies. */
export const HISTOGRAM_COUNT: number = COUNT;
export const HISTOGRAM_SUM: number = SUM;
export const HISTOGRAM_MIN: number = MIN;
export const HISTOGRAM_MAX: number = MAX;
/** Where the bucket counts start in what `readHistogramInto` copies. */
export const HISTOGRAM_BUCKETS: number = SLOT_WORDS;

/** Float64 words of a cell of `buckets` buckets (bounds + 1). */
export function histogramCellWords(buckets: number): number {
  return cellWords(SLOT_WORDS, buckets);
}

/** What is carried of a histogram cell: sum, min and max. */
export const HISTOGRAM_FIELDS: CarriedFields = new CarriedFields(SLOT_WORDS, SUM, 3);

/**
 * Behind the bucket counts in what `readHistogramAndIntervalInto` copies: when the interval began, the
 * version copied, and the interval's sum, min and max.
 */
export const HISTOGRAM_SINCE: number = INTERVAL_SINCE;
export const HISTOGRAM_VERSION: number = INTERVAL_VERSION;
export const HISTOGRAM_INTERVAL: number = INTERVAL_FIELDS;

/** Float64 words `readHistogramInto` needs for a cell of `buckets` buckets. */
export function histogramCopyWords(buckets: number): number {
  return SLOT_WORDS + buckets + INTERVAL_FIELDS + 3;
}

/** Makes zeroed memory an empty histogram. Call before the cell is published in the directory. */
export function initHistogram(doubles: Float64Array, at: number): void {
  doubles[at + SLOTS + MIN] = Infinity;
  doubles[at + SLOTS + MAX] = -Infinity;
}

/**
 * Counts `value` in `bucket`. Only the cell's writer may call it. Never throws, never allocates.
 *
 * Two conversions that change nothing keep V8 from boxing: a choice between a raw double and `value` as it
 * was passed (boxed) would be boxed (32 B a call), and so would a sum of doubles used as an index (8 B, Node
 * 20). `npm run bench` counts them.
 */
export type RecordToHistogram = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  bucket: number,
  value: number,
) => void;

export const recordToHistogramFast: RecordToHistogram = (words, doubles, at, bucket, value) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const buckets = at + BUCKETS;
  doubles[(buckets + doubles[from + REDO_BUCKET]!) | 0] = doubles[from + REDO_COUNT]!;
  const number = +value;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + REDO_BUCKET] = bucket;
  doubles[to + REDO_COUNT] = doubles[buckets + bucket]! + 1;
  words[at << 1] = (version + 1) | 0;
};

export const recordToHistogramStrict: RecordToHistogram = (words, doubles, at, bucket, value) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const buckets = at + BUCKETS;
  doubles[(buckets + doubles[from + REDO_BUCKET]!) | 0] = doubles[from + REDO_COUNT]!;
  const number = +value;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  doubles[to + COUNT] = doubles[from + COUNT]! + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + REDO_BUCKET] = bucket;
  doubles[to + REDO_COUNT] = doubles[buckets + bucket]! + 1;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToHistogram: RecordToHistogram =
  MEMORY_ORDER === 'fast' ? recordToHistogramFast : recordToHistogramStrict;

/**
 * Copies count, sum, min, max and, from `HISTOGRAM_BUCKETS` on, the bucket counts, and may write to all of
 * `histogramCopyWords`. An empty histogram has min +Infinity and max -Infinity. Returns the attempts it took,
 * 0 when it gave up. Any thread.
 */
export function readHistogramInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  buckets: number,
  into: Float64Array,
): number {
  const attempts = readConsistent(words, doubles, at, SLOT_WORDS, buckets, into);
  if (words[(at << 1) + 1]! > 0) return readHistogramAndIntervalInto(words, doubles, at, buckets, into);
  if (attempts !== 0) layRedo(into, buckets);
  return attempts;
}

/** Also copies the interval. */
export function readHistogramAndIntervalInto(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  buckets: number,
  into: Float64Array,
): number {
  const attempts = readCarrying(words, doubles, at, HISTOGRAM_FIELDS, buckets, into);
  if (attempts !== 0) layRedo(into, buckets);
  return attempts;
}

function layRedo(into: Float64Array, buckets: number): void {
  const bucket = into[REDO_BUCKET]!;
  if (bucket >= 0 && bucket < buckets) into[SLOT_WORDS + bucket] = into[REDO_COUNT]!;
}

/** Whether a cell that another has written may be recorded to: its redo entry is one of its buckets. */
export function isSoundHistogram(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  buckets: number,
): boolean {
  const bucket = doubles[at + SLOTS + (words[at << 1]! & 1) * SLOT_WORDS + REDO_BUCKET]!;
  return Number.isInteger(bucket) && bucket >= 0 && bucket < buckets;
}
