import { isObserved, streamKey } from '../../state/records.ts';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { correspondence, type DeltaState } from './delta-state.ts';
import { exponentialDifference } from '../rows/exponential-delta.ts';
import type { ReaderIntervals } from '../rows/intervals.ts';
import type { ExponentialHistogramValue, HistogramValue } from '../metric-data.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';

/** Where a histogram's parts lie in its row of `told`; the buckets follow. */
const COUNT = 0;
const SUM = 1;
const BUCKETS = 2;

/**
 * What one reader was told of one stream until its previous collection: delta temporality is the difference to that. The cells stay
 * cumulative, so that any number of readers take deltas of them, each in its own rhythm.
 *
 *   updates[series]     sum of the versions of its cells, wrapping; as long as it stays, nothing was recorded
 *   told[series * n ..] what it amounted to: total; or count, sum and buckets
 *   exponentials[series] the same of an exponential histogram, whose buckets are at another place each time
 *
 * Of observed sums each writer's part has a row of its own: what one of them sets back, or ceases to observe, is no matter of the
 * others.
 *
 * Not guaranteed: that a measurement made while its cell is read changes `updates` in the interval it is counted in. Its series
 * may be reported once more in the next one, with 0.
 */
export class DeltaStream {
  readonly #stream: MergedStream;
  readonly #stride: number;
  #updates = new Int32Array(8);
  #told: Float64Array;
  readonly #exponentials: ExponentialHistogramValue[] = [];
  /** What of an interval is no difference of totals. Undefined where all is. */
  readonly intervals: ReaderIntervals | undefined;
  #previousMillis: number | undefined;

  constructor(stream: MergedStream) {
    const { aggregation } = stream.description;
    this.#stream = stream;
    this.#stride =
      aggregation.type === 'explicit-bucket-histogram' ? BUCKETS + aggregation.boundaries.length + 1 : 1;
    this.#told = new Float64Array(8 * this.#stride);
    if (aggregation.type !== 'last-value' && !isObserved(stream.description.kind))
      this.intervals = stream.intervals.addReader();
  }

  /**
   * Begins the collection that ends at `endMillis`. Returns when its interval started: at the previous collection, and the first at
   * the creation of the instrument (specification, start timestamps).
   */
  begin(endMillis: number): number {
    this.#reserve();
    const start = Math.min(this.#previousMillis ?? this.#stream.created, endMillis);
    this.#previousMillis = endMillis;
    return start;
  }

  get #rows(): number {
    const { description, size, nodes } = this.#stream;
    return isObserved(description.kind) ? nodes : size;
  }

  #reserve(): void {
    const rows = this.#rows;
    if (rows * this.#stride <= this.#told.length) return;
    this.#updates = lengthened(this.#updates, roomFor(rows - 1));
    this.#told = lengthened(this.#told, this.#updates.length * this.#stride);
  }

  /** What was told, for `resume` in another thread. Call it between collections. */
  state(): DeltaState {
    const stream = this.#stream;
    return {
      stream: streamKey(stream.description),
      ...stream.contributions(),
      reported:
        this.intervals?.isStarted === true ? stream.intervals.reported(stream.nodes) : new Float64Array(0),
      updates: this.#updates.subarray(0, this.#rows),
      told: this.#told.subarray(0, this.#rows * this.#stride),
      exponentials: this.#exponentials,
      untilMillis: this.#previousMillis,
    };
  }

  /**
   * Goes on from what a reader of another thread was told. Call it before the first collection. False, and nothing done, when it is not to be
   * known which series is which.
   */
  resume(state: DeltaState): boolean {
    const same = correspondence(this.#stream, state);
    if (same === undefined) return false;
    this.#reserve();
    this.#previousMillis = state.untilMillis;
    const rows = isObserved(this.#stream.description.kind) ? same.ofContribution : same.ofSeries;
    const stride = this.#stride;
    rows.forEach((there, row) => {
      if (there !== NONE)
        this.#told.set(state.told.subarray(there * stride, (there + 1) * stride), row * stride);
    });
    same.ofSeries.forEach((there, series) => {
      this.#updates[series] = state.updates[there] ?? 0;
      const exponential = state.exponentials[there];
      if (exponential !== undefined) this.#exponentials[series] = exponential;
    });
    if (state.reported.length > 0)
      same.ofContribution.forEach((there, node) =>
        this.#stream.intervals.resume(node, state.reported[there] ?? 0),
      );
    return true;
  }

  /** False when nothing was recorded to the series since it was last reported. `updates`: of the series, now. */
  isUpdated(series: number, updates: number): boolean {
    return this.#updates[series] !== updates;
  }

  /** Notes that a series is reported as it was after so many `updates`. */
  report(series: number, updates: number): void {
    this.#updates[series] = updates;
  }

  /** What the total of a row changed by. A monotonic one that fell was set back, and counts from 0 again. */
  sum(row: number, total: number, monotonic: boolean): number {
    const before = this.#told[row]!;
    const interval = this.intervals?.take(row)?.sum;
    this.#told[row] = total;
    if (interval !== undefined) return interval;
    if (total === before) return 0; // also when both are infinite
    return monotonic && total < before ? total : total - before;
  }

  /**
   * What a histogram counted; undefined when that is nothing. The sum is left out when it cannot be told because an infinite
   * value was counted earlier. Changes `value`'s bucket counts.
   */
  histogram(series: number, value: HistogramValue): HistogramValue | undefined {
    const told = this.#told;
    const at = series * this.#stride;
    const countBefore = told[at + COUNT]!;
    const sumBefore = told[at + SUM]!;
    const count = value.count - countBefore;
    if (count === 0) return undefined;
    const { counts } = value.buckets;
    for (let i = 0; i < counts.length; i++) {
      const total = counts[i]!;
      counts[i] = total - told[at + BUCKETS + i]!;
      told[at + BUCKETS + i] = total;
    }
    told[at + COUNT] = value.count;
    told[at + SUM] = value.sum ?? 0;
    const noted = this.intervals!.take(series);
    const interval = countBefore === 0 ? value : noted; // at first, all is new
    let sum = value.sum === undefined ? undefined : interval?.sum;
    if (sum === undefined && value.sum !== undefined && Number.isFinite(sumBefore))
      sum = value.sum - sumBefore;
    return {
      ...(value.min !== undefined &&
        interval?.min !== undefined && { min: interval.min, max: interval.max! }),
      ...(sum !== undefined && { sum }),
      count,
      buckets: value.buckets,
    };
  }

  /**
   * What an exponential histogram counted; undefined when that is nothing. `intervalOf`: gives what is new,
   * at a scale of its own, where that is known. Else it is the difference to what was reported before.
   */
  exponentialHistogram(
    series: number,
    value: ExponentialHistogramValue,
    intervalOf: () => ExponentialHistogramValue | undefined,
  ): ExponentialHistogramValue | undefined {
    const before = this.#exponentials[series];
    this.#exponentials[series] = value;
    if (value.count === before?.count) return undefined;
    const noted = this.intervals!.take(series);
    const interval = before === undefined || noted?.sum === undefined ? undefined : intervalOf();
    return interval ?? exponentialDifference(value, before, noted);
  }
}
