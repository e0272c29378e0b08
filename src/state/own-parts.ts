import { lengthened, roomFor } from '../base/array-room.ts';

/** The parts of series that one writer has of a stream: for each, its cell and where its standing is. */
export class OwnParts {
  #cells = new Int32Array(8);
  #standings = new Int32Array(8);
  #size = 0;

  add(cell: number, standing: number): void {
    if (this.#size === this.#cells.length) {
      this.#cells = lengthened(this.#cells, roomFor(this.#size));
      this.#standings = lengthened(this.#standings, this.#cells.length);
    }
    this.#cells[this.#size] = cell;
    this.#standings[this.#size++] = standing;
  }

  /** Where the standing of the part with a cell is; undefined if there is none. */
  standingOf(cell: number): number | undefined {
    const at = this.#indexOf(cell);
    return at < 0 ? undefined : this.#standings[at];
  }

  forEach(visit: (cell: number, standing: number) => void): void {
    for (let i = 0; i < this.#size; i++) visit(this.#cells[i]!, this.#standings[i]!);
  }

  /** Takes out the part with a cell. */
  remove(cell: number): void {
    const at = this.#indexOf(cell);
    if (at < 0) return;
    this.#size--;
    this.#cells[at] = this.#cells[this.#size]!;
    this.#standings[at] = this.#standings[this.#size]!;
  }

  /** Takes out all parts. */
  clear(): void {
    this.#size = 0;
  }

  #indexOf(cell: number): number {
    return this.#cells.subarray(0, this.#size).indexOf(cell);
  }
}
