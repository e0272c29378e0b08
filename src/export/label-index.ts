import { finished, HASH_SEED, hashText } from '../base/hash.ts';

/** Of so few V8 keeps the numbers in its heap: most families have one row. */
const FIRST_ROOM = 4;

/**
 * Finds rows with equal labels among the rows of a family. It keeps hashes instead of texts, and compares
 * when two are equal.
 */
export class LabelIndex {
  #hashes: Int32Array = new Int32Array(FIRST_ROOM);
  #rows: Float64Array = new Float64Array(FIRST_ROOM); // row number + 1, 0 = free
  #count = 0;

  /**
   * Notes `row`, whose labels have this hash. Returns the row noted before that has the same hash and
   * `isSame`, or -1.
   */
  add(hash: number, row: number, isSame: (row: number) => boolean): number {
    if (2 * (this.#count + 1) > this.#rows.length) this.#growTo(2 * this.#rows.length);
    const mask = this.#rows.length - 1;
    let at = hash & mask;
    for (; this.#rows[at] !== 0; at = (at + 1) & mask)
      if (this.#hashes[at] === hash && isSame(this.#rows[at]! - 1)) return this.#rows[at]! - 1;
    this.#hashes[at] = hash;
    this.#rows[at] = row + 1;
    this.#count++;
    return -1;
  }

  /** Makes room for so many rows in all. */
  reserve(rows: number): void {
    let length = this.#rows.length;
    while (2 * rows > length) length *= 2;
    if (length > this.#rows.length) this.#growTo(length);
  }

  #growTo(length: number): void {
    const hashes = this.#hashes;
    const rows = this.#rows;
    this.#hashes = new Int32Array(length);
    this.#rows = new Float64Array(length);
    const mask = this.#rows.length - 1;
    for (let i = 0; i < rows.length; i++) {
      if (rows[i] === 0) continue;
      let at = hashes[i]! & mask;
      while (this.#rows[at] !== 0) at = (at + 1) & mask;
      this.#hashes[at] = hashes[i]!;
      this.#rows[at] = rows[i]!;
    }
  }
}

export function hashOfLabels(text: string): number {
  return finished(hashText(text, 0, text.length, HASH_SEED));
}
