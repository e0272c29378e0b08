import { intervalEpoch } from '../memory/interval-epoch.ts';
import { recordToIntervalExponential } from './cells/interval-exponential-cell.ts';
import {
  BoundExponentialHistogramSeries,
  ExponentialHistogramStream,
  type ExponentialHistogramAggregation,
} from './exponential-histogram-stream.ts';
import type { StreamDescription } from './records.ts';
import type { CellLookup } from './cell-lookup.ts';
import type { SlabAccess } from './slab-access.ts';

const MAX = Number.MAX_VALUE;

/** A stream of base-2 exponential histograms that keep the extremes of intervals, for readers with delta temporality. */
export class IntervalExponentialStream extends ExponentialHistogramStream {
  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    limit: number,
    aggregation: ExponentialHistogramAggregation,
  ) {
    super(slab, description, limit, aggregation, true);
  }

  override record(
    value: number,
    attributes: unknown,
    context: unknown,
    cells: CellLookup,
    measured?: unknown,
  ): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.refuse(value);
      return;
    }
    let at = cells.find(attributes);
    if (at <= 0) {
      at = this.admitOrLose(attributes, at, cells);
      if (at === 0) return;
    }
    const { words, doubles } = cells;
    recordToIntervalExponential(words, doubles, at, this.shape, value, intervalEpoch(words));
    if (context !== undefined || --this.untilNextOffer < 0)
      this.offer(at, 0, value, context, attributes, cells, measured);
  }

  override bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundIntervalExponential {
    return new BoundIntervalExponential(this, this.place(attributes, cells, measured), this.shape);
  }
}

/** One series of such a stream. */
export class BoundIntervalExponential extends BoundExponentialHistogramSeries {
  override record(value: number, context?: unknown): void {
    if (!(value >= -MAX && value <= MAX)) {
      this.stream.refuse(value);
      return;
    }
    if (this.at === 0) {
      this.stream.lose();
      return;
    }
    const { words, doubles } = this.stream.cells;
    recordToIntervalExponential(words, doubles, this.at, this.shape, value, intervalEpoch(words));
    if (context !== undefined || --this.stream.untilNextOffer < 0) this.offer(0, value, context);
  }
}
