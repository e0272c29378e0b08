/**
 * The bucket of a value among explicit bounds: the first whose upper bound is not below it (bounds are inclusive:
 * specification, explicit bucket histogram aggregation), or the last, open one.
 *
 * The exponent of a float64 says between which powers of two it lies, and so leaves only the bounds in that octave to compare
 * with; commonly one or two. `firstBucket` has, for each of the 2048 exponents of positive numbers, the bounds that lie
 * below all numbers of that exponent. Negative values are searched from the first bound on.
 */
const scratch = new Float64Array(1);
const scratchWords = new Int32Array(scratch.buffer);
const HIGH_WORD = 1; // little-endian
const EXPONENTS = 2048;
/** More bounds than this in one octave are halved before they are compared one by one. */
const SCANNED = 8;

export class BucketFinder {
  readonly #boundaries: Float64Array;
  readonly #firstBucket: Uint16Array | Uint32Array;

  /** `boundaries` finite and ascending. */
  constructor(boundaries: readonly number[]) {
    this.#boundaries = Float64Array.from(boundaries);
    const length = EXPONENTS + 1;
    this.#firstBucket = boundaries.length < 65_536 ? new Uint16Array(length) : new Uint32Array(length);
    let bucket = 0;
    for (let exponent = 0; exponent < EXPONENTS; exponent++) {
      const lowest = exponent === 0 ? 0 : 2 ** (exponent - 1023);
      while (bucket < boundaries.length && boundaries[bucket]! < lowest) bucket++;
      this.#firstBucket[exponent] = bucket;
    }
    this.#firstBucket[EXPONENTS] = boundaries.length;
  }

  /** The bucket of a number that is not NaN. Infinity is in the last. Never allocates. */
  find(value: number): number {
    const boundaries = this.#boundaries;
    scratch[0] = value;
    const exponent = scratchWords[HIGH_WORD]! >> 20; // the sign makes it negative
    let low = exponent < 0 ? 0 : this.#firstBucket[exponent]!;
    let high = exponent < 0 ? boundaries.length : this.#firstBucket[exponent + 1]!;
    while (high - low > SCANNED) {
      const middle = (low + high) >>> 1;
      if (value <= boundaries[middle]!) high = middle;
      else low = middle + 1;
    }
    while (low < high && value > boundaries[low]!) low++;
    return low;
  }
}
