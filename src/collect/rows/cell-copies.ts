import type { Region } from '../../memory/region.ts';
import { isSlabDead } from '../../memory/slab.ts';
import { blockOf, noteReported } from '../../state/cells/carried.ts';
import type { CellReading, ReadCell } from './cell-reader.ts';

/**
 * Copies of cells, for one reader. A cell that cannot be copied in time keeps its previous value and is
 * counted as stale.
 */
export class CellCopies {
  readonly region: Region;
  readonly #cells: Pick<CellReading, 'read'>;
  #copy = new Float64Array(64);
  // of cells that could not be copied at least once
  readonly #previous = new Map<number, Float64Array<ArrayBuffer> | undefined>();
  readonly #deadSlabs = new Map<number, boolean>(); // of the snapshot that is being taken
  #stale = 0;

  constructor(region: Region, cells: Pick<CellReading, 'read'>) {
    this.region = region;
    this.#cells = cells;
  }

  /** Call at the start of a snapshot. */
  begin(): void {
    this.#deadSlabs.clear();
  }

  /** How many cells could not be copied so far. What is read while this grows is not of now. */
  get stale(): number {
    return this.#stale;
  }

  /** Makes room for copies of so many float64 words. */
  reserve(words: number): void {
    if (this.#copy.length < words) this.#copy = new Float64Array(2 * words);
  }

  /**
   * A copy of the cell's state, or its last copy if it cannot be copied now; valid until the next call.
   * Undefined only for a cell that was never copied: its series is left out once.
   */
  read(readCell: ReadCell, cell: number, words: number): Float64Array<ArrayBuffer> | undefined {
    if (!this.#cells.read(readCell, this.region, cell, this.#copy)) {
      // This cell is too busy to be copied: keep its copies from now on.
      this.#stale++;
      if (!this.#previous.has(cell)) this.#previous.set(cell, undefined);
      return this.#previous.get(cell);
    }
    if (this.#previous.size > 0 && this.#previous.has(cell))
      this.#previous.set(cell, this.#copy.slice(0, words));
    return this.#copy;
  }

  /**
   * Notes in a cell that a reader with delta temporality has reported it as it was in `version`. Its next
   * interval begins there.
   */
  noteReported(cell: number, version: number): void {
    const { region } = this;
    const block = blockOf(region.words, cell);
    // No CRC covers a cell: one that is damaged must not have another writer's memory written to.
    if (block < 0 || region.slabAt(block) === region.slabAt(cell)) noteReported(region.words, cell, version);
  }

  /** Whether the owner of a slab was dead when the snapshot first asked. */
  isDead(slab: number): boolean {
    let dead = this.#deadSlabs.get(slab);
    if (dead === undefined) this.#deadSlabs.set(slab, (dead = isSlabDead(this.region, slab)));
    return dead;
  }
}
