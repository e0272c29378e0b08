/**
 * Exponential histogram cell for readers with delta temporality: exponential-histogram-cell.ts, and behind its array the extremes of
 * intervals (interval-part.ts), those of state v at v & 1 like the slots. One writer at a time; readers in any thread, through
 * `readExponentialInto`. Shapes are made with `intervals`. Order and guarantees are those of the cell without.
 */
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import { bucketOf, type ExponentialShape } from './exponential-histogram-cell.ts';

// Private because V8 does not fold exported constants, see histogram-cell.ts. The same as in the files named above.
const SLOT_WORDS = 8;
const SLOTS = 1;
const INTERVAL_WORDS = 7;

const COUNT = 0;
const SUM = 1;
const MIN = 2;
const MAX = 3;
const ZERO_COUNT = 4;
const ARRAY = 5;
const BUCKET = 6;
const BUCKET_COUNT = 7;

const EPOCH = 0;
const SINCE = 1;
const LOW = 2;
const HIGH = 3;
const EARLIER_SINCE = 4;
const EARLIER_LOW = 5;
const EARLIER_HIGH = 6;

/**
 * Counts a finite value, from 0 where the shape has one range. `epoch`: the region's interval epoch, read just before. Only the cell's writer
 * may call it. Never throws, never allocates (see `RecordToHistogram`).
 */
export type RecordToIntervalExponential = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  value: number,
  epoch: number,
) => void;

export const recordToIntervalExponentialFast: RecordToIntervalExponential = (
  words,
  doubles,
  at,
  shape,
  value,
  epoch,
) => {
  const version = words[at << 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const intervals = at + shape.intervals;
  const fromInterval = intervals + (version & 1) * INTERVAL_WORDS;
  const toInterval = intervals + (~version & 1) * INTERVAL_WORDS;
  const last = doubles[from + BUCKET]! | 0;
  doubles[last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const array = doubles[from + ARRAY]! | 0;
  const { spare } = shape;
  const bucket = isZero === 1 ? last : bucketOf(doubles, array, shape, value);
  const count = doubles[from + COUNT]!;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  const low = doubles[fromInterval + LOW]!;
  const high = doubles[fromInterval + HIGH]!;
  const goesOn = doubles[fromInterval + EPOCH] === epoch;
  doubles[to + COUNT] = count + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + ARRAY] = shape.spare === array ? spare : array;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[bucket]! + (1 - isZero);
  doubles[toInterval + EPOCH] = epoch;
  doubles[toInterval + SINCE] = goesOn ? doubles[fromInterval + SINCE]! : count;
  doubles[toInterval + LOW] = goesOn && low < number ? low : number;
  doubles[toInterval + HIGH] = goesOn && high > number ? high : number;
  doubles[toInterval + EARLIER_SINCE] = doubles[fromInterval + (goesOn ? EARLIER_SINCE : SINCE)]!;
  doubles[toInterval + EARLIER_LOW] = doubles[fromInterval + (goesOn ? EARLIER_LOW : LOW)]!;
  doubles[toInterval + EARLIER_HIGH] = doubles[fromInterval + (goesOn ? EARLIER_HIGH : HIGH)]!;
  words[at << 1] = (version + 1) | 0;
};

export const recordToIntervalExponentialStrict: RecordToIntervalExponential = (
  words,
  doubles,
  at,
  shape,
  value,
  epoch,
) => {
  const version = words[(at << 1) + 1]!;
  const from = at + SLOTS + (version & 1) * SLOT_WORDS;
  const to = at + SLOTS + (~version & 1) * SLOT_WORDS;
  const intervals = at + shape.intervals;
  const fromInterval = intervals + (version & 1) * INTERVAL_WORDS;
  const toInterval = intervals + (~version & 1) * INTERVAL_WORDS;
  const last = doubles[from + BUCKET]! | 0;
  doubles[last] = doubles[from + BUCKET_COUNT]!;
  const number = +value;
  const isZero = number === 0 ? 1 : 0;
  const array = doubles[from + ARRAY]! | 0;
  const { spare } = shape;
  const bucket = isZero === 1 ? last : bucketOf(doubles, array, shape, value);
  const count = doubles[from + COUNT]!;
  const min = doubles[from + MIN]!;
  const max = doubles[from + MAX]!;
  const low = doubles[fromInterval + LOW]!;
  const high = doubles[fromInterval + HIGH]!;
  const goesOn = doubles[fromInterval + EPOCH] === epoch;
  doubles[to + COUNT] = count + 1;
  doubles[to + SUM] = doubles[from + SUM]! + number;
  doubles[to + MIN] = number < min ? number : min;
  doubles[to + MAX] = number > max ? number : max;
  doubles[to + ZERO_COUNT] = doubles[from + ZERO_COUNT]! + isZero;
  doubles[to + ARRAY] = shape.spare === array ? spare : array;
  doubles[to + BUCKET] = bucket;
  doubles[to + BUCKET_COUNT] = doubles[bucket]! + (1 - isZero);
  doubles[toInterval + EPOCH] = epoch;
  doubles[toInterval + SINCE] = goesOn ? doubles[fromInterval + SINCE]! : count;
  doubles[toInterval + LOW] = goesOn && low < number ? low : number;
  doubles[toInterval + HIGH] = goesOn && high > number ? high : number;
  doubles[toInterval + EARLIER_SINCE] = doubles[fromInterval + (goesOn ? EARLIER_SINCE : SINCE)]!;
  doubles[toInterval + EARLIER_LOW] = doubles[fromInterval + (goesOn ? EARLIER_LOW : LOW)]!;
  doubles[toInterval + EARLIER_HIGH] = doubles[fromInterval + (goesOn ? EARLIER_HIGH : HIGH)]!;
  words[(at << 1) + 1] = (version + 1) | 0;
  Atomics.exchange(words, at << 1, (version + 1) | 0);
};

export const recordToIntervalExponential: RecordToIntervalExponential =
  MEMORY_ORDER === 'fast' ? recordToIntervalExponentialFast : recordToIntervalExponentialStrict;
