import type { CanonicalAttributes } from './attributes.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import type { StreamExemplars } from './stream-exemplars.ts';

/** A series with its attributes resolved. */
export interface BoundSeries {
  record(value: number, context?: unknown): void;
}

/** The stream of a bound series. */
interface BoundStream {
  readonly exemplars: StreamExemplars;
  /** See `StreamWriter`. */
  untilNextOffer: number;
  readonly cells: CellLookup;
  /** See `StreamWriter`. */
  bindAgain(attributes: CanonicalAttributes): number;
  /** See `StreamWriter`. */
  hold(cell: number, holder: { end(): void }): void;
  /** See `StreamWriter`. */
  endInterval(at: number): void;
}

/** Where the measurements of one series go. */
export interface SeriesPlace {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** The cell; 0 when the region had no room for one. */
  readonly at: number;
  /** With what a cell is looked for again. */
  readonly again: CanonicalAttributes;
  /** What exemplars of the series carry. */
  readonly attributes: MeasuredAttributes;
}

/**
 * One series of a stream with its attributes resolved. Each aggregation has a subclass with `record`: the
 * cell write, and the count for exemplars. Belongs to the stream's thread.
 */
export abstract class BoundCell<Stream extends BoundStream> {
  protected readonly stream: Stream;
  protected words: Int32Array;
  protected doubles: Float64Array;
  /** The cell; 0 while there is none, since the series has ended, or for want of memory. */
  protected at: number;
  readonly #attributes: MeasuredAttributes;
  readonly #again: CanonicalAttributes;

  constructor(stream: Stream, { words, doubles, at, attributes, again }: SeriesPlace) {
    this.stream = stream;
    this.words = words;
    this.doubles = doubles;
    this.at = at;
    this.#attributes = attributes;
    this.#again = again;
    if (at !== 0) stream.hold(at, this);
  }

  /** The series has ended: the next measurement begins it anew. */
  end(): void {
    this.at = 0;
  }

  /** Looks for a cell where there is none. False if the measurement is lost, which is counted. */
  protected hasCellAgain(): boolean {
    const at = this.stream.bindAgain(this.#again);
    if (at === 0) return false;
    const { words, doubles } = this.stream.cells;
    this.words = words;
    this.doubles = doubles;
    this.at = at;
    this.stream.hold(at, this);
    return true;
  }

  /** Offers a measurement that was just recorded, if `untilNextOffer` says so. */
  protected offer(bucket: number, value: number, context: unknown): void {
    const { stream } = this;
    stream.untilNextOffer = stream.exemplars.offer(this.at, bucket, value, context, this.#attributes);
  }
}
