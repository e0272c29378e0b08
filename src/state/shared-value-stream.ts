import type { RegionClock } from '../memory/region-clock.ts';
import { BoundCell, type SeriesPlace } from './bound-cell.ts';
import { addToShared, SHARED_VALUE_CELL_WORDS, setShared } from './cells/shared-value-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SlabAccess } from './slab-access.ts';
import { StreamWriter } from './stream-writer.ts';

/** A stream of values that all writers set and add to; see `shared-value.ts`. */
export class SharedValueStream extends StreamWriter {
  readonly #clock: RegionClock;

  constructor(slab: SlabAccess, description: StreamDescription, limit: number) {
    super(slab, description, SHARED_VALUE_CELL_WORDS, limit);
    this.#clock = slab.clock;
  }

  /** Resolves attributes and cardinality once; see `BoundSharedValue`. */
  bind(attributes: unknown): BoundSharedValue {
    return new BoundSharedValue(this, this.place(attributes), this.#clock);
  }
}

/** This writer's part in one series of a shared-value stream. */
export class BoundSharedValue extends BoundCell<SharedValueStream> {
  readonly #clock: RegionClock;

  constructor(stream: SharedValueStream, place: SeriesPlace, clock: RegionClock) {
    super(stream, place);
    this.#clock = clock;
  }

  /** Sets the value, for all writers. */
  set(value: number): void {
    if (this.at === 0 && !this.hasCellAgain()) return;
    setShared(this.words, this.doubles, this.at, value, this.#clock.take());
  }

  /** Adds to the value of the newest epoch that the caller found by reading all writers' cells. */
  add(delta: number, epoch: number): void {
    if (this.at === 0 && !this.hasCellAgain()) return;
    addToShared(this.words, this.doubles, this.at, delta, epoch);
  }
}
