import { observedSince } from '../../memory/doorbell.ts';
import type { Region } from '../../memory/region.ts';
import { isSlabDead, slabStaleBefore, slabThread } from '../../memory/slab.ts';
import * as H from '../../state/cells/histogram-cell.ts';
import * as I from '../../state/cells/interval-histogram-cell.ts';
import { LAST_TICK, LAST_VALUE, readLastValueInto } from '../../state/cells/last-value-cell.ts';
import { readSharedValueInto } from '../../state/cells/shared-value-cell.ts';
import { readSumInto } from '../../state/cells/sum-cell.ts';
import type { Aggregation } from '../../state/records.ts';
import type { CellReading, ReadCell } from './cell-reader.ts';
import {
  ExponentialStreams,
  type CopyCell,
  type ExponentialHistogramAggregation,
  type ExponentialSeries,
} from './exponential-series.ts';
import type { IntervalExtremes } from './interval-extremes.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import { COLUMN_BUCKETS, COLUMN_COUNT, COLUMN_SUM, type MetricColumn } from '../snapshot/metric-column.ts';
import type * as D from '../metric-data.ts';
import { newestOfEachThread, type WriterValue } from './per-writer.ts';
import { sharedValue } from './shared-value.ts';

export type HistogramAggregation = Extract<Aggregation, { type: 'explicit-bucket-histogram' }>;

/** How the two kinds of histogram cells are read that a stream may have, by whether they keep extremes of intervals. */
export interface HistogramReaders {
  readonly plain: ReadCell;
  readonly intervals: ReadCell;
}

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
  readonly #exponentials = new ExponentialStreams();
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

  sum(stream: MergedStream, series: number): number | undefined {
    let total = 0;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#read(readSumInto, stream.cellOf(node), 1);
      if (copy === undefined) return undefined;
      total += copy[0]!;
    }
    return total;
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
      const threadId = slabThread(this.#region, stream.slabOf(node));
      if (copy === undefined || threadId === undefined) continue;
      values.push({ node, threadId, value: copy[LAST_VALUE]!, tick: copy[LAST_TICK]! });
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

  histogramReaders({ boundaries }: HistogramAggregation): HistogramReaders {
    const buckets = boundaries.length + 1;
    this.#reserveCopy(I.intervalHistogramCopyWords(buckets));
    return {
      plain: (words, doubles, at, into) => H.readHistogramInto(words, doubles, at, buckets, into),
      intervals: (words, doubles, at, into) => I.readIntervalHistogramInto(words, doubles, at, buckets, into),
    };
  }

  /** `extremes`: is told what is new in the cells, if given. */
  histogram(
    stream: MergedStream,
    series: number,
    { boundaries, recordMinMax, hasSum }: HistogramAggregation,
    read: HistogramReaders,
    extremes?: IntervalExtremes,
  ): D.HistogramValue | undefined {
    const buckets = boundaries.length + 1;
    const counts: number[] = [];
    for (let i = 0; i < buckets; i++) counts.push(0);
    let count = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#histogramCell(stream, node, read, buckets);
      if (copy === undefined) return undefined;
      count += copy[H.HISTOGRAM_COUNT]!;
      sum += copy[H.HISTOGRAM_SUM]!;
      min = Math.min(min, copy[H.HISTOGRAM_MIN]!);
      max = Math.max(max, copy[H.HISTOGRAM_MAX]!);
      const at = bucketsOf(stream, node);
      for (let i = 0; i < buckets; i++) counts[i]! += copy[at + i]!;
      extremes?.fold(
        series,
        node,
        copy,
        stream.intervalsOf(node) ? I.INTERVAL_HISTOGRAM_EXTREMES : undefined,
      );
    }
    const contents = { boundaries: boundaries.slice(), counts };
    // Written out: putting these objects together by spreading took several times as long as all the rest of a snapshot.
    if (hasSum && recordMinMax) return { min, max, sum, count, buckets: contents };
    if (hasSum) return { sum, count, buckets: contents };
    return recordMinMax ? { min, max, count, buckets: contents } : { count, buckets: contents };
  }

  /** `extremes`: is told what is new in the cells, if given. */
  exponentialHistogram(
    stream: MergedStream,
    series: number,
    aggregation: ExponentialHistogramAggregation,
    extremes?: IntervalExtremes,
  ): D.ExponentialHistogramValue | undefined {
    return this.#exponentialSeries(stream, aggregation).value(series, this.#copyCell, extremes);
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
    read: HistogramReaders,
    { values, stride }: MetricColumn,
    at: number,
  ): boolean {
    const buckets = stride - COLUMN_BUCKETS;
    values.fill(0, at, at + stride);
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = this.#histogramCell(stream, node, read, buckets);
      if (copy === undefined) return false;
      values[at + COLUMN_COUNT]! += copy[H.HISTOGRAM_COUNT]!;
      values[at + COLUMN_SUM]! += copy[H.HISTOGRAM_SUM]!;
      const from = bucketsOf(stream, node);
      for (let i = 0; i < buckets; i++) values[at + COLUMN_BUCKETS + i]! += copy[from + i]!;
    }
    return true;
  }

  #reserveCopy(words: number): void {
    if (this.#copy.length < words) this.#copy = new Float64Array(2 * words);
  }

  #histogramCell(
    stream: MergedStream,
    node: number,
    { plain, intervals }: HistogramReaders,
    buckets: number,
  ): Float64Array | undefined {
    const cell = stream.cellOf(node);
    return stream.intervalsOf(node)
      ? this.#read(intervals, cell, I.intervalHistogramCopyWords(buckets))
      : this.#read(plain, cell, H.histogramCopyWords(buckets));
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

/** Where the bucket counts start in the copy of a contribution's cell. */
function bucketsOf(stream: MergedStream, node: number): number {
  return stream.intervalsOf(node) ? I.INTERVAL_HISTOGRAM_BUCKETS : H.HISTOGRAM_BUCKETS;
}
