/**
 * Series of exponential histograms as rows: how cells are copied and merged, and what formats take.
 *
 *   row   0       1     2     3     4            5       6          7          8          9          10
 *         +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+
 *         | count | sum | min | max | zero count | scale | offset + | length + | offset - | length - |
 *         +-------+-----+-----+-----+------------+-------+----------+----------+----------+----------+
 *         | counts of positive values ... | counts of negative values ... |
 *         +-------------------------------+-------------------------------+
 *
 * min, max         +Infinity and -Infinity where nothing is counted; NaN where they are not known. So is the
 *                  sum of a delta that is not known.
 * offset, length   index of the first bucket that has counts, and buckets up to the last one that has; 0 and
 *                  0 where none has
 * counts           maxSize words for each range (1: no negative one), of which `length` are in use; what is
 *                  in the others is undefined
 */
import {
  EXPONENTIAL_COUNT,
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_MAX,
  EXPONENTIAL_MIN,
  EXPONENTIAL_RANGES,
  EXPONENTIAL_SCALE,
  EXPONENTIAL_SUM,
  EXPONENTIAL_ZERO_COUNT,
  ExponentialShape,
  readExponentialInto,
} from '../../state/cells/exponential-histogram-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { ExponentialHistogramValue } from '../metric-data.ts';
import type { CellCopies } from './cell-copies.ts';
import type { ReadCell } from './cell-reader.ts';
import type { ReaderIntervals, SeriesInterval } from './intervals.ts';
import type { RowLayout } from './column.ts';
import { SeriesRows } from './series-rows.ts';

export type ExponentialHistogramAggregation = Extract<Aggregation, { type: 'exponential-histogram' }>;

type Buckets = ExponentialHistogramValue['positive'];

/** Indices into a row. */
export const ROW_COUNT: number = EXPONENTIAL_COUNT;
export const ROW_SUM: number = EXPONENTIAL_SUM;
export const ROW_MIN: number = EXPONENTIAL_MIN;
export const ROW_MAX: number = EXPONENTIAL_MAX;
export const ROW_ZERO_COUNT: number = EXPONENTIAL_ZERO_COUNT;
export const ROW_SCALE: number = EXPONENTIAL_SCALE;
/** Offset and length of the positive range; those of the negative one follow. */
export const ROW_RANGES: number = EXPONENTIAL_RANGES;
export const ROW_COUNTS: number = EXPONENTIAL_COUNTS;

export function exponentialLayout(
  maxSize: number,
  ranges: number,
  hasSum: boolean,
  hasMinMax: boolean,
): RowLayout {
  const words = ROW_COUNTS + ranges * maxSize;
  return { kind: 'exponential-histogram', words, boundaries: [], maxSize, hasSum, hasMinMax, isSum: true };
}

/** Histograms over all writers, dead ones included. */
export class ExponentialRows extends SeriesRows {
  readonly layout: RowLayout;
  override readonly reportedBy = 'series';
  readonly #aggregation: ExponentialHistogramAggregation;
  readonly #shape: ExponentialShape;
  readonly #read: ReadCell;
  readonly #now: Float64Array;
  /**
   * What is new to the reader in the series filled last, from cells whose intervals began when this reader
   * had reported them.
   */
  readonly #interval: Float64Array;
  #isIntervalAll = false; // that is new

  constructor(stream: MergedStream, copies: CellCopies, aggregation: ExponentialHistogramAggregation) {
    super(stream, copies);
    const { maxSize, maxScale, negative, hasSum, recordMinMax } = aggregation;
    const shape = new ExponentialShape(maxSize, maxScale, negative);
    this.#aggregation = aggregation;
    this.#shape = shape;
    const read = (words: Int32Array, doubles: Float64Array, at: number, into: Float64Array): number =>
      readExponentialInto(words, doubles, at, shape, into);
    this.#read = Object.assign(read, { isSpread: true });
    this.layout = exponentialLayout(maxSize, shape.ranges, hasSum, recordMinMax);
    this.#now = new Float64Array(this.layout.words);
    this.#interval = new Float64Array(this.layout.words);
    copies.reserve(shape.copyWords);
  }

  override fill(series: number, row: Float64Array, at: number, intervals?: ReaderIntervals): boolean {
    const { stream, copies } = this;
    const { maxSize } = this.#aggregation;
    const { copiedCarried, copyWords } = this.#shape;
    if (intervals !== undefined) this.#beginInterval(series, intervals);
    for (
      let contribution = stream.firstOf(series), isFirst = true;
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const copy = copies.read(this.#read, stream.cellOf(contribution), copyWords);
      if (copy === undefined) return false;
      if (intervals !== undefined) this.#note(series, contribution, copy, intervals);
      if (isFirst) copyExponentialRow(copy, 0, row, at, maxSize);
      else addExponentialRow(row, at, copy, maxSize);
      isFirst = false;
      if (copy[copiedCarried + ROW_COUNT] !== 0)
        addExponentialRow(row, at, copy.subarray(copiedCarried), maxSize);
    }
    return true;
  }

  /** If one writer has the series, as most have, and nothing was carried. */
  override lend(series: number): Float64Array<ArrayBuffer> | undefined {
    const { stream, copies } = this;
    const first = stream.firstOf(series);
    if (stream.nextOf(first) !== NONE) return undefined;
    const { copiedCarried, copyWords } = this.#shape;
    const copy = copies.read(this.#read, stream.cellOf(first), copyWords);
    return copy?.[copiedCarried + ROW_COUNT] === 0 ? copy : undefined;
  }

  #beginInterval(series: number, intervals: ReaderIntervals): void {
    const row = this.#interval;
    this.#isIntervalAll = !intervals.has(series);
    row.fill(0);
    row[ROW_MIN] = Infinity;
    row[ROW_MAX] = -Infinity;
    row[ROW_SCALE] = this.#aggregation.maxScale;
  }

  #note(series: number, contribution: number, copy: Float64Array, intervals: ReaderIntervals): void {
    const { copiedSince, copiedCarried } = this.#shape;
    const version = copy[copiedSince + 1]!;
    const min = copy[ROW_MIN]!;
    const max = copy[ROW_MAX]!;
    const hasCarried = copy[copiedCarried + ROW_COUNT] !== 0;
    const total = {
      min: hasCarried ? Math.min(min, copy[copiedCarried + ROW_MIN]!) : min,
      max: hasCarried ? Math.max(max, copy[copiedCarried + ROW_MAX]!) : max,
    };
    const interval = { since: copy[copiedSince]!, version, sum: copy[ROW_SUM]!, min, max };
    if (this.note(intervals, series, contribution, interval, total))
      addExponentialRow(this.#interval, 0, copy, this.#aggregation.maxSize);
  }

  /**
   * What is new at a scale of its own, if that is known. Otherwise the difference, at the scale of the later
   * state. Its sum is not known once the sum of the totals has grown beyond the largest number.
   */
  override subtract(
    row: Float64Array,
    at: number,
    reported: Float64Array,
    reportedAt: number,
    interval: SeriesInterval | undefined,
  ): boolean {
    const countBefore = reported[reportedAt + ROW_COUNT]!;
    if (row[at + ROW_COUNT] === countBefore) return false;
    const { maxSize } = this.#aggregation;
    copyExponentialRow(row, at, this.#now, 0, maxSize);
    if (countBefore === 0) {
      // In the first interval everything is new.
    } else if (interval?.sum !== undefined && this.#isIntervalAll)
      copyExponentialRow(this.#interval, 0, row, at, maxSize);
    else {
      subtractExponentialRow(row, at, reported, reportedAt, maxSize);
      row[at + ROW_MIN] = interval?.min ?? NaN;
      row[at + ROW_MAX] = interval?.max ?? NaN;
    }
    copyExponentialRow(this.#now, 0, reported, reportedAt, maxSize);
    return true;
  }
}

/**
 * The index of a bucket at a scale that is lower by `change`. For other producers, whose scales may be
 * anything, the nearest one.
 */
export function coarserIndex(index: number, change: number): number {
  return index >> Math.min(Math.max(change, 0), 31);
}

/** Copies the row at `fromAt`, or the copy of a cell, to the row at `at`. */
export function copyExponentialRow(
  from: Float64Array,
  fromAt: number,
  row: Float64Array,
  at: number,
  size: number,
): void {
  const distance = fromAt - at;
  for (let i = at; i < at + ROW_COUNTS; i++) row[i] = from[distance + i]!;
  for (let range = 0; range < 2; range++) {
    const counts = at + ROW_COUNTS + range * size;
    const end = counts + row[at + ROW_RANGES + 2 * range + 1]!;
    for (let i = counts; i < end; i++) row[i] = from[distance + i]!;
  }
}

/**
 * Adds the row `part` to the row at `at`; both have `size` buckets a range. The finer scale is lowered to the
 * coarser one, and both further until the sum fits. In whatever order rows are added, the buckets are those
 * of a single writer that had recorded everything.
 */
export function addExponentialRow(row: Float64Array, at: number, part: Float64Array, size: number): void {
  const rowScale = row[at + ROW_SCALE]!;
  const partScale = part[ROW_SCALE]!;
  let scale = Math.min(rowScale, partScale);
  for (let range = 0; range < 2; range++)
    while (widthOf(row, at, part, range, rowScale - scale, partScale - scale) > size) scale--;
  row[at + ROW_COUNT]! += part[ROW_COUNT]!;
  row[at + ROW_SUM]! += part[ROW_SUM]!;
  row[at + ROW_ZERO_COUNT]! += part[ROW_ZERO_COUNT]!;
  row[at + ROW_MIN] = Math.min(row[at + ROW_MIN]!, part[ROW_MIN]!);
  row[at + ROW_MAX] = Math.max(row[at + ROW_MAX]!, part[ROW_MAX]!);
  row[at + ROW_SCALE] = scale;
  for (let range = 0; range < 2; range++) {
    const head = ROW_RANGES + 2 * range;
    const counts = at + ROW_COUNTS + range * size;
    coarsen(row, at + head, counts, rowScale - scale);
    const length = part[head + 1]!;
    if (length === 0) continue;
    const change = partScale - scale;
    const offset = part[head]!;
    widen(row, at + head, counts, offset >> change, (offset + length - 1) >> change);
    const to = counts - row[at + head]!;
    const from = ROW_COUNTS + range * size;
    for (let i = 0; i < length; i++) row[to + ((offset + i) >> change)]! += part[from + i]!;
  }
}

/**
 * The number of buckets from the first to the last one that has counts in either row, at scales that are
 * lower by so much.
 */
function widthOf(
  row: Float64Array,
  at: number,
  part: Float64Array,
  range: number,
  rowChange: number,
  partChange: number,
): number {
  const head = ROW_RANGES + 2 * range;
  const rowLength = row[at + head + 1]!;
  const partLength = part[head + 1]!;
  if (rowLength === 0 || partLength === 0) return 0; // the other one has fitted so far
  const low = Math.min(row[at + head]! >> rowChange, part[head]! >> partChange);
  const high = Math.max(
    (row[at + head]! + rowLength - 1) >> rowChange,
    (part[head]! + partLength - 1) >> partChange,
  );
  return high - low + 1;
}

/** Lowers the scale of a range in place. `head`: where its offset and length are. */
function coarsen(row: Float64Array, head: number, counts: number, change: number): void {
  const offset = row[head]!;
  const length = row[head + 1]!;
  if (change === 0 || length === 0) return;
  const low = offset >> change;
  for (let i = 0; i < length; i++) {
    const count = row[counts + i]!;
    row[counts + i] = 0;
    row[counts + ((offset + i) >> change) - low]! += count;
  }
  row[head] = low;
  row[head + 1] = ((offset + length - 1) >> change) - low + 1;
}

/** Extends a range to reach at least from bucket `low` to bucket `high`. */
function widen(row: Float64Array, head: number, counts: number, low: number, high: number): void {
  const length = row[head + 1]!;
  const offset = length === 0 ? low : row[head]!;
  const before = Math.max(0, offset - low);
  const end = Math.max(length + before, high + 1 - offset + before);
  if (before > 0) {
    row.copyWithin(counts + before, counts, counts + length);
    row.fill(0, counts, counts + before);
  }
  row.fill(0, counts + before + length, counts + end);
  row[head] = offset - before;
  row[head + 1] = end;
}

/**
 * Subtracts an earlier state of the same series from the row at `at`. The row's scale is not higher than that
 * of the earlier state, since scales only fall. Leaves min and max alone.
 */
export function subtractExponentialRow(
  row: Float64Array,
  at: number,
  before: Float64Array,
  beforeAt: number,
  size: number,
): void {
  const change = before[beforeAt + ROW_SCALE]! - row[at + ROW_SCALE]!;
  const sumBefore = before[beforeAt + ROW_SUM]!;
  row[at + ROW_COUNT]! -= before[beforeAt + ROW_COUNT]!;
  row[at + ROW_ZERO_COUNT]! -= before[beforeAt + ROW_ZERO_COUNT]!;
  row[at + ROW_SUM] = Number.isFinite(sumBefore) ? row[at + ROW_SUM]! - sumBefore : NaN;
  for (let range = 0; range < 2; range++) {
    const head = at + ROW_RANGES + 2 * range;
    const headBefore = beforeAt + ROW_RANGES + 2 * range;
    const counts = at + ROW_COUNTS + range * size;
    const countsBefore = beforeAt + ROW_COUNTS + range * size;
    const offsetBefore = before[headBefore]!;
    for (let i = 0; i < before[headBefore + 1]!; i++) {
      const count = before[countsBefore + i]!;
      if (count !== 0) row[counts + ((offsetBefore + i) >> change) - row[head]!]! -= count;
    }
    trim(row, head, counts);
  }
}

/** Cuts off empty buckets at both ends of a range. `head`: where its offset and length are. */
function trim(row: Float64Array, head: number, counts: number): void {
  let first = 0;
  let end = row[head + 1]!;
  while (first < end && row[counts + first] === 0) first++;
  while (end > first && row[counts + end - 1] === 0) end--;
  if (first > 0) row.copyWithin(counts, counts + first, counts + end);
  row[head] = first < end ? row[head]! + first : 0;
  row[head + 1] = end - first;
}

/** The row at `at` as a data point has it: plain numbers in plain arrays. */
export function exponentialValueOf(
  row: Float64Array,
  at: number,
  { maxSize = 0, hasSum, hasMinMax, isDelta }: RowLayout & { readonly isDelta?: boolean },
): ExponentialHistogramValue {
  const min = row[at + ROW_MIN]!;
  const max = row[at + ROW_MAX]!;
  const sum = row[at + ROW_SUM]!;
  const count = row[at + ROW_COUNT]!;
  const scale = row[at + ROW_SCALE]!;
  const zeroCount = row[at + ROW_ZERO_COUNT]!;
  const positive = bucketsOf(row, at, 0, maxSize);
  const negative = bucketsOf(row, at, 1, maxSize);
  // Written out instead of spread: see `histogramValueOf`.
  const isSumKnown = hasSum && !(isDelta === true && Number.isNaN(sum));
  if (hasMinMax && !Number.isNaN(min))
    return isSumKnown
      ? { min, max, sum, count, scale, zeroCount, positive, negative }
      : { min, max, count, scale, zeroCount, positive, negative };
  return isSumKnown
    ? { sum, count, scale, zeroCount, positive, negative }
    : { count, scale, zeroCount, positive, negative };
}

function bucketsOf(row: Float64Array, at: number, range: number, size: number): Buckets {
  const counts = at + ROW_COUNTS + range * size;
  const length = row[at + ROW_RANGES + 2 * range + 1]!;
  // An array that grows by pushing takes five times as long.
  // oxlint-disable-next-line unicorn/no-new-array -- it has the length it will keep
  const bucketCounts = new Array<number>(length);
  for (let i = 0; i < length; i++) bucketCounts[i] = row[counts + i]!;
  return { offset: row[at + ROW_RANGES + 2 * range]!, bucketCounts };
}

/**
 * Writes a data point's value to the row at `at`, which has room for all its buckets. Empty buckets at both
 * ends are cut off.
 */
export function fillExponentialRow(
  row: Float64Array,
  at: number,
  size: number,
  value: ExponentialHistogramValue,
): void {
  row[at + ROW_COUNT] = value.count;
  row[at + ROW_SUM] = value.sum ?? 0;
  row[at + ROW_MIN] = value.min ?? NaN;
  row[at + ROW_MAX] = value.max ?? NaN;
  row[at + ROW_ZERO_COUNT] = value.zeroCount;
  row[at + ROW_SCALE] = value.scale;
  [value.positive, value.negative].forEach(({ offset, bucketCounts }, range) => {
    const head = at + ROW_RANGES + 2 * range;
    const counts = at + ROW_COUNTS + range * size;
    row[head] = offset;
    row[head + 1] = bucketCounts.length;
    row.set(bucketCounts, counts);
    trim(row, head, counts);
  });
}
