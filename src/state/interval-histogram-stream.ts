import { intervalEpoch } from '../memory/interval-epoch.ts';
import { BucketFinder } from './bucket-finder.ts';
import {
  initIntervalHistogram,
  intervalHistogramCellWords,
  recordToIntervalHistogram,
} from './cells/interval-histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import { StreamWriter, type BoundSeries, type RecordedStream, type SlabAccess } from './stream-writer.ts';

/** A stream of explicit-bucket histograms that keep the extremes of intervals, for readers with delta temporality. */
export class IntervalHistogramStream extends StreamWriter implements RecordedStream {
  readonly #buckets: BucketFinder;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    id: number,
    limit: number,
    boundaries: readonly number[],
  ) {
    super(slab, description, id, intervalHistogramCellWords(boundaries.length + 1), limit);
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
    let at = cells.find(attributes);
    if (at <= 0) at = this.admit(attributes, at, cells);
    if (at === 0) {
      this.lose();
      return;
    }
    const { words, doubles } = cells;
    const bucket = this.#buckets.find(value);
    recordToIntervalHistogram(words, doubles, at, bucket, value, intervalEpoch(words));
  }

  /** Resolves attributes and cardinality once; see `BoundIntervalHistogram`. */
  bind(attributes: unknown, cells?: SeriesCells, _measured?: unknown): BoundIntervalHistogram {
    const at = this.locate(attributes, cells);
    return new BoundIntervalHistogram(this, this.#buckets, this.cells.words, this.cells.doubles, at);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initIntervalHistogram(doubles, at);
  }
}

/** One series of such a stream. */
export class BoundIntervalHistogram implements BoundSeries {
  readonly #stream: IntervalHistogramStream;
  readonly #buckets: BucketFinder;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #at: number;

  constructor(
    stream: IntervalHistogramStream,
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
    const words = this.#words;
    const bucket = this.#buckets.find(value);
    if (this.#at === 0) this.#stream.lose();
    else recordToIntervalHistogram(words, this.#doubles, this.#at, bucket, value, intervalEpoch(words));
  }
}
