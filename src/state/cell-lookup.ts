import { SeriesTable, UNKNOWN } from './series-table.ts';

/**
 * The quick way from attributes to a cell, and the memory the cell is in: what every record call goes
 * through. One class for the streams of all aggregations, and not a part of each, so that V8 sees one kind of
 * object here and not five.
 */
export class CellLookup {
  /** Views that reach every cell of the stream. */
  words: Int32Array;
  doubles: Float64Array;
  /** Cell of the series without attributes; UNKNOWN until it is recorded to. */
  unattributedCell: number = UNKNOWN;
  /** Taken away while it is changed: a change that fails half-way (stack or heap used up) leaves none. */
  table: SeriesTable | undefined;

  /** Which keys count; undefined: all. */
  readonly keeps: ((key: string) => boolean) | undefined;

  constructor(words: Int32Array, doubles: Float64Array, table: SeriesTable) {
    this.words = words;
    this.doubles = doubles;
    this.table = table;
    this.keeps = table.keeps;
  }

  /**
   * The cell of an attribute set; ABSENT (0) or UNKNOWN (below) when the slow way is to be gone. Never
   * throws.
   */
  find(attributes: unknown): number {
    if (attributes === undefined) return this.unattributedCell;
    // No object: a long text would be gone through letter by letter.
    if (typeof attributes === 'object') {
      try {
        return this.table!.find(attributes as object);
      } catch {
        // An object whose getter or proxy throws, or null, or no table.
      }
    }
    return UNKNOWN;
  }
}
