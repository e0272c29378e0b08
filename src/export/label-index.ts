/** Finds rows with equal labels among the rows of a family, without keeping their texts: hashes, and the texts made again on a match. */
export class LabelIndex {
  #hashes: Int32Array = new Int32Array(16);
  #rows: Float64Array = new Float64Array(16); // row number + 1, 0 = free
  #count = 0;

  /** Notes `row`, whose labels are `text`. Returns the row noted before with the same text, or -1. */
  add(text: string, row: number, textOf: (row: number) => string): number {
    if (2 * (this.#count + 1) > this.#rows.length) this.#grow();
    const hash = hashOf(text);
    const mask = this.#rows.length - 1;
    let at = hash & mask;
    for (; this.#rows[at] !== 0; at = (at + 1) & mask)
      if (this.#hashes[at] === hash && textOf(this.#rows[at]! - 1) === text) return this.#rows[at]! - 1;
    this.#hashes[at] = hash;
    this.#rows[at] = row + 1;
    this.#count++;
    return -1;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const rows = this.#rows;
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#rows = new Float64Array(2 * rows.length);
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

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
