import type { RegionClock } from '../memory/region-clock.ts';
import { LAST_VALUE_CELL_WORDS, setLastValue } from './cells/last-value-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import { StreamWriter, type BoundSeries, type RecordedStream, type SlabAccess } from './stream-writer.ts';

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
    context?: unknown,
    cells: SeriesCells = this.cells,
    measured?: unknown,
  ): void {
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at === 0) {
      this.lose();
      return;
    }
    setLastValue(cells.words, cells.doubles, at, value, this.#clock.now());
    if (context !== undefined || --this.exemplars.pause < 0)
      this.offer(at, 0, value, context, attributes, measured, cells);
  }

  /** Resolves attributes and cardinality once; see `BoundLastValue`. */
  bind(attributes: unknown, cells?: SeriesCells, measured?: unknown): BoundLastValue {
    const at = this.locate(attributes, cells);
    const bound = this.exemplars.bound({ attributes, measured, keeps: cells?.keeps });
    return new BoundLastValue(this, this.#clock, this.cells, at, bound);
  }
}

/** One series of a last-value stream. */
export class BoundLastValue implements BoundSeries {
  readonly #stream: LastValueStream;
  readonly #clock: RegionClock;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;
  readonly #attributes: MeasuredAttributes;

  constructor(
    stream: LastValueStream,
    clock: RegionClock,
    { words, doubles }: SeriesCells,
    at: number,
    attributes: MeasuredAttributes,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
    this.#attributes = attributes;
  }

  record(value: number, context?: unknown): void {
    if (this.#at === 0) {
      this.#stream.lose();
      return;
    }
    setLastValue(this.#words, this.#doubles, this.#at, value, this.#clock.now());
    const { exemplars } = this.#stream;
    if (context !== undefined || --exemplars.pause < 0)
      exemplars.offer(this.#at, 0, value, context, this.#attributes);
  }
}
