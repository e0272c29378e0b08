import { histogramCellWords, initHistogram, recordToHistogram } from './cells/histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import { StreamWriter, type SlabAccess } from './stream-writer.ts';

/** Up to this many bounds a scan beats a binary search (measured, docs/performance.md). */
const SCANNED_BOUNDS = 16;

/**
 * The bucket of a value: the first whose upper bound is not below it (bounds are inclusive, specification, explicit
 * bucket histogram aggregation), or the last, open one. Infinity falls in the open one.
 */
export function findBucket(boundaries: Float64Array, value: number): number {
  let low = 0;
  let high = boundaries.length;
  while (high - low > SCANNED_BOUNDS) {
    const middle = (low + high) >>> 1;
    if (value <= boundaries[middle]!) high = middle;
    else low = middle + 1;
  }
  while (low < high && value > boundaries[low]!) low++;
  return low;
}

/** A stream of explicit-bucket histograms. */
export class HistogramStream extends StreamWriter {
  readonly #boundaries: Float64Array;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    id: number,
    limit: number,
    boundaries: readonly number[],
  ) {
    super(slab, description, id, histogramCellWords(boundaries.length + 1), limit);
    this.#boundaries = Float64Array.from(boundaries);
  }

  /** Counts a number that is not NaN. */
  record(value: number, attributes: unknown): void {
    const at = this.locate(attributes);
    if (at !== 0) recordToHistogram(this.words, this.doubles, at, findBucket(this.#boundaries, value), value);
  }

  /** Resolves attributes and cardinality once; see `BoundHistogramSeries`. */
  bind(attributes: unknown): BoundHistogramSeries {
    const at = this.locate(attributes);
    return new BoundHistogramSeries(this, this.#boundaries, this.words, this.doubles, at);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initHistogram(doubles, at);
  }
}

/** One series of a histogram stream. */
export class BoundHistogramSeries {
  readonly #stream: HistogramStream;
  readonly #boundaries: Float64Array;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(
    stream: HistogramStream,
    boundaries: Float64Array,
    words: Int32Array,
    doubles: Float64Array,
    at: number,
  ) {
    this.#stream = stream;
    this.#boundaries = boundaries;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
  }

  record(value: number): void {
    if (this.#at === 0) this.#stream.lose();
    else recordToHistogram(this.#words, this.#doubles, this.#at, findBucket(this.#boundaries, value), value);
  }
}
