/**
 * The bucket of a value among explicit bounds: the first whose upper bound is not below it (bounds are
 * inclusive: specification, explicit bucket histogram aggregation), or the last, open one.
 *
 * The exponent of a float64 says between which powers of two it lies, and so leaves only the bounds in that
 * octave to compare with; commonly one or two. `firstBucket` has, for each of the 2048 exponents of positive
 * numbers, the first bound that does not lie below all numbers of that exponent. Negative values, and bounds
 * so close that many share an octave, are searched by halves.
 */
const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
const HIGH_WORD = 1; // little-endian
const EXPONENTS = 2048;
/** More bounds than this in one octave are not compared one by one. */
const SCANNED = 8;

export class BucketFinder {
  /** The bounds, and behind them Infinity, which ends every comparison. */
  readonly #bounds: Float64Array;
  readonly #firstBucket: Uint16Array | Uint32Array;
  readonly #dense: boolean;

  /** `boundaries` finite and ascending. */
  constructor(boundaries: readonly number[]) {
    this.#bounds = Float64Array.of(...boundaries, Infinity);
    this.#firstBucket = boundaries.length < 65_536 ? new Uint16Array(EXPONENTS) : new Uint32Array(EXPONENTS);
    let bucket = 0;
    let maxPerExponent = 0;
    for (let exponent = 0; exponent < EXPONENTS; exponent++) {
      const lowest = exponent === 0 ? 0 : 2 ** (exponent - 1023);
      const start = bucket;
      while (bucket < boundaries.length && boundaries[bucket]! < lowest) bucket++;
      if (exponent > 0) maxPerExponent = Math.max(maxPerExponent, bucket - start);
      this.#firstBucket[exponent] = bucket;
    }
    this.#dense = maxPerExponent > SCANNED;
  }

  /** The bucket of a number that is not NaN. Infinity is in the last. Never allocates. */
  find(value: number): number {
    scratch[0] = value;
    const exponent = scratchWords[HIGH_WORD]! >> 20; // the sign makes it negative
    if (exponent < 0 || this.#dense) return this.#search(value);
    let bucket = this.#firstBucket[exponent]!;
    while (value > this.#bounds[bucket]!) bucket++;
    return bucket;
  }

  #search(value: number): number {
    let low = 0;
    let high = this.#bounds.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= this.#bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
