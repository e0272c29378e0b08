import { HISTOGRAM_COUNT } from '../../state/cells/histogram-cell.ts';
import { extremesSince } from '../../state/cells/interval-part.ts';
import { lengthened, roomFor } from '../../base/array-room.ts';

/** Extremes that one reader has not reported yet, by series. */
export class Extremes {
  #low = new Float64Array(8).fill(Infinity);
  #high = new Float64Array(8).fill(-Infinity);

  include(series: number, low: number, high: number): void {
    const { length } = this.#low;
    if (series >= length) {
      this.#low = lengthened(this.#low, roomFor(series)).fill(Infinity, length);
      this.#high = lengthened(this.#high, roomFor(series)).fill(-Infinity, length);
    }
    this.#low[series] = Math.min(this.#low[series]!, low);
    this.#high[series] = Math.max(this.#high[series]!, high);
  }

  /** Takes a series' extremes out; undefined when they are not known. */
  take(series: number): { readonly min: number; readonly max: number } | undefined {
    const min = this.#low[series] ?? NaN;
    const max = this.#high[series] ?? NaN;
    if (series < this.#low.length) {
      this.#low[series] = Infinity;
      this.#high[series] = -Infinity;
    }
    return min <= max ? { min, max } : undefined;
  }
}

/**
 * The extremes of a stream's series between collections, for all readers of this thread that take deltas of it. Whenever one of them reads
 * a cell, what is new in it is told to all of them: so each knows the extremes since its own previous collection, however often the
 * others collect.
 */
export class IntervalExtremes {
  #known = new Float64Array(8); // by contribution: its measurements whose extremes were told
  readonly #bounds = new Float64Array(2);
  readonly #readers: WeakRef<Extremes>[] = []; // weakly: nobody says when a reader is gone

  /** A further reader. What was recorded before is not told to it: its first interval is all that its cells hold. */
  addReader(): Extremes {
    const extremes = new Extremes();
    this.#readers.push(new WeakRef(extremes));
    return extremes;
  }

  /** Of each of so many contributions, its measurements whose extremes were told. */
  known(contributions: number): Float64Array {
    const known = new Float64Array(contributions);
    known.set(this.#known.subarray(0, contributions));
    return known;
  }

  /** So many measurements of a contribution were told by another thread. */
  resume(node: number, known: number): void {
    this.#reserve(node);
    this.#known[node] = Math.max(this.#known[node]!, known);
  }

  /** Tells what is new in a copy of a contribution's cell. `at`: where the copy has extremes of intervals; undefined if not. */
  fold(series: number, node: number, copy: Float64Array, at: number | undefined): void {
    this.#reserve(node);
    const count = copy[HISTOGRAM_COUNT]!;
    if (this.#known[node] === count) return;
    if (at === undefined) this.#bounds.fill(NaN);
    else extremesSince(copy, at, this.#known[node]!, this.#bounds);
    this.#known[node] = count;
    for (let i = this.#readers.length; i-- > 0;) {
      const reader = this.#readers[i]!.deref();
      if (reader === undefined) this.#readers.splice(i, 1);
      else reader.include(series, this.#bounds[0]!, this.#bounds[1]!);
    }
  }

  #reserve(node: number): void {
    if (node >= this.#known.length) this.#known = lengthened(this.#known, roomFor(node));
  }
}
