import { BucketFinder } from './bucket-finder.ts';
import { histogramCellWords, initHistogram, recordToHistogram } from './cells/histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import { StreamWriter, type RecordedStream, type SlabAccess } from './stream-writer.ts';

/** A stream of explicit-bucket histograms. */
export class HistogramStream extends StreamWriter implements RecordedStream {
  readonly #buckets: BucketFinder;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    id: number,
    limit: number,
    boundaries: readonly number[],
  ) {
    super(slab, description, id, histogramCellWords(boundaries.length + 1), limit);
    this.#buckets = new BucketFinder(boundaries);
  }

  /** Counts a number that is not NaN. */
  record(
    value: number,
    attributes: unknown,
    _context?: unknown,
    cells: SeriesCells = this.cells,
    _measured?: unknown,
  ): void {
    const bucket = this.#buckets.find(value); // first, so that the processor does it while it looks the series up
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at !== 0) recordToHistogram(cells.words, cells.doubles, at, bucket, value);
    else this.lose();
  }

  /** Resolves attributes and cardinality once; see `BoundHistogramSeries`. */
  bind(attributes: unknown, cells?: SeriesCells, _measured?: unknown): BoundHistogramSeries {
    const at = this.locate(attributes, cells);
    return new BoundHistogramSeries(this, this.#buckets, this.cells.words, this.cells.doubles, at);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initHistogram(doubles, at);
  }
}

/** One series of a histogram stream. */
export class BoundHistogramSeries {
  readonly #stream: HistogramStream;
  readonly #buckets: BucketFinder;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(
    stream: HistogramStream,
    buckets: BucketFinder,
    words: Int32Array,
    doubles: Float64Array,
    at: number,
  ) {
    this.#stream = stream;
    this.#buckets = buckets;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
  }

  record(value: number): void {
    if (this.#at === 0) this.#stream.lose();
    else recordToHistogram(this.#words, this.#doubles, this.#at, this.#buckets.find(value), value);
  }
}
