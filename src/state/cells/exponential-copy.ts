/**
 * What readers copy of an exponential histogram cell (exponential-histogram-cell.ts): its state as a row of numbers, of which nothing is copied that
 * is not in use.
 *
 *   0       1     2     3     4            5       6          7          8          9          10
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+-------------+-------------+-----------+
 *   | count | sum | min | max | zero count | scale | offset + | length + | offset - | length - | counts +... | counts -... | intervals |
 *   +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+-------------+-------------+-----------+
 *
 * offset, length   index of the first bucket that has counts, and buckets up to the last one that has; 0 and 0 where none has
 * counts           maxSize words for each range the cell has, of which `length` are in use; what is in the others is undefined
 * intervals        the extremes of intervals (interval-part.ts), where the cell keeps them
 */
import { MAX_TRIES } from '../../memory/cell.ts';
import { MEMORY_ORDER } from '../../memory/memory-order.ts';
import type { ExponentialShape } from './exponential-histogram-cell.ts';

const TRIES: number = MAX_TRIES;

// Private because V8 does not fold exported constants, see histogram-cell.ts. Of the cell:
const SLOTS = 1;
const SLOT_WORDS = 8;
const ARRAY = 5;
const BUCKET = 6;
const BUCKET_COUNT = 7;
const INTERVAL_WORDS = 7;
const SCALE = 0;
const BASES = 1;
const COUNTS = 3;

// Of the copy; what comes before is as in a slot.
const TOTALS = 5;
const COPIED_SCALE = 5;
const COPIED_RANGES = 6;
const COPIED_COUNTS = 10;

export const EXPONENTIAL_COUNT = 0;
export const EXPONENTIAL_SUM = 1;
export const EXPONENTIAL_MIN = 2;
export const EXPONENTIAL_MAX = 3;
export const EXPONENTIAL_ZERO_COUNT = 4;
export const EXPONENTIAL_SCALE: number = COPIED_SCALE;
/** Offset and length of the positive range; those of the negative one follow. */
export const EXPONENTIAL_RANGES: number = COPIED_RANGES;
export const EXPONENTIAL_COUNTS: number = COPIED_COUNTS;

/**
 * Copies a cell's state, as `readConsistent` does it (cell.ts). Returns the attempts it took, 0 when it gave up: also where the cell's array lies in
 * memory that was added after the views were taken. Any thread.
 */
export type CopyExponential = (
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  into: Float64Array,
) => number;

/**
 * Both forms, which differ in their second look at the version. Whatever an attempt finds while a writer is at work, it looks at the cell and an array
 * of its stream alone, and ends, and the look throws away what it found. Exported for the check of its machine code.
 */
export function copyExponential(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  { maxSize, ranges, arrayWords, intervals, copiedInterval, copyWords }: ExponentialShape,
  into: Float64Array,
  strict: boolean,
): number {
  const versionIndex = at << 1;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const version = Atomics.load(words, versionIndex);
    const slot = at + SLOTS + (version & 1) * SLOT_WORDS;
    for (let i = 0; i < TOTALS; i++) into[i] = doubles[slot + i]!;
    const last = doubles[slot + BUCKET]! | 0;
    const lastCount = doubles[slot + BUCKET_COUNT]!;
    const array = doubles[slot + ARRAY]! | 0;
    if (array + arrayWords > doubles.length) return 0;
    into[COPIED_SCALE] = doubles[array + SCALE]!;
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
      const to = COPIED_COUNTS + range * maxSize - first;
      for (let i = first; i < end; i++) into[to + i] = doubles[counts + i]!;
      if (hasEntry) into[to + entry] = lastCount;
      const length = first < end ? end - first : 0;
      into[COPIED_RANGES + 2 * range] = length === 0 ? 0 : doubles[array + BASES + range]! + first;
      into[COPIED_RANGES + 2 * range + 1] = length;
    }
    const interval = at + intervals + (version & 1) * INTERVAL_WORDS - copiedInterval;
    for (let i = copiedInterval; i < copyWords; i++) into[i] = doubles[interval + i]!;
    const now = strict ? Atomics.add(words, versionIndex, 0) : Atomics.load(words, versionIndex);
    if (now !== version) continue;
    if (ranges === 1) into[COPIED_RANGES + 2] = into[COPIED_RANGES + 3] = 0;
    return attempt;
  }
  return 0;
}

export const copyExponentialFast: CopyExponential = (words, doubles, at, shape, into) =>
  copyExponential(words, doubles, at, shape, into, false);

export const copyExponentialStrict: CopyExponential = (words, doubles, at, shape, into) =>
  copyExponential(words, doubles, at, shape, into, true);

/** An empty histogram has min +Infinity and max -Infinity. */
export const readExponentialInto: CopyExponential =
  MEMORY_ORDER === 'fast' ? copyExponentialFast : copyExponentialStrict;
