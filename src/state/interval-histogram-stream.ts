import { intervalEpoch } from '../memory/interval-epoch.ts';
import {
  initIntervalHistogram,
  intervalHistogramCellWords,
  recordToIntervalHistogram,
} from './cells/interval-histogram-cell.ts';
import { BoundHistogramSeries, HistogramStream } from './histogram-stream.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';

/** A stream of explicit-bucket histograms that keep the extremes of intervals, for readers with delta temporality. */
export class IntervalHistogramStream extends HistogramStream {
  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    limit: number,
    boundaries: readonly number[],
  ) {
    super(slab, description, limit, boundaries, intervalHistogramCellWords(boundaries.length + 1));
  }

  override record(
    value: number,
    attributes: unknown,
    context: unknown,
    cells: CellLookup,
    measured?: unknown,
  ): void {
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    const { words, doubles } = cells;
    const bucket = this.buckets.find(value);
    recordToIntervalHistogram(words, doubles, at, bucket, value, intervalEpoch(words));
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, bucket, value, context, attributes, cells, measured);
  }

  override bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundIntervalHistogram {
    return new BoundIntervalHistogram(this, this.place(attributes, cells, measured), this.buckets);
  }

  protected override initCell(doubles: Float64Array, at: number): void {
    initIntervalHistogram(doubles, at);
  }
}

/** One series of such a stream. */
export class BoundIntervalHistogram extends BoundHistogramSeries {
  override record(value: number, context?: unknown): void {
    if (this.at === 0) {
      this.stream.lose();
      return;
    }
    const { words } = this;
    const bucket = this.buckets.find(value);
    recordToIntervalHistogram(words, this.doubles, this.at, bucket, value, intervalEpoch(words));
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(bucket, value, context);
  }
}
