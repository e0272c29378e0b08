/**
 * Exponential histograms as histograms with `le` buckets, for formats without exponential ones.
 *
 * The bounds are powers of two, which are bounds of every scale from 0 on. So the counts are exact, and a
 * series keeps its bounds when its scale falls. All series of a metric have the same bounds, so that they can
 * be summed by `le`: from the bound below the lowest bucket that any of them has had, to the bound above the
 * highest. A bound that was shown once stays. Only if the bounds would become more than MAX_CLASSIC_BUCKETS,
 * or the scale of a series falls below 0, every second power is left out, or three of four, and so on.
 *
 * Zeros are counted up to `le="0"`, which exists if there are zeros or negative values. A value of exactly a
 * negative bound is counted above it.
 */
import { MetricColumn } from '../collect/rows/column.ts';
import {
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_SUM,
  histogramLayout,
} from '../collect/rows/histogram.ts';
import * as exponentialRow from '../collect/rows/exponential.ts';

/** The most buckets between the outermost bounds of each sign. */
const MAX_CLASSIC_BUCKETS = 160;
/** At this scale two buckets hold all numbers. */
const LOWEST_SCALE = -11;
const LOWEST_EXPONENT = -1023;
const HIGHEST_EXPONENT = 1023;

/** First and last bucket of a range at a scale; none where `high` is below `low`. */
interface Span {
  low: number;
  high: number;
}

/**
 * The `le` columns of exponential columns. Each exponential column keeps its own from snapshot to snapshot.
 */
export class ClassicColumns {
  readonly #known = new WeakMap<MetricColumn, ClassicColumn>();

  /** The column itself, or the present `le` column of an exponential one. */
  of(column: MetricColumn): MetricColumn {
    if (column.description.kind !== 'exponential-histogram') return column;
    let known = this.#known.get(column);
    if (known === undefined) this.#known.set(column, (known = new ClassicColumn(column)));
    return known.update();
  }
}

class ClassicColumn {
  readonly #source: MetricColumn;
  #column: MetricColumn | undefined;
  #scale = 0;
  // Outermost buckets at this scale.
  #lowest = LOWEST_EXPONENT;
  #highest = HIGHEST_EXPONENT;
  readonly #positive: Span = { low: Infinity, high: -Infinity };
  readonly #negative: Span = { low: Infinity, high: -Infinity };
  #hasZero = false;

  constructor(source: MetricColumn) {
    this.#source = source;
  }

  /** A new column where the bounds have changed, else the old one with new numbers. */
  update(): MetricColumn {
    this.#widen();
    const boundaries = this.#boundaries();
    const { description, text, rows, attributes, starts, exemplars } = this.#source;
    if (this.#column?.description.boundaries.join() !== boundaries.join())
      this.#column = new MetricColumn(
        { ...description, ...histogramLayout(boundaries, description.hasSum, false) },
        text,
      );
    const column = this.#column;
    column.text = text;
    column.clear();
    for (let row = 0; row < rows; row++) {
      const at = column.open();
      column.values.fill(0, at, at + column.stride);
      this.#fill(row, column.values, at);
      column.close(attributes[row]!, starts[row]!, exemplars?.get(row));
    }
    return column;
  }

  /** Takes the buckets of all rows into account. */
  #widen(): void {
    const { values, stride, rows } = this.#source;
    for (let at = 0; at < rows * stride; at += stride) this.#coarsen(values[at + exponentialRow.ROW_SCALE]!);
    for (let at = 0; at < rows * stride; at += stride) {
      this.#widenBy(this.#positive, at, 0);
      this.#widenBy(this.#negative, at, 1);
      if (values[at + exponentialRow.ROW_ZERO_COUNT] !== 0) this.#hasZero = true;
    }
    if (this.#negative.high >= this.#negative.low) this.#hasZero = true;
    for (const span of [this.#positive, this.#negative])
      while (span.high - span.low >= MAX_CLASSIC_BUCKETS) this.#coarsen(this.#scale - 1);
  }

  #widenBy(span: Span, at: number, range: number): void {
    const { values } = this.#source;
    const change = values[at + exponentialRow.ROW_SCALE]! - this.#scale;
    const offset = values[at + exponentialRow.ROW_RANGES + 2 * range]!;
    const length = values[at + exponentialRow.ROW_RANGES + 2 * range + 1]!;
    if (length === 0) return;
    span.low = Math.min(span.low, this.#indexOf(offset, change));
    span.high = Math.max(span.high, this.#indexOf(offset + length - 1, change));
  }

  /**
   * Index of a bucket at the bounds' scale. A bucket beyond all numbers, which another producer might have,
   * counts as the outermost.
   */
  #indexOf(index: number, change: number): number {
    return Math.min(Math.max(exponentialRow.coarserIndex(index, change), this.#lowest), this.#highest);
  }

  /** The lower bound of a bucket. Below all numbers it is the smallest of them, above them Infinity. */
  #bound(index: number): number {
    return Math.max(2 ** (index * 2 ** -this.#scale), Number.MIN_VALUE);
  }

  /** Lowers the scale of the bounds, if it is above `scale`. */
  #coarsen(scale: number): void {
    const lower = Math.max(scale, LOWEST_SCALE);
    const change = this.#scale - lower;
    if (change <= 0) return;
    this.#scale = lower;
    this.#lowest >>= change;
    this.#highest >>= change;
    for (const span of [this.#positive, this.#negative]) {
      if (span.high < span.low) continue;
      span.low >>= change;
      span.high >>= change;
    }
  }

  /** Ascending. The outermost may be beyond all numbers: the bucket `+Inf` exists in any case. */
  #boundaries(): number[] {
    const { low, high } = this.#positive;
    const boundaries: number[] = [];
    for (let i = this.#negative.high + 1; i >= this.#negative.low; i--) boundaries.push(-this.#bound(i));
    if (this.#hasZero) boundaries.push(0);
    for (let i = low; i <= high + 1; i++) boundaries.push(this.#bound(i));
    return boundaries.filter(Number.isFinite);
  }

  #fill(row: number, into: Float64Array, at: number): void {
    const { values, stride } = this.#source;
    const from = row * stride;
    into[at + HISTOGRAM_ROW_COUNT] = values[from + exponentialRow.ROW_COUNT]!;
    into[at + HISTOGRAM_ROW_SUM] = values[from + exponentialRow.ROW_SUM]!;
    // Buckets in the order of their bounds: below the outermost negative one, negative ones, zeros, between
    // zero and the lowest positive one, positive ones, above.
    const { low, high } = this.#negative;
    const hasNegative = high >= low;
    const outermost = hasNegative && Number.isFinite(this.#bound(high + 1)) ? 1 : 0;
    const negatives = at + HISTOGRAM_ROW_BUCKETS + outermost;
    const zero = negatives + (hasNegative ? high - low + 1 : 0);
    this.#addRange(1, from, into, negatives + high, -1);
    if (this.#hasZero) into[zero] = values[from + exponentialRow.ROW_ZERO_COUNT]!;
    this.#addRange(0, from, into, zero + (this.#hasZero ? 1 : 0) + 1 - this.#positive.low, 1);
  }

  /** Adds a row's counts to `into`: those of bucket i of the bounds' scale at `to` + i, or `to` - i. */
  #addRange(range: number, from: number, into: Float64Array, to: number, direction: 1 | -1): void {
    const { values, description } = this.#source;
    const change = values[from + exponentialRow.ROW_SCALE]! - this.#scale;
    const offset = values[from + exponentialRow.ROW_RANGES + 2 * range]!;
    const length = values[from + exponentialRow.ROW_RANGES + 2 * range + 1]!;
    const counts = from + exponentialRow.ROW_COUNTS + range * description.maxSize!;
    for (let i = 0; i < length; i++) {
      const count = values[counts + i]!;
      if (count !== 0) into[to + direction * this.#indexOf(offset + i, change)]! += count;
    }
  }
}
