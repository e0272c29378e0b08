import type { RegionClock } from '../memory/region-clock.ts';
import { LAST_VALUE_CELL_WORDS, setLastValue } from './cells/last-value-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import { StreamWriter, type RecordedStream, type SlabAccess } from './stream-writer.ts';

/** A stream of last values, ordered over all writers by the region's clock. */
export class LastValueStream extends StreamWriter implements RecordedStream {
  readonly #clock: RegionClock;

  constructor(slab: SlabAccess, description: StreamDescription, id: number, limit: number) {
    super(slab, description, id, LAST_VALUE_CELL_WORDS, limit);
    this.#clock = slab.clock;
  }

  /** Sets a number, finite or not. */
  record(
    value: number,
    attributes: unknown,
    _context?: unknown,
    cells: SeriesCells = this.cells,
    _measured?: unknown,
  ): void {
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at !== 0) setLastValue(cells.words, cells.doubles, at, value, this.#clock.now());
    else this.lose();
  }

  /** Resolves attributes and cardinality once; see `BoundLastValue`. */
  bind(attributes: unknown, cells?: SeriesCells, _measured?: unknown): BoundLastValue {
    const at = this.locate(attributes, cells);
    return new BoundLastValue(this, this.#clock, this.cells.words, this.cells.doubles, at);
  }
}

/** One series of a last-value stream. */
export class BoundLastValue {
  readonly #stream: LastValueStream;
  readonly #clock: RegionClock;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(
    stream: LastValueStream,
    clock: RegionClock,
    words: Int32Array,
    doubles: Float64Array,
    at: number,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
  }

  record(value: number): void {
    if (this.#at !== 0) setLastValue(this.#words, this.#doubles, this.#at, value, this.#clock.now());
    else this.#stream.lose();
  }
}
