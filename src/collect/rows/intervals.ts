import { lengthened, roomFor } from '../../base/array-room.ts';
import type { MergedStream } from '../directory/merged-stream.ts';

/** What one contribution's cell has of its interval (state/cells/carried.ts). */
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
  /** Undefined when it is not known: it is the difference of totals then. */
  readonly sum: number | undefined;
}

/**
 * The intervals of one stream's cells, for all readers of this thread that take deltas of it. Whenever one of
 * them reads a cell, what is new in it is noted for all of them: so each knows what came since its own
 * previous collection, however often the others collect.
 *
 * Cells end their intervals where a reader has reported them. If that was one of another thread, an interval
 * begins later than our last collection: its sum is not known then, and its extremes are those of all
 * measurements.
 */
export class StreamIntervals {
  // by contribution: the version that was reported; NaN where that is not known
  #reported = new Float64Array(0);
  readonly #readers: WeakRef<ReaderIntervals>[] = []; // weakly: nobody says when a reader is gone

  /**
   * A further reader. What was recorded before is not noted for it: its first interval is all that its cells
   * hold.
   */
  addReader(): ReaderIntervals {
    const reader = new ReaderIntervals(this);
    this.#readers.push(new WeakRef(reader));
    return reader;
  }

  /** Of each of so many contributions, the version that was reported. */
  reported(contributions: number): Float64Array {
    const reported = new Float64Array(contributions);
    reported.set(this.#reported.subarray(0, contributions));
    return reported;
  }

  /** A contribution was reported by another thread, in this version. */
  resume(contribution: number, version: number): void {
    this.#reserve(contribution);
    this.#reported[contribution] = version;
  }

  /**
   * From now on looks at a stream of which so many contributions were reported without a look at their
   * versions.
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
    // The interval holds all that is new where it began when this thread reported the cell, or earlier.
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
   * Notes what is new in a copy of a contribution's cell; false when that is nothing. `total`: the extremes
   * of all that the cell ever counted.
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

  /** Whether anything was noted of a series that was not taken yet. */
  has(series: number): boolean {
    return this.#min[series]! <= this.#max[series]!;
  }

  /** Takes out what was noted of a series; undefined when that is nothing. */
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
