import { BoundCell, type BoundSeries, type SeriesPlace } from './bound-cell.ts';
import { BucketFinder } from './bucket-finder.ts';
import {
  HISTOGRAM_FIELDS,
  histogramCellWords,
  initHistogram,
  recordToHistogram,
} from './cells/histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';
import { StreamWriter, type RecordedStream } from './stream-writer.ts';

/** A stream of explicit-bucket histograms. */
export class HistogramStream extends StreamWriter implements RecordedStream {
  readonly #buckets: BucketFinder;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    limit: number,
    boundaries: readonly number[],
  ) {
    super(slab, description, histogramCellWords(boundaries.length + 1), limit, HISTOGRAM_FIELDS);
    this.#buckets = new BucketFinder(boundaries);
  }

  /** Counts a number that is not NaN. */
  record(value: number, attributes: unknown, context: unknown, cells: CellLookup, measured?: unknown): void {
    // first, so that the processor works on it during the look-up
    const bucket = this.#buckets.find(value);
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    if (cells.words[(at << 1) + 1] !== 0) this.endInterval(at);
    recordToHistogram(cells.words, cells.doubles, at, bucket, value);
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, bucket, value, context, attributes, cells, measured);
  }

  /** Resolves attributes and cardinality once; see `BoundHistogramSeries`. */
  bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundHistogramSeries {
    return new BoundHistogramSeries(this, this.place(attributes, cells, measured), this.#buckets);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initHistogram(doubles, at);
  }
}

/** One series of a histogram stream. */
export class BoundHistogramSeries extends BoundCell<HistogramStream> implements BoundSeries {
  readonly #buckets: BucketFinder;

  constructor(stream: HistogramStream, place: SeriesPlace, buckets: BucketFinder) {
    super(stream, place);
    this.#buckets = buckets;
  }

  record(value: number, context?: unknown): void {
    if (this.at === 0 && !this.hasCellAgain()) return;
    const bucket = this.#buckets.find(value);
    const { words, at } = this;
    if (words[(at << 1) + 1] !== 0) this.stream.endInterval(at);
    recordToHistogram(words, this.doubles, at, bucket, value);
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(bucket, value, context);
  }
}
