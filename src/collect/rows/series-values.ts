import { observedSince } from '../../memory/doorbell.ts';
import type { Region } from '../../memory/region.ts';
import { isSlabDead, slabProcess, slabStaleBefore, slabThread } from '../../memory/slab.ts';
import * as H from '../../state/cells/histogram-cell.ts';
import { noteReported } from '../../state/cells/carried.ts';
import { LAST_TICK, LAST_VALUE, readLastValueInto } from '../../state/cells/last-value-cell.ts';
import { readSharedValueInto } from '../../state/cells/shared-value-cell.ts';
import * as S from '../../state/cells/sum-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import type { CellReading, ReadCell } from './cell-reader.ts';
import {
  ExponentialStreams,
  type CopyCell,
  type ExponentialHistogramAggregation,
  type ExponentialSeries,
} from './exponential-series.ts';
import type { ReaderIntervals } from './intervals.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import { COLUMN_BUCKETS, COLUMN_COUNT, COLUMN_SUM, type MetricColumn } from '../snapshot/metric-column.ts';
import type * as D from '../metric-data.ts';
import { newestOfEachThread, type WriterValue } from './per-writer.ts';
import { sharedValue } from './shared-value.ts';

export type HistogramAggregation = Extract<Aggregation, { type: 'explicit-bucket-histogram' }>;

/**
 * The value of a series now: its cells, read and merged over all writers. Sums and histograms add up, dead writers included; of a gauge,
 * what live writers set counts, merged as its stream says. A cell that cannot be copied in time keeps its previous value and is counted as stale.
 */
export class SeriesValues {
  readonly #region: Region;
  readonly #cells: CellReading;
  #copy = new Float64Array(64);
  readonly #previous = new Map<number, Float64Array | undefined>(); // of cells that could not be copied once
  readonly #deadSlabs = new Map<number, boolean>(); // of the snapshot that is being taken
  readonly #noteReported = (cell: number, version: number): void =>
    noteReported(this.#region.words, cell, version);
  readonly #exponentials = new ExponentialStreams(this.#noteReported);
  readonly #copyCell: CopyCell = (read, cell, words) => this.#read(read, cell, words);
  #stale = 0;

  constructor(region: Region, cells: CellReading) {
    this.#region = region;
    this.#cells = cells;
  }

  /** Call at the start of a snapshot. */
  begin(): void {
    this.#deadSlabs.clear();
  }

  /** Cells so far that could not be copied: what is read while this grows is not of now. */
  get stale(): number {
    return this.#stale;
  }

  /**
   * `intervals`: notes what is new in the cells, if given and if totals are such that differences of them
   * lack digits.
   */
  sum(stream: MergedStream, series: number, intervals?: ReaderIntervals): number | undefined {
    const read = intervals === undefined ? S.readSumInto : S.readSumAndIntervalInto;
    let total = 0;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#read(read, stream.cellOf(node), S.SUM_COPY_WORDS);
      if (copy === undefined) return undefined;
      total += copy[S.SUM_TOTAL]!;
      if (intervals !== undefined) this.#noteSum(stream, series, node, copy, intervals);
    }
    return total;
  }

  #noteSum(
    stream: MergedStream,
    series: number,
    node: number,
    copy: Float64Array,
    intervals: ReaderIntervals,
  ): void {
    if (!intervals.isStarted) {
      if (Number.isSafeInteger(copy[S.SUM_TOTAL])) return; // differences are exact
      intervals.start(stream.nodes);
    }
    const version = copy[S.SUM_VERSION]!;
    const interval = { since: copy[S.SUM_SINCE]!, version, sum: copy[S.SUM_INTERVAL]!, min: 0, max: 0 };
    if (intervals.note(series, node, interval, interval)) this.#noteReported(stream.cellOf(node), version);
  }

  /**
   * The sum of what the writers' callbacks observed in their latest rounds; undefined when none observed the series. A dead
   * writer's counters stay, as every total does; what else it observed went with it.
   */
  observedSum(stream: MergedStream, series: number, monotonic: boolean): number | undefined {
    let total: number | undefined;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const value = this.#observed(stream, node, monotonic);
      if (Number.isNaN(value)) return undefined;
      if (value !== undefined) total = (total ?? 0) + value;
    }
    return total;
  }

  /** The same sum of `changeOf` each writer's value. One that could not be copied is not asked for: its change comes next time. */
  observedChange(
    stream: MergedStream,
    series: number,
    monotonic: boolean,
    changeOf: (node: number, value: number) => number,
  ): number | undefined {
    let total: number | undefined;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const value = this.#observed(stream, node, monotonic);
      if (value !== undefined && !Number.isNaN(value)) total = (total ?? 0) + changeOf(node, value);
    }
    return total;
  }

  /** What one writer observed in its latest round; undefined when nothing, NaN when the cell could not be copied. */
  #observed(stream: MergedStream, node: number, monotonic: boolean): number | undefined {
    const region = this.#region;
    const slab = stream.slabOf(node);
    if (!monotonic && this.#isDead(slab)) return undefined;
    const copy = this.#read(readLastValueInto, stream.cellOf(node), 2);
    if (copy === undefined) return NaN;
    const tick = copy[LAST_TICK]!;
    if (tick === 0 || tick < observedSince(region, slab)) return undefined;
    if (!monotonic && tick <= slabStaleBefore(region, slab)) return undefined;
    return copy[LAST_VALUE]!;
  }

  /** What live writers set last, merged as the stream says; of a `per-writer` stream the newest. Undefined when there is none. */
  lastValue(stream: MergedStream, series: number, observed: boolean): number | undefined {
    const { merge } = stream.description;
    if (merge === 'shared')
      return sharedValue(stream, series, (cell) => this.#read(readSharedValueInto, cell, 2));
    let value: number | undefined;
    let newest = 0;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#current(stream, node, observed);
      if (copy === undefined) continue;
      const one = copy[LAST_VALUE]!;
      const tick = copy[LAST_TICK]!;
      if (value === undefined) value = one;
      else if (merge === 'sum') value += one;
      else if (merge === 'min') value = Math.min(value, one);
      else if (merge === 'max') value = Math.max(value, one);
      else if (tick > newest) value = one;
      newest = Math.max(newest, tick);
    }
    return value;
  }

  /** What each live writer set last. */
  writerValues(stream: MergedStream, series: number, observed: boolean): WriterValue[] {
    const values: WriterValue[] = [];
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#current(stream, node, observed);
      const slab = stream.slabOf(node);
      const threadId = slabThread(this.#region, slab);
      if (copy === undefined || threadId === undefined) continue;
      const processId = slabProcess(this.#region, slab);
      values.push({ node, threadId, processId, value: copy[LAST_VALUE]!, tick: copy[LAST_TICK]! });
    }
    return newestOfEachThread(values);
  }

  /** A writer's gauge cell; undefined when the writer is dead, or has not set it (or not observed it in its latest round). */
  #current(stream: MergedStream, node: number, observed: boolean): Float64Array | undefined {
    const slab = stream.slabOf(node);
    if (this.#isDead(slab)) return undefined;
    const copy = this.#read(readLastValueInto, stream.cellOf(node), 2);
    if (copy === undefined) return undefined;
    const tick = copy[LAST_TICK]!;
    if (tick === 0 || tick <= slabStaleBefore(this.#region, slab)) return undefined;
    return observed && tick < observedSince(this.#region, slab) ? undefined : copy;
  }

  /** `withIntervals`: for `histogram`, where it is given intervals. */
  histogramReader({ boundaries }: HistogramAggregation, withIntervals: boolean = false): ReadCell {
    const buckets = boundaries.length + 1;
    this.#reserveCopy(H.histogramCopyWords(buckets));
    return withIntervals
      ? (words, doubles, at, into) => H.readHistogramAndIntervalInto(words, doubles, at, buckets, into)
      : (words, doubles, at, into) => H.readHistogramInto(words, doubles, at, buckets, into);
  }

  /** `intervals`: notes what is new in the cells, if given. */
  histogram(
    stream: MergedStream,
    series: number,
    { boundaries, recordMinMax, hasSum }: HistogramAggregation,
    read: ReadCell,
    intervals?: ReaderIntervals,
  ): D.HistogramValue | undefined {
    const buckets = boundaries.length + 1;
    const counts: number[] = [];
    for (let i = 0; i < buckets; i++) counts.push(0);
    let count = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#read(read, stream.cellOf(node), H.histogramCopyWords(buckets));
      if (copy === undefined) return undefined;
      count += copy[H.HISTOGRAM_COUNT]!;
      sum += copy[H.HISTOGRAM_SUM]!;
      min = Math.min(min, copy[H.HISTOGRAM_MIN]!);
      max = Math.max(max, copy[H.HISTOGRAM_MAX]!);
      for (let i = 0; i < buckets; i++) counts[i]! += copy[H.HISTOGRAM_BUCKETS + i]!;
      if (intervals !== undefined) this.#noteHistogram(stream, series, node, copy, buckets, intervals);
    }
    const contents = { boundaries: boundaries.slice(), counts };
    // Written out: putting these objects together by spreading took several times as long as all the rest of a snapshot.
    if (hasSum && recordMinMax) return { min, max, sum, count, buckets: contents };
    if (hasSum) return { sum, count, buckets: contents };
    return recordMinMax ? { min, max, count, buckets: contents } : { count, buckets: contents };
  }

  #noteHistogram(
    stream: MergedStream,
    series: number,
    node: number,
    copy: Float64Array,
    buckets: number,
    intervals: ReaderIntervals,
  ): void {
    const at = H.HISTOGRAM_BUCKETS + buckets;
    const fields = at + H.HISTOGRAM_INTERVAL;
    const version = copy[at + H.HISTOGRAM_VERSION]!;
    const interval = {
      since: copy[at + H.HISTOGRAM_SINCE]!,
      version,
      sum: copy[fields]!,
      min: copy[fields + 1]!,
      max: copy[fields + 2]!,
    };
    const total = { min: copy[H.HISTOGRAM_MIN]!, max: copy[H.HISTOGRAM_MAX]! };
    if (intervals.note(series, node, interval, total)) this.#noteReported(stream.cellOf(node), version);
  }

  /** `intervals`: notes what is new in the cells, if given. */
  exponentialHistogram(
    stream: MergedStream,
    series: number,
    aggregation: ExponentialHistogramAggregation,
    intervals?: ReaderIntervals,
  ): D.ExponentialHistogramValue | undefined {
    return this.#exponentialSeries(stream, aggregation).value(series, this.#copyCell, intervals);
  }

  /** Of the series read last, what is new in it; see `ExponentialSeries.interval`. */
  exponentialInterval(
    stream: MergedStream,
    aggregation: ExponentialHistogramAggregation,
  ): D.ExponentialHistogramValue | undefined {
    return this.#exponentialSeries(stream, aggregation).interval();
  }

  /** Fills the row at `at` (exponential-row.ts); false when a cell could not be copied yet. */
  fillExponentialHistogram(
    stream: MergedStream,
    series: number,
    aggregation: ExponentialHistogramAggregation,
    row: Float64Array,
    at: number,
  ): boolean {
    return this.#exponentialSeries(stream, aggregation).fill(series, this.#copyCell, row, at);
  }

  #exponentialSeries(stream: MergedStream, aggregation: ExponentialHistogramAggregation): ExponentialSeries {
    const merged = this.#exponentials.of(stream, aggregation);
    this.#reserveCopy(merged.copyWords);
    return merged;
  }

  /** Fills a row of a column; false when a cell could not be copied yet. */
  fillHistogram(
    stream: MergedStream,
    series: number,
    read: ReadCell,
    { values, stride }: MetricColumn,
    at: number,
  ): boolean {
    const buckets = stride - COLUMN_BUCKETS;
    values.fill(0, at, at + stride);
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#read(read, stream.cellOf(node), H.histogramCopyWords(buckets));
      if (copy === undefined) return false;
      values[at + COLUMN_COUNT]! += copy[H.HISTOGRAM_COUNT]!;
      values[at + COLUMN_SUM]! += copy[H.HISTOGRAM_SUM]!;
      for (let i = 0; i < buckets; i++) values[at + COLUMN_BUCKETS + i]! += copy[H.HISTOGRAM_BUCKETS + i]!;
    }
    return true;
  }

  #reserveCopy(words: number): void {
    if (this.#copy.length < words) this.#copy = new Float64Array(2 * words);
  }

  /**
   * A copy of the cell's state, or what it was when it was last copied. Undefined only for a cell that could not be copied
   * yet: its series is left out once.
   */
  #read(readCell: ReadCell, cell: number, words: number): Float64Array | undefined {
    if (!this.#cells.read(readCell, this.#region, cell, this.#copy)) {
      // Too busy to be copied: from now on, keep what was read of this cell.
      this.#stale++;
      if (!this.#previous.has(cell)) this.#previous.set(cell, undefined);
      return this.#previous.get(cell);
    }
    if (this.#previous.size > 0 && this.#previous.has(cell))
      this.#previous.set(cell, this.#copy.slice(0, words));
    return this.#copy;
  }

  #isDead(slab: number): boolean {
    let dead = this.#deadSlabs.get(slab);
    if (dead === undefined) this.#deadSlabs.set(slab, (dead = isSlabDead(this.#region, slab)));
    return dead;
  }
}
