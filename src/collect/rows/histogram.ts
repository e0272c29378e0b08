/**
 * Series that are histograms with explicit buckets, as rows.
 *
 *   row   0       1     2     3     4          5
 *         +-------+-----+-----+-----+----------+----------+-----+--------------+
 *         | count | sum | min | max | bucket 0 | bucket 1 | ... | bucket +Inf  |   not cumulated
 *         +-------+-----+-----+-----+----------+----------+-----+--------------+
 *
 * min, max   +Infinity and -Infinity where nothing is counted; NaN where they are not known. So is the sum of
 *            a delta that is not known.
 */
import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_COUNT,
  HISTOGRAM_INTERVAL,
  HISTOGRAM_MAX,
  HISTOGRAM_MIN,
  HISTOGRAM_SINCE,
  HISTOGRAM_SUM,
  HISTOGRAM_VERSION,
  histogramCopyWords,
  readHistogramAndIntervalInto,
  readHistogramInto,
} from '../../state/cells/histogram-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { HistogramValue } from '../metric-data.ts';
import type { CellCopies } from './cell-copies.ts';
import type { ReadCell } from './cell-reader.ts';
import type { ReaderIntervals, SeriesInterval } from './intervals.ts';
import type { RowLayout } from './column.ts';
import { SeriesRows } from './series-rows.ts';

export type HistogramAggregation = Extract<Aggregation, { type: 'explicit-bucket-histogram' }>;

const COUNT: number = HISTOGRAM_COUNT;
const SUM: number = HISTOGRAM_SUM;
const MIN: number = HISTOGRAM_MIN;
const MAX: number = HISTOGRAM_MAX;
const BUCKETS = 4;

export const HISTOGRAM_ROW_COUNT: number = COUNT;
export const HISTOGRAM_ROW_SUM: number = SUM;
export const HISTOGRAM_ROW_MIN: number = MIN;
export const HISTOGRAM_ROW_MAX: number = MAX;
/** Where the buckets begin. */
export const HISTOGRAM_ROW_BUCKETS: number = BUCKETS;

export function histogramLayout(
  boundaries: readonly number[],
  hasSum: boolean,
  hasMinMax: boolean,
): RowLayout {
  return {
    kind: 'histogram',
    words: BUCKETS + boundaries.length + 1,
    boundaries,
    hasSum,
    hasMinMax,
    isSum: true,
  };
}

/** Histograms over all writers, dead ones included. */
export class HistogramRows extends SeriesRows {
  readonly layout: RowLayout;
  override readonly reportedBy = 'series';
  readonly #copyWords: number;
  readonly #read: ReadCell;
  readonly #readWithInterval: ReadCell;

  constructor(stream: MergedStream, copies: CellCopies, aggregation: HistogramAggregation) {
    super(stream, copies);
    const { boundaries, hasSum, recordMinMax } = aggregation;
    const buckets = boundaries.length + 1;
    this.layout = histogramLayout(boundaries, hasSum, recordMinMax);
    this.#copyWords = histogramCopyWords(buckets);
    this.#read = (words, doubles, at, into) => readHistogramInto(words, doubles, at, buckets, into);
    this.#readWithInterval = (words, doubles, at, into) =>
      readHistogramAndIntervalInto(words, doubles, at, buckets, into);
    copies.reserve(this.#copyWords);
  }

  override fill(series: number, row: Float64Array, at: number, intervals?: ReaderIntervals): boolean {
    const { stream, copies } = this;
    const { words } = this.layout;
    const read = intervals === undefined ? this.#read : this.#readWithInterval;
    for (
      let contribution = stream.firstOf(series), isFirst = true;
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const copy = copies.read(read, stream.cellOf(contribution), this.#copyWords);
      if (copy === undefined) return false;
      if (intervals !== undefined) this.#note(series, contribution, copy, intervals);
      if (isFirst) copyHistogram(row, at, words, copy);
      else addHistogramRow(row, at, words, copy, HISTOGRAM_BUCKETS);
      isFirst = false;
    }
    return true;
  }

  #note(series: number, contribution: number, copy: Float64Array, intervals: ReaderIntervals): void {
    const at = HISTOGRAM_BUCKETS + this.layout.words - BUCKETS;
    const fields = at + HISTOGRAM_INTERVAL;
    const interval = {
      since: copy[at + HISTOGRAM_SINCE]!,
      version: copy[at + HISTOGRAM_VERSION]!,
      sum: copy[fields]!,
      min: copy[fields + 1]!,
      max: copy[fields + 2]!,
    };
    const total = { min: copy[HISTOGRAM_MIN]!, max: copy[HISTOGRAM_MAX]! };
    this.note(intervals, series, contribution, interval, total);
  }

  /** The sum is not known if an infinite value was counted earlier and no interval has the sum. */
  override subtract(
    row: Float64Array,
    at: number,
    reported: Float64Array,
    reportedAt: number,
    interval: SeriesInterval | undefined,
  ): boolean {
    const countBefore = reported[reportedAt + COUNT]!;
    const sumBefore = reported[reportedAt + SUM]!;
    if (row[at + COUNT] === countBefore) return false;
    for (let i = 0; i < this.layout.words; i++) {
      const now = row[at + i]!;
      if (i !== MIN && i !== MAX) row[at + i] = now - reported[reportedAt + i]!;
      reported[reportedAt + i] = now;
    }
    if (countBefore === 0) return true; // in the first interval everything is new
    row[at + SUM] = interval?.sum ?? (Number.isFinite(sumBefore) ? row[at + SUM]! : NaN);
    row[at + MIN] = interval?.min ?? NaN;
    row[at + MAX] = interval?.max ?? NaN;
    return true;
  }
}

/** Writes the copy of a cell to the row at `at`: it begins like a row. */
function copyHistogram(row: Float64Array, at: number, words: number, copy: Float64Array): void {
  for (let i = 0; i < BUCKETS; i++) row[at + i] = copy[i]!;
  for (let i = BUCKETS; i < words; i++) row[at + i] = copy[HISTOGRAM_BUCKETS - BUCKETS + i]!;
}

/**
 * Adds another row, or the copy of a cell, to the row at `at`. `buckets`: where the counts begin in `part`.
 */
export function addHistogramRow(
  row: Float64Array,
  at: number,
  words: number,
  part: Float64Array,
  buckets: number = BUCKETS,
): void {
  row[at + COUNT]! += part[COUNT]!;
  row[at + SUM]! += part[SUM]!;
  row[at + MIN] = Math.min(row[at + MIN]!, part[MIN]!);
  row[at + MAX] = Math.max(row[at + MAX]!, part[MAX]!);
  for (let i = BUCKETS; i < words; i++) row[at + i]! += part[buckets - BUCKETS + i]!;
}

/** The row at `at` as a data point has it: plain numbers in plain arrays. */
export function histogramValueOf(
  row: Float64Array,
  at: number,
  { words, boundaries, hasSum, hasMinMax, isDelta }: RowLayout & { readonly isDelta?: boolean },
): HistogramValue {
  const counts: number[] = [];
  for (let i = BUCKETS; i < words; i++) counts.push(row[at + i]!);
  const buckets = { boundaries: boundaries.slice(), counts };
  const count = row[at + COUNT]!;
  const sum = row[at + SUM]!;
  const min = row[at + MIN]!;
  const max = row[at + MAX]!;
  // Written out: building these objects by spreading takes several times as long as all the rest of a
  // snapshot.
  const isSumKnown = hasSum && !(isDelta === true && Number.isNaN(sum));
  if (hasMinMax && !Number.isNaN(min))
    return isSumKnown ? { min, max, sum, count, buckets } : { min, max, count, buckets };
  return isSumKnown ? { sum, count, buckets } : { count, buckets };
}

/** Writes a data point's value to the row at `at`. */
export function fillHistogramRow(row: Float64Array, at: number, value: HistogramValue): void {
  const { count, sum = 0, min = NaN, max = NaN, buckets } = value;
  row[at + COUNT] = count;
  row[at + SUM] = sum;
  row[at + MIN] = min;
  row[at + MAX] = max;
  row.set(buckets.counts, at + BUCKETS);
}
