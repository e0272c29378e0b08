import { lengthened, roomFor } from '../../base/array-room.ts';
import type { MergedStream } from '../directory/merged-stream.ts';

/** What the cell of one contribution says of its interval (state/cells/carried.ts). */
export interface CellInterval {
  /** The version of the cell in which the interval began. */
  readonly since: number;
  /** The version that was read. */
  readonly version: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
}

/** What was recorded to a series since a reader reported it. */
export interface SeriesInterval {
  readonly min: number;
  readonly max: number;
  /** Undefined when it is not known: then it is the difference of totals. */
  readonly sum: number | undefined;
}

/**
 * The intervals of one stream's cells, for all readers of this thread that take deltas of it. When one of
 * them reads a cell, what is new in it is noted for all of them. So each reader knows what came since its own
 * previous collection, however often the others collect.
 *
 * A cell ends its interval when a reader has reported it. If that reader was in another thread, the interval
 * begins later than our last collection. Then its sum is not known, and its extremes are those of all
 * measurements.
 */
export class StreamIntervals {
  // by contribution: the version that was reported; NaN if it is not known
  #reported = new Float64Array(0);
  readonly #readers: WeakRef<ReaderIntervals>[] = []; // weak references: nobody says when a reader is gone

  /**
   * Adds a reader. What was recorded before is not noted for it: its first interval is everything that its
   * cells hold.
   */
  addReader(): ReaderIntervals {
    const reader = new ReaderIntervals(this);
    this.#readers.push(new WeakRef(reader));
    return reader;
  }

  /** The version that was reported, for each of so many contributions. */
  reported(contributions: number): Float64Array {
    const reported = new Float64Array(contributions);
    reported.set(this.#reported.subarray(0, contributions));
    return reported;
  }

  /** Notes that another thread reported a contribution in this version. */
  resume(contribution: number, version: number): void {
    this.#reserve(contribution);
    this.#reported[contribution] = version;
  }

  /**
   * From now on looks at the versions of a stream. So many of its contributions were reported before without
   * a look at their versions.
   */
  start(contributions: number): void {
    if (this.#reported.length === 0) this.#reported = new Float64Array(contributions).fill(NaN);
  }

  get isStarted(): boolean {
    return this.#reported.length > 0;
  }

  /** See `ReaderIntervals.note`. */
  note(
    series: number,
    contribution: number,
    { since, version, sum, min, max }: CellInterval,
    total: { readonly min: number; readonly max: number },
  ): boolean {
    this.#reserve(contribution);
    const before = this.#reported[contribution]!;
    if (before === version) return false;
    this.#reported[contribution] = version;
    // The interval holds everything new if it began when this thread reported the cell, or earlier.
    const isWhole = since === before;
    const bounds = isWhole || ((before - since) | 0) > 0 ? { min, max } : total;
    for (let i = this.#readers.length; i-- > 0;) {
      const reader = this.#readers[i]!.deref();
      if (reader === undefined) this.#readers.splice(i, 1);
      else reader.include(series, bounds.min, bounds.max, isWhole ? sum : NaN);
    }
    return true;
  }

  #reserve(contribution: number): void {
    if (contribution >= this.#reported.length)
      this.#reported = lengthened(this.#reported, roomFor(contribution));
  }
}

const intervalsByStream = new WeakMap<MergedStream, StreamIntervals>();

/** What came between collections, for the readers of this thread that take deltas of `stream`. */
export function intervalsOf(stream: MergedStream): StreamIntervals {
  let intervals = intervalsByStream.get(stream);
  if (intervals === undefined) intervalsByStream.set(stream, (intervals = new StreamIntervals()));
  return intervals;
}

/** What one reader has not reported yet, by series. */
export class ReaderIntervals {
  readonly #stream: StreamIntervals;
  #min = new Float64Array(0);
  #max = new Float64Array(0);
  #sum = new Float64Array(0);

  constructor(stream: StreamIntervals) {
    this.#stream = stream;
  }

  /** See `StreamIntervals`. */
  get isStarted(): boolean {
    return this.#stream.isStarted;
  }

  /** See `StreamIntervals`. */
  start(contributions: number): void {
    this.#stream.start(contributions);
  }

  /**
   * Notes what is new in a copy of a contribution's cell; false if nothing is. `total`: the extremes of
   * everything the cell ever counted.
   */
  note(
    series: number,
    contribution: number,
    interval: CellInterval,
    total: { readonly min: number; readonly max: number },
  ): boolean {
    return this.#stream.note(series, contribution, interval, total);
  }

  /** For `StreamIntervals`. `sum`: NaN when it is not known. */
  include(series: number, min: number, max: number, sum: number): void {
    const { length } = this.#min;
    if (series >= length) {
      this.#min = lengthened(this.#min, roomFor(series)).fill(Infinity, length);
      this.#max = lengthened(this.#max, roomFor(series)).fill(-Infinity, length);
      this.#sum = lengthened(this.#sum, roomFor(series));
    }
    this.#min[series] = Math.min(this.#min[series]!, min);
    this.#max[series] = Math.max(this.#max[series]!, max);
    this.#sum[series]! += sum;
  }

  /** Whether anything was noted of a series and not taken yet. */
  has(series: number): boolean {
    return this.#min[series]! <= this.#max[series]!;
  }

  /** Takes what was noted of a series; undefined if nothing was. */
  take(series: number): SeriesInterval | undefined {
    if (!this.has(series)) return undefined;
    const min = this.#min[series]!;
    const max = this.#max[series]!;
    const sum = this.#sum[series]!;
    this.#min[series] = Infinity;
    this.#max[series] = -Infinity;
    this.#sum[series] = 0;
    return { min, max, sum: Number.isNaN(sum) ? undefined : sum };
  }
}
