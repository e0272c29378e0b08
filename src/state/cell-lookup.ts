import { SeriesTable, UNKNOWN } from './series-table.ts';

/**
 * The fast way from attributes to a cell, and the memory that holds the cell. Every record call goes through
 * it. It is one class for the streams of all aggregations, so that V8 sees one kind of object here and not
 * five.
 */
export class CellLookup {
  /** Views that reach every cell of the stream. */
  words: Int32Array;
  doubles: Float64Array;
  /** Cell of the series without attributes; UNKNOWN until it is recorded to. */
  unattributedCell: number = UNKNOWN;
  /**
   * Undefined while it is being changed, so that a change that fails half-way (stack or heap used up) leaves
   * no table.
   */
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
   * The cell of an attribute set. ABSENT (0) or UNKNOWN (negative) when the slow way must be used. Never
   * throws.
   */
  find(attributes: unknown): number {
    if (attributes === undefined) return this.unattributedCell;
    // Not an object: `for in` over a long string would visit every character.
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
