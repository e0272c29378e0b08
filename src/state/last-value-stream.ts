import type { RegionClock } from '../memory/region-clock.ts';
import { BoundCell, type BoundSeries, type SeriesPlace } from './bound-cell.ts';
import { LAST_VALUE_CELL_WORDS, setLastValue } from './cells/last-value-cell.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';
import { StreamWriter, type RecordedStream } from './stream-writer.ts';

/** The tick of a value that does not count. */
const NEVER_SET = 0;

/** A stream of last values, ordered over all writers by the region's clock. */
export class LastValueStream extends StreamWriter implements RecordedStream {
  readonly #clock: RegionClock;

  constructor(slab: SlabAccess, description: StreamDescription, limit: number) {
    super(slab, description, LAST_VALUE_CELL_WORDS, limit);
    this.#clock = slab.clock;
  }

  /** Sets a number, finite or not. */
  record(value: number, attributes: unknown, context: unknown, cells: CellLookup, measured?: unknown): void {
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    setLastValue(cells.words, cells.doubles, at, value, this.#clock.now());
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, 0, value, context, attributes, cells, measured);
  }

  /** Resolves attributes and cardinality once; see `BoundLastValue`. */
  bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundLastValue {
    return new BoundLastValue(this, this.place(attributes, cells, measured), this.#clock);
  }
}

/** One series of a last-value stream. */
export class BoundLastValue extends BoundCell<LastValueStream> implements BoundSeries {
  readonly #clock: RegionClock;

  constructor(stream: LastValueStream, place: SeriesPlace, clock: RegionClock) {
    super(stream, place);
    this.#clock = clock;
  }

  record(value: number, context?: unknown): void {
    if (this.at === 0 && !this.hasCellAgain()) return;
    setLastValue(this.words, this.doubles, this.at, value, this.#clock.now());
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(0, value, context);
  }

  /** Takes the value back: this writer's part counts no more until it is recorded again. */
  withdraw(): void {
    if (this.at !== 0) setLastValue(this.words, this.doubles, this.at, 0, NEVER_SET);
  }
}
