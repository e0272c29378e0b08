/** Bucket indices of exponential histograms by whole-number arithmetic: the oracle of the tests. */

const bits = new DataView(new ArrayBuffer(8));

/** Mantissa as a whole number of 53 bits, and the exponent e of 2^e * (1 <= m < 2). Normal numbers only. */
export function parts(value: number): { readonly mantissa: bigint; readonly exponent: number } {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  return { mantissa: (raw & ((1n << 52n) - 1n)) | (1n << 52n), exponent: Number(raw >> 52n) - 1023 };
}

const PRECISION = 240n;
const TWO: bigint = 2n << PRECISION;

/**
 * The bucket of a positive normal number: i with base^i < value <= base^(i+1). Each squaring of the mantissa gives one binary digit of
 * its logarithm. What is cut off makes the square too small by less than 2^-239 of it, which 20 squarings raise to 2^-218: no number but
 * a power of two lies that near to a bound.
 */
export function exactIndex(value: number, scale: number): number {
  const { mantissa, exponent } = parts(value);
  const isPowerOfTwo = mantissa === 1n << 52n;
  if (scale <= 0) return Math.floor((isPowerOfTwo ? exponent - 1 : exponent) / 2 ** -scale);
  if (isPowerOfTwo) return exponent * 2 ** scale - 1;
  let m = mantissa << (PRECISION - 52n);
  let digits = 0;
  for (let i = 0; i < scale; i++) {
    m = (m * m) >> PRECISION;
    digits *= 2;
    if (m < TWO) continue;
    digits++;
    m >>= 1n;
  }
  return exponent * 2 ** scale + digits;
}

/** The float64 next above (steps 1), next below (-1), and so on. Positive numbers only. */
export function neighbour(value: number, steps: number): number {
  bits.setFloat64(0, value);
  bits.setBigUint64(0, bits.getBigUint64(0) + BigInt(steps));
  return bits.getFloat64(0);
}
