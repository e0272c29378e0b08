import { addToSum, SUM_CELL_WORDS } from './cells/sum-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import { StreamWriter, type RecordedStream, type SlabAccess } from './stream-writer.ts';

/** A stream of running totals. */
export class SumStream extends StreamWriter implements RecordedStream {
  constructor(slab: SlabAccess, description: StreamDescription, id: number, limit: number) {
    super(slab, description, id, SUM_CELL_WORDS, limit);
  }

  /** Adds a finite number. */
  record(
    delta: number,
    attributes: unknown,
    _context?: unknown,
    cells: SeriesCells = this.cells,
    _measured?: unknown,
  ): void {
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at !== 0) addToSum(cells.words, cells.doubles, at, delta);
    else this.lose();
  }

  /** Resolves attributes and cardinality once; see `BoundSum`. */
  bind(attributes: unknown, cells?: SeriesCells, _measured?: unknown): BoundSum {
    const at = this.locate(attributes, cells);
    return new BoundSum(this, this.cells.words, this.cells.doubles, at);
  }
}

/** One series of a sum stream. `record` is the cell write alone. */
export class BoundSum {
  readonly #stream: SumStream;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(stream: SumStream, words: Int32Array, doubles: Float64Array, at: number) {
    this.#stream = stream;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
  }

  record(delta: number): void {
    if (this.#at !== 0) addToSum(this.#words, this.#doubles, this.#at, delta);
    else this.#stream.lose();
  }
}
