import { BucketFinder } from './bucket-finder.ts';
import { histogramCellWords, initHistogram, recordToHistogram } from './cells/histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
import { StreamWriter, type BoundSeries, type RecordedStream, type SlabAccess } from './stream-writer.ts';

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
    context?: unknown,
    cells: SeriesCells = this.cells,
    measured?: unknown,
  ): void {
    const bucket = this.#buckets.find(value); // first, so that the processor does it while it looks the series up
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at === 0) {
      this.lose();
      return;
    }
    recordToHistogram(cells.words, cells.doubles, at, bucket, value);
    if (context !== undefined || --this.exemplars.pause < 0)
      this.offer(at, bucket, value, context, attributes, measured, cells);
  }

  /** Resolves attributes and cardinality once; see `BoundHistogramSeries`. */
  bind(attributes: unknown, cells?: SeriesCells, measured?: unknown): BoundHistogramSeries {
    const at = this.locate(attributes, cells);
    const bound = this.exemplars.bound({ attributes, measured, keeps: cells?.keeps });
    return new BoundHistogramSeries(this, this.#buckets, this.cells, at, bound);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initHistogram(doubles, at);
  }
}

/** One series of a histogram stream. */
export class BoundHistogramSeries implements BoundSeries {
  readonly #stream: HistogramStream;
  readonly #buckets: BucketFinder;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;
  readonly #attributes: MeasuredAttributes;

  constructor(
    stream: HistogramStream,
    buckets: BucketFinder,
    { words, doubles }: SeriesCells,
    at: number,
    attributes: MeasuredAttributes,
  ) {
    this.#stream = stream;
    this.#buckets = buckets;
    this.#words = words;
    this.#doubles = doubles;
    this.#at = at;
    this.#attributes = attributes;
  }

  record(value: number, context?: unknown): void {
    if (this.#at === 0) {
      this.#stream.lose();
      return;
    }
    const bucket = this.#buckets.find(value);
    recordToHistogram(this.#words, this.#doubles, this.#at, bucket, value);
    const { exemplars } = this.#stream;
    if (context !== undefined || --exemplars.pause < 0)
      exemplars.offer(this.#at, bucket, value, context, this.#attributes);
  }
}
