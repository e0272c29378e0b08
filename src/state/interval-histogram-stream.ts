import { intervalEpoch } from '../memory/interval-epoch.ts';
import { BucketFinder } from './bucket-finder.ts';
import {
  initIntervalHistogram,
  intervalHistogramCellWords,
  recordToIntervalHistogram,
} from './cells/interval-histogram-cell.ts';
import type { StreamDescription } from './records.ts';
import type { SeriesCells } from './series-cells.ts';
import type { MeasuredAttributes } from './exemplar-reservoirs.ts';
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
    context?: unknown,
    cells: SeriesCells = this.cells,
    measured?: unknown,
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
    if (context !== undefined || --this.exemplars.pause < 0)
      this.offer(at, bucket, value, context, attributes, measured, cells);
  }

  /** Resolves attributes and cardinality once; see `BoundIntervalHistogram`. */
  bind(attributes: unknown, cells?: SeriesCells, measured?: unknown): BoundIntervalHistogram {
    const at = this.locate(attributes, cells);
    const bound = this.exemplars.bound({ attributes, measured, keeps: cells?.keeps });
    return new BoundIntervalHistogram(this, this.#buckets, this.cells, at, bound);
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
  readonly #attributes: MeasuredAttributes;

  constructor(
    stream: IntervalHistogramStream,
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
    const words = this.#words;
    const bucket = this.#buckets.find(value);
    recordToIntervalHistogram(words, this.#doubles, this.#at, bucket, value, intervalEpoch(words));
    const { exemplars } = this.#stream;
    if (context !== undefined || --exemplars.pause < 0)
      exemplars.offer(this.#at, bucket, value, context, this.#attributes);
  }
}
