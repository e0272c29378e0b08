import type { RegionClock } from '../memory/region-clock.ts';
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
    const at = this.locate(attributes);
    return new BoundSharedValue(this, this.#clock, this.cells.words, this.cells.doubles, at);
  }
}

/** This writer's part in one series of a shared-value stream. */
export class BoundSharedValue {
  readonly #stream: SharedValueStream;
  readonly #clock: RegionClock;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(
    stream: SharedValueStream,
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

  /** Sets the value, for all writers. */
  set(value: number): void {
    if (this.#at !== 0) setShared(this.#words, this.#doubles, this.#at, value, this.#clock.take());
    else this.#stream.lose();
  }

  /** Adds to the value of the newest epoch that the caller found by reading all writers' cells. */
  add(delta: number, epoch: number): void {
    if (this.#at !== 0) addToShared(this.#words, this.#doubles, this.#at, delta, epoch);
    else this.#stream.lose();
  }
}
