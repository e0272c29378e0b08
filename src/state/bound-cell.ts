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
  /** Counts a measurement that has no cell. */
  lose(): void;
  /** See `StreamWriter`. */
  endInterval(at: number): void;
}

/** Where the measurements of one series go. */
export interface SeriesPlace {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  /** The cell; 0 when the region had no room for one: the measurements are lost. */
  readonly at: number;
  /** What exemplars of the series carry. */
  readonly attributes: MeasuredAttributes;
}

/**
 * One series of a stream with its attributes resolved. Each aggregation has a subclass with `record`: the
 * cell write, and the count for exemplars. Belongs to the stream's thread.
 */
export abstract class BoundCell<Stream extends BoundStream> implements BoundSeries {
  protected readonly stream: Stream;
  protected readonly words: Int32Array;
  protected readonly doubles: Float64Array;
  protected readonly at: number;
  readonly #attributes: MeasuredAttributes;

  constructor(stream: Stream, { words, doubles, at, attributes }: SeriesPlace) {
    this.stream = stream;
    this.words = words;
    this.doubles = doubles;
    this.at = at;
    this.#attributes = attributes;
  }

  abstract record(value: number, context?: unknown): void;

  /** Offers a measurement that was just recorded, if `untilNextOffer` says so. */
  protected offer(bucket: number, value: number, context: unknown): void {
    const { stream } = this;
    stream.untilNextOffer = stream.exemplars.offer(this.at, bucket, value, context, this.#attributes);
  }
}
