import { BoundCell, type BoundSeries, type SeriesPlace } from './bound-cell.ts';
import {
  displacement,
  ExponentialShape,
  initExponential,
  recordToExponential,
} from './cells/exponential-histogram-cell.ts';
import type { Aggregation, StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import type { RestoredSeries } from './inheritance.ts';
import { StreamWriter, type RecordedStream } from './stream-writer.ts';

const MAX = Number.MAX_VALUE;

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

/**
 * A stream of base-2 exponential histograms. Their spare array is at first behind the cell of the overflow
 * series.
 */
export class ExponentialHistogramStream extends StreamWriter implements RecordedStream {
  readonly #shape: ExponentialShape;
  #displacement = 0; // of all cells that were there before
  /** The first array of all lies behind it. */
  #firstOverflow: number | undefined;

  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    limit: number,
    { maxSize, maxScale, negative }: ExponentialHistogramAggregation,
  ) {
    const shape = new ExponentialShape(maxSize, maxScale, negative);
    super(slab, description, shape.cellWords, limit, shape, shape.arrayWords);
    this.#shape = shape;
  }

  /**
   * Counts a finite number, from 0 unless the aggregation allows negative ones. NaN and the infinities are
   * refused.
   */
  record(value: number, attributes: unknown, context: unknown, cells: CellLookup, measured?: unknown): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.refuse(value);
      return;
    }
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    if (cells.words[(at << 1) + 1] !== 0) this.endInterval(at);
    recordToExponential(cells.words, cells.doubles, at, this.#shape, value);
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, 0, value, context, attributes, cells, measured);
  }

  /** Resolves attributes and cardinality once; see `BoundExponentialHistogramSeries`. */
  bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundExponentialHistogramSeries {
    return new BoundExponentialHistogramSeries(this, this.place(attributes, cells, measured), this.#shape);
  }

  /** Warns once that no bucket holds NaN or an infinity (specification: they are not counted). */
  refuse(value: number): void {
    this.warn(
      'non-finite',
      `${value} is not recorded: no bucket of an exponential histogram holds it. Pass finite numbers`,
    );
  }

  protected override restore(series: readonly RestoredSeries[], exemplars: readonly ExemplarsRecord[]): void {
    super.restore(series, exemplars);
    const { words, doubles } = this.cells;
    for (const { cell } of series) this.#displacement += displacement(words, doubles, cell);
    this.#firstOverflow = series.find(({ overflow }) => overflow)?.cell;
  }

  protected override registered(overflow: number): void {
    this.#shape.spare = (this.#firstOverflow ?? overflow) + this.#shape.cellWords - this.#displacement;
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initExponential(doubles, at, this.#shape);
  }
}

/** One series of an exponential histogram stream. */
export class BoundExponentialHistogramSeries
  extends BoundCell<ExponentialHistogramStream>
  implements BoundSeries
{
  readonly #shape: ExponentialShape;

  constructor(stream: ExponentialHistogramStream, place: SeriesPlace, shape: ExponentialShape) {
    super(stream, place);
    this.#shape = shape;
  }

  record(value: number, context?: unknown): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.stream.refuse(value);
      return;
    }
    if (this.at === 0 && !this.hasCellAgain()) return;
    // That of the stream, since the spare array may lie beyond what the views reached when the series was
    // bound.
    const { at } = this;
    const { cells } = this.stream;
    if (cells.words[(at << 1) + 1] !== 0) this.stream.endInterval(at);
    recordToExponential(cells.words, cells.doubles, at, this.#shape, value);
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(0, value, context);
  }
}
