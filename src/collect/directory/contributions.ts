import { lengthened, roomFor } from '../../base/array-room.ts';

/** No further contribution. */
export const NONE: number = -1;

/** One writer's part of a series. */
export interface Contribution {
  /** Where its cell is: float64 index in the region. */
  readonly cell: number;
  readonly slab: number;
  /** Where its standing is: int32 index in the region. */
  readonly standing: number;
}

const NONE_YET = new Int32Array(0);

/**
 * The cells of a stream's series, one for each writer. A series has a list of them, in the order in which
 * they were found.
 *
 *   series         first[i]  ->  last[i]
 *                    |
 *   contribution   cells[n]  owners[n]  next[n] -> ...
 *
 * If a stream has one writer, contribution n is all of series n. `first`, `last` and `next` are only as long
 * as needed for other cases. Beyond their ends, a series begins with the contribution of its own number, and
 * a contribution has no successor.
 */
export class Contributions {
  #cells = new Int32Array(8);
  #owners = new Int16Array(8);
  #standings = new Int32Array(8);
  #first = NONE_YET;
  #last = NONE_YET;
  #next = NONE_YET;
  #size = 0;

  /** Number of contributions, of all series together. */
  get size(): number {
    return this.#size;
  }

  /** The first contribution of a series; there is always one. */
  firstOf(series: number): number {
    return series < this.#first.length ? this.#first[series]! : series;
  }

  /** The contribution after another, or NONE. */
  nextOf(contribution: number): number {
    return contribution < this.#next.length ? this.#next[contribution]! : NONE;
  }

  /** Where a contribution's cell is: float64 index in the region. */
  cellOf(contribution: number): number {
    return this.#cells[contribution]!;
  }

  /** The slab it lies in, which tells its writer. */
  slabOf(contribution: number): number {
    return this.#owners[contribution]!;
  }

  /** Where its standing is: int32 index in the region. */
  standingOf(contribution: number): number {
    return this.#standings[contribution]!;
  }

  /** The cell of each contribution. */
  cells(): Int32Array {
    return this.#cells.slice(0, this.#size);
  }

  /** Adds the first contribution of series number `series`. */
  begin(series: number, part: Contribution): void {
    const contribution = this.#add(part);
    if (contribution === series) return;
    this.#first = reaching(this.#first, series);
    this.#last = reaching(this.#last, series);
    this.#first[series] = this.#last[series] = contribution;
  }

  /** Adds a further contribution of a series. */
  append(series: number, part: Contribution): void {
    const contribution = this.#add(part);
    const last = series < this.#last.length ? this.#last[series]! : series;
    if (last >= this.#next.length) {
      const { length } = this.#next;
      this.#next = lengthened(this.#next, roomFor(last)).fill(NONE, length);
    }
    this.#next[last] = contribution;
    this.#last = reaching(this.#last, series);
    this.#last[series] = contribution;
  }

  #add({ cell, slab, standing }: Contribution): number {
    const contribution = this.#size++;
    if (contribution === this.#cells.length) {
      this.#cells = lengthened(this.#cells, roomFor(contribution));
      this.#owners = lengthened(this.#owners, this.#cells.length);
      this.#standings = lengthened(this.#standings, this.#cells.length);
    }
    this.#cells[contribution] = cell;
    this.#owners[contribution] = slab;
    this.#standings[contribution] = standing;
    return contribution;
  }
}

/** The array, or a longer copy that reaches `series`; each new element is its own index. */
function reaching(from: Int32Array<ArrayBuffer>, series: number): Int32Array<ArrayBuffer> {
  if (series < from.length) return from;
  const to = lengthened(from, roomFor(series));
  for (let i = from.length; i < to.length; i++) to[i] = i;
  return to;
}
