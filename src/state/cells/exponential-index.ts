/**
 * Which bucket of a base-2 exponential histogram a value falls into (specification, data model, ExponentialHistogram).
 *
 * At scale s the buckets' bounds are the powers of base = 2^(2^-s); bucket i is (base^i, base^(i+1)], the upper bound inclusive.
 * The result is exact for every number and scale: no value is in a bucket next to its own.
 *
 * Scale 0 and below: the bucket is the float64's exponent, shifted.
 * Scale 1 and above: value = 2^e * m, and bucket = e * 2^s + floor(log2(m) * 2^s).
 *
 *   log2(m) = -log2(v) + log2(1 + r),  r = m * v - 1,   v = 1 / (middle of the 512th part of [1, 2) that m lies in)
 *
 * |r| is below 2^-10, so that four terms of the series of log2(1 + r) suffice: the sum is less than 2^-50 off, and times 2^20, the
 * highest scale, less than 2^-30 of a bucket. Where the sum lies closer than GUARD to a bound, m is compared with the bound itself
 * in double-double arithmetic (106 bits; T. J. Dekker, A floating-point technique for extending the available precision, 1971).
 * Bounds other than 1 and 2 are irrational, so m is never equal to one; of all 2^20 none lies closer to a float64 than 2^-78.
 *
 * Subnormal numbers are counted as the smallest normal one, which the specification permits: scale MIN_SCALE then has two buckets
 * on each side, whatever is recorded.
 */

/** Scales: two buckets hold all normal numbers at the lowest; at the highest, an index is still an int32. */
export const MIN_SCALE: number = -10;
export const MAX_SCALE = 20;

const BIAS = 1023;
const LOWEST_EXPONENT = -1022;
const PART_BITS = 9;
const PARTS: number = 1 << PART_BITS;
const PART_SHIFT: number = 20 - PART_BITS; // of the high word, whose low 20 bits begin the mantissa
const GUARD: number = 2 ** -24;
const LOG2E = Math.LOG2E;
const TERM_2: number = -LOG2E / 2;
const TERM_3: number = LOG2E / 3;
const TERM_4: number = -LOG2E / 4;

const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
const LOW_WORD = 0; // little-endian
const HIGH_WORD = 1;

/** 2^-e by the biased exponent of a number. */
const SCALES: Float64Array = Float64Array.from({ length: 2047 }, (_, biased) => 2 ** (BIAS - biased));
const INVERSES: Float64Array = Float64Array.from({ length: PARTS }, (_, i) => 1 / (1 + (i + 0.5) / PARTS));
const LOGARITHMS: Float64Array = INVERSES.map((inverse) => -Math.log2(inverse));
const FACTORS: Float64Array = Float64Array.from({ length: MAX_SCALE + 1 }, (_, scale) => 2 ** scale);

/**
 * The bucket of a finite number's absolute value at a scale from MIN_SCALE to MAX_SCALE; not of 0. Never allocates: callers pass a number as
 * they got it, since V8 boxes one they have made of it, where it does not inline this (16 B a call).
 */
export function exponentialIndex(value: number, scale: number): number {
  scratch[0] = value;
  const high = scratchWords[HIGH_WORD]! & 0x7fffffff; // without the sign
  const biased = high >> 20;
  if (biased === 0) return scale > 0 ? (LOWEST_EXPONENT << scale) - 1 : (LOWEST_EXPONENT - 1) >> -scale;
  const exponent = biased - BIAS;
  if (scale <= 0) {
    const isPowerOfTwo = (high & 0xfffff) === 0 && scratchWords[LOW_WORD] === 0;
    return (isPowerOfTwo ? exponent - 1 : exponent) >> -scale;
  }
  const part = (high >> PART_SHIFT) & (PARTS - 1);
  const mantissa = Math.abs(value) * SCALES[biased]!;
  const r = mantissa * INVERSES[part]! - 1;
  const logarithm = LOGARITHMS[part]! + r * (LOG2E + r * (TERM_2 + r * (TERM_3 + r * TERM_4)));
  const position = logarithm * FACTORS[scale]!;
  const bucket = Math.floor(position);
  const rest = position - bucket;
  if (rest > GUARD && rest < 1 - GUARD) return (exponent << scale) + bucket;
  return (exponent << scale) + besideBound(mantissa, Math.round(position), scale);
}

/** The bucket of a mantissa, 1 included and 2 not, that is about 2^(bound / 2^scale). */
function besideBound(mantissa: number, bound: number, scale: number): number {
  if (mantissa === 1) return -1;
  if (bound === 0) return 0;
  if (bound === 1 << scale) return bound - 1;
  return isAbovePower(mantissa, bound, scale) ? bound : bound - 1;
}

/** 2^(1/2), 2^(1/4), ... 2^(2^-20): each the nearest float64, and what is missing. */
const ROOTS = new Float64Array(MAX_SCALE);
const ROOT_RESTS = new Float64Array(MAX_SCALE);
for (let i = 0, root = 2, rest = 0; i < MAX_SCALE; i++) {
  const estimate = Math.sqrt(root);
  const square = estimate * estimate;
  const correction = (root - square - productError(estimate, estimate, square) + rest) / (2 * estimate);
  root = estimate + correction;
  rest = correction - (root - estimate);
  ROOTS[i] = root;
  ROOT_RESTS[i] = rest;
}

/** Whether a number is greater than 2^(numerator / 2^scale). */
function isAbovePower(value: number, numerator: number, scale: number): boolean {
  let power = 1;
  let rest = 0;
  for (let i = 0; i < scale; i++) {
    if (((numerator >> (scale - 1 - i)) & 1) === 0) continue;
    const root = ROOTS[i]!;
    const product = power * root;
    const missing = productError(power, root, product) + (power * ROOT_RESTS[i]! + rest * root);
    power = product + missing;
    rest = missing - (power - product);
  }
  return value > power || (value === power && rest < 0);
}

/** a * b - product, exactly, where product is a * b as float64 (Dekker; Veltkamp's splitting). For numbers of common size. */
function productError(a: number, b: number, product: number): number {
  const splitA = 134_217_729 * a; // 2^27 + 1
  const highA = splitA - (splitA - a);
  const lowA = a - highA;
  const splitB = 134_217_729 * b;
  const highB = splitB - (splitB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}
