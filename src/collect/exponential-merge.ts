import * as C from '../state/cells/exponential-histogram-cell.ts';
import * as R from './exponential-row.ts';

/**
 * Adds up the cells of one series, whose scales may differ: each is brought to the lowest of them, and all further down until the sum
 * fits into the buckets there are. So the result is what one writer would have that had recorded everything.
 */
export class ExponentialMerge {
  readonly #shape: C.ExponentialShape;
  #parts: Float64Array;
  #used = 0; // words of #parts

  constructor(shape: C.ExponentialShape) {
    this.#shape = shape;
    this.#parts = new Float64Array(shape.copyWords);
  }

  /** Begins with a new series. */
  clear(): void {
    this.#used = 0;
  }

  /** Adds what `readExponentialInto` copied of one cell, up to the extremes of intervals if there are any. */
  add(copy: Float64Array): void {
    const { copyWords } = this.#shape;
    if (this.#used + copyWords > this.#parts.length) {
      const larger = new Float64Array(2 * this.#parts.length);
      larger.set(this.#parts);
      this.#parts = larger;
    }
    for (let i = 0; i < copyWords; i++) this.#parts[this.#used + i] = copy[i]!;
    this.#used += copyWords;
  }

  /** Writes the sum of all parts to the row at `at`; the row is for ranges of `maxSize` buckets. */
  fill(row: Float64Array, at: number): void {
    const { maxSize, maxScale, ranges } = this.#shape;
    row.fill(0, at, at + R.exponentialRowWords(maxSize));
    row[at + R.ROW_MIN] = Infinity;
    row[at + R.ROW_MAX] = -Infinity;
    let scale = maxScale;
    for (let part = 0; part < this.#used; part += this.#shape.copyWords) {
      this.#addTotals(part, row, at);
      scale = Math.min(scale, this.#parts[part + C.EXPONENTIAL_SCALE]!);
    }
    for (let range = 0; range < ranges; range++)
      while (this.#span(range, scale).high - this.#span(range, scale).low >= maxSize) scale--;
    row[at + R.ROW_SCALE] = scale;
    for (let range = 0; range < ranges; range++) this.#fillRange(range, scale, row, at);
  }

  #addTotals(part: number, row: Float64Array, at: number): void {
    const parts = this.#parts;
    row[at + R.ROW_COUNT]! += parts[part + C.EXPONENTIAL_COUNT]!;
    row[at + R.ROW_SUM]! += parts[part + C.EXPONENTIAL_SUM]!;
    row[at + R.ROW_ZERO_COUNT]! += parts[part + C.EXPONENTIAL_ZERO_COUNT]!;
    row[at + R.ROW_MIN] = Math.min(row[at + R.ROW_MIN]!, parts[part + C.EXPONENTIAL_MIN]!);
    row[at + R.ROW_MAX] = Math.max(row[at + R.ROW_MAX]!, parts[part + C.EXPONENTIAL_MAX]!);
  }

  /** First and last bucket of a range that has counts, over all parts, at a scale. None: `high` is below `low`. */
  #span(range: number, scale: number): { low: number; high: number } {
    const { maxSize, copyWords } = this.#shape;
    let low = Infinity;
    let high = -Infinity;
    for (let part = 0; part < this.#used; part += copyWords) {
      const change = this.#parts[part + C.EXPONENTIAL_SCALE]! - scale;
      const base = this.#parts[part + C.EXPONENTIAL_BASES + range]!;
      const counts = part + C.EXPONENTIAL_COUNTS + range * maxSize;
      let first = 0;
      while (first < maxSize && this.#parts[counts + first] === 0) first++;
      if (first === maxSize) continue;
      let last = maxSize - 1;
      while (this.#parts[counts + last] === 0) last--;
      low = Math.min(low, (base + first) >> change);
      high = Math.max(high, (base + last) >> change);
    }
    return { low, high };
  }

  #fillRange(range: number, scale: number, row: Float64Array, at: number): void {
    const { maxSize, copyWords } = this.#shape;
    const { low, high } = this.#span(range, scale);
    if (high < low) return;
    row[at + R.ROW_RANGES + 2 * range] = low;
    row[at + R.ROW_RANGES + 2 * range + 1] = high - low + 1;
    const to = at + R.ROW_COUNTS + range * maxSize - low;
    for (let part = 0; part < this.#used; part += copyWords) {
      const change = this.#parts[part + C.EXPONENTIAL_SCALE]! - scale;
      const base = this.#parts[part + C.EXPONENTIAL_BASES + range]!;
      const counts = part + C.EXPONENTIAL_COUNTS + range * maxSize;
      for (let i = 0; i < maxSize; i++) {
        const count = this.#parts[counts + i]!;
        if (count !== 0) row[to + ((base + i) >> change)]! += count;
      }
    }
  }
}
