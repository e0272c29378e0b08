/**
 * Which bucket of a base-2 exponential histogram a value falls into (specification, data model,
 * ExponentialHistogram).
 *
 * At scale s the buckets' bounds are the powers of base = 2^(2^-s); bucket i is (base^i, base^(i+1)], the
 * upper bound inclusive. The result is exact for every number and scale: no value is in a bucket next to its
 * own.
 *
 * Up to TABLE_SCALE, to which most histograms come down, a table gives the bucket. Each 512th part of [1, 2)
 * holds at most one bound of that scale. For each part, the table has the bucket in which it begins, and the
 * greatest number that is still in that bucket. The bounds of a scale are every second one of the next scale,
 * so a shift gives the bucket at a lower scale.
 *
 * Above: value = 2^e * m, and bucket = e * 2^s + floor(log2(m) * 2^s).
 *
 *   log2(m) = -log2(v) + log2(1 + r),  r = m * v - 1
 *   v = 1 / (middle of the 512th part of [1, 2) that m lies in)
 *
 * |r| is below 2^-10, so four terms of the series of log2(1 + r) suffice: the sum is off by less than 2^-50.
 * Times 2^20, the highest scale, that is less than 2^-30 of a bucket. Where the sum lies closer than GUARD to
 * a bound, m is compared with the bound itself.
 *
 * Subnormal numbers are counted as the smallest normal one, which the specification permits: scale MIN_SCALE
 * then has two buckets on each side, whatever is recorded.
 */
import { greatestUpTo, isAbovePower } from './exponential-bound.ts';

/** Scales: two buckets hold all normal numbers at the lowest; at the highest, an index is still an int32. */
export const MIN_SCALE: number = -10;
export const MAX_SCALE = 20;
/** Buckets of a range, at most. A cell takes twice as many words where measurements may be negative. */
export const LARGEST_MAX_SIZE = 4096;

const TABLE_SCALE = 8;
const BIAS = 1023;
const MANTISSA_BITS = 20; // of the high word
const MANTISSA: number = (1 << MANTISSA_BITS) - 1;
const PART_BITS: number = TABLE_SCALE + 1; // the narrowest bucket is 0.69 of 2^-TABLE_SCALE wide
const PARTS: number = 1 << PART_BITS;
const PART_SHIFT: number = MANTISSA_BITS - PART_BITS;
const GUARD: number = 2 ** -24;
const LOG2E = Math.LOG2E;
const TERM_2: number = -LOG2E / 2;
const TERM_3: number = LOG2E / 3;
const TERM_4: number = -LOG2E / 4;

const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
const LOW_WORD = 0; // little-endian
const HIGH_WORD = 1;

/**
 * By part: the bucket it begins in, of an octave whose exponent has no bias; and the mantissa of the greatest
 * number in that bucket, which is beyond all where a part has no bound.
 */
const FIRST_BUCKETS = new Int32Array(PARTS);
const BOUND_HIGHS: Int32Array = new Int32Array(PARTS).fill(MANTISSA + 1);
const BOUND_LOWS = new Uint32Array(PARTS);
for (let bound = 0; bound < 1 << TABLE_SCALE; bound++) {
  scratch[0] = greatestUpTo(bound, TABLE_SCALE);
  const mantissa = scratchWords[HIGH_WORD]! & MANTISSA;
  const part = mantissa >> PART_SHIFT;
  FIRST_BUCKETS[part] = bound - 1 - (BIAS << TABLE_SCALE);
  FIRST_BUCKETS.fill(bound - (BIAS << TABLE_SCALE), part + 1);
  BOUND_HIGHS[part] = mantissa;
  BOUND_LOWS[part] = scratchWords[LOW_WORD]!;
}

/** 2^-e by the biased exponent of a number. */
const SCALES: Float64Array = Float64Array.from({ length: 2047 }, (_, biased) => 2 ** (BIAS - biased));
const INVERSES: Float64Array = Float64Array.from({ length: PARTS }, (_, i) => 1 / (1 + (i + 0.5) / PARTS));
const LOGARITHMS: Float64Array = INVERSES.map((inverse) => -Math.log2(inverse));
const FACTORS: Float64Array = Float64Array.from({ length: MAX_SCALE + 1 }, (_, scale) => 2 ** scale);

/**
 * The bucket of a finite number's absolute value at a scale from MIN_SCALE to MAX_SCALE; not of 0. Never
 * allocates: callers pass a number as they got it, since V8 boxes one they have made of it, where it does not
 * inline this (16 B a call).
 */
export function exponentialIndex(value: number, scale: number): number {
  scratch[0] = value;
  const high = scratchWords[HIGH_WORD]! & 0x7fffffff; // without the sign
  if (scale > TABLE_SCALE || high <= MANTISSA) return indexInScratch(scale);
  const mantissa = high & MANTISSA;
  const part = mantissa >> PART_SHIFT;
  const bound = BOUND_HIGHS[part]!;
  // 1 or 0, without a branch that the processor could predict wrongly.
  const above = bound === mantissa ? lowAbove(part) : (bound - mantissa) >>> 31;
  return (((high >> MANTISSA_BITS) << TABLE_SCALE) + FIRST_BUCKETS[part]! + above) >> (TABLE_SCALE - scale);
}

/** 1 if the number in `scratch`, whose high word is that of the part's bound, is above the bound; else 0. */
function lowAbove(part: number): number {
  return scratchWords[LOW_WORD]! >>> 0 > BOUND_LOWS[part]! ? 1 : 0;
}

/**
 * The bucket of the number in `scratch` at a scale above that of the table; of a subnormal number at any
 * scale.
 */
function indexInScratch(scale: number): number {
  const high = scratchWords[HIGH_WORD]! & 0x7fffffff;
  const biased = high >> MANTISSA_BITS;
  if (biased === 0) return scale > 0 ? ((1 - BIAS) << scale) - 1 : -BIAS >> -scale;
  const part = (high & MANTISSA) >> PART_SHIFT;
  const first = (biased - BIAS) << scale;
  const mantissa = Math.abs(scratch[0]!) * SCALES[biased]!;
  const r = mantissa * INVERSES[part]! - 1;
  const logarithm = LOGARITHMS[part]! + r * (LOG2E + r * (TERM_2 + r * (TERM_3 + r * TERM_4)));
  const position = logarithm * FACTORS[scale]!;
  const bucket = Math.floor(position);
  const rest = position - bucket;
  if (rest > GUARD && rest < 1 - GUARD) return first + bucket;
  return first + besideBound(mantissa, Math.round(position), scale);
}

/** The bucket of a mantissa, 1 included and 2 not, that is about 2^(bound / 2^scale). */
function besideBound(mantissa: number, bound: number, scale: number): number {
  if (mantissa === 1) return -1;
  if (bound === 0) return 0;
  if (bound === 1 << scale) return bound - 1;
  return isAbovePower(mantissa, bound, scale) ? bound : bound - 1;
}

/** Whether a number, which may be any, is a scale up to `maxScale`. */
export function isScale(scale: number, maxScale: number): boolean {
  return isInt32(scale) && scale >= MIN_SCALE && scale <= maxScale;
}

/** Whether a number can be the index of a bucket. */
export function isInt32(value: number): boolean {
  return (value | 0) === value;
}
