import { addToSum, SUM_CELL_WORDS } from './cells/sum-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import { StreamWriter, type BoundSeries, type RecordedStream, type SlabAccess } from './stream-writer.ts';

/** A stream of running totals. */
export class SumStream extends StreamWriter implements RecordedStream {
  constructor(slab: SlabAccess, description: StreamDescription, id: number, limit: number) {
    super(slab, description, id, SUM_CELL_WORDS, limit);
  }

  /** Adds a finite number. */
  record(
    delta: number,
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
    addToSum(cells.words, cells.doubles, at, delta);
    if (context !== undefined || --this.exemplars.pause < 0)
      this.offer(at, 0, delta, context, attributes, measured, cells);
  }

  /** Resolves attributes and cardinality once; see `BoundSum`. */
  bind(attributes: unknown, cells?: SeriesCells, measured?: unknown): BoundSum {
    const at = this.locate(attributes, cells);
    const bound = this.exemplars.bound({ attributes, measured, keeps: cells?.keeps });
    return new BoundSum(this, this.cells, at, bound);
  }
}

/** One series of a sum stream. `record` is the cell write alone, and the look for an exemplar. */
export class BoundSum implements BoundSeries {
  readonly #stream: SumStream;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;
  readonly #attributes: MeasuredAttributes;

  constructor(
    stream: SumStream,
    { words, doubles }: SeriesCells,
    at: number,
    attributes: MeasuredAttributes,
  ) {
    this.#stream = stream;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
    this.#attributes = attributes;
  }

  record(delta: number, context?: unknown): void {
    if (this.#at === 0) {
      this.#stream.lose();
      return;
    }
    addToSum(this.#words, this.#doubles, this.#at, delta);
    const { exemplars } = this.#stream;
    if (context !== undefined || --exemplars.pause < 0)
      exemplars.offer(this.#at, 0, delta, context, this.#attributes);
  }
}
