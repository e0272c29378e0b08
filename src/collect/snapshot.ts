import type { HrTime } from '@opentelemetry/api';
import { observedSince } from '../memory/doorbell.ts';
import { isSlabDead, slabStaleBefore } from '../memory/slab.ts';
import * as H from '../state/cells/histogram-cell.ts';
import { LAST_TICK, LAST_VALUE, readLastValueInto } from '../state/cells/last-value-cell.ts';
import { readSumInto } from '../state/cells/sum-cell.ts';
import { isObserved, type Aggregation } from '../state/records.ts';
import type { CellReader, ReadCell } from './cell-reader.ts';
import { NONE, type MergedStream } from './merged-stream.ts';
import { COLUMN_BUCKETS, COLUMN_COUNT, COLUMN_SUM, type MetricColumn } from './metric-column.ts';
import * as D from './metric-data.ts';
import { hrTimeOf, type StoreReader } from './store-reader.ts';
import { StreamColumn } from './stream-column.ts';

type HistogramAggregation = Extract<Aggregation, { type: 'explicit-bucket-histogram' }>;

/** Values of the API's `ValueType`, which this layer uses as a type only. */
const INT = 0;
const DOUBLE = 1;

/**
 * Takes snapshots of a store. Each cell is read whole, in no common instant with other cells. Sums and histograms add up
 * over all writers, dead ones included; a gauge is the value set last by a live writer. What cannot be copied in time keeps
 * its previous value and is counted as stale.
 */
export class Snapshots {
  readonly #store: StoreReader;
  readonly #cells: CellReader;
  #copy = new Float64Array(64);
  readonly #previous = new Map<number, Float64Array | undefined>(); // of cells that could not be copied once
  readonly #columns = new Map<MergedStream, StreamColumn>();
  readonly #deadSlabs = new Map<number, boolean>(); // of the snapshot that is being taken

  constructor(store: StoreReader, cells: CellReader) {
    this.#store = store;
    this.#cells = cells;
  }

  /** All that the store holds now. Synchronous. */
  take(): D.ScopeMetrics[] {
    this.#cells.begin();
    this.#store.refresh();
    this.#deadSlabs.clear();
    const endTime = hrTimeOf(Date.now());
    const scopeMetrics: D.ScopeMetrics[] = [];
    for (const { scope, streams } of this.#store.scopes) {
      const metrics = streams
        .map((stream) => this.#metric(stream, endTime))
        .filter((metric) => metric.dataPoints.length > 0);
      if (metrics.length > 0) scopeMetrics.push({ scope, metrics });
    }
    this.#cells.end();
    return scopeMetrics;
  }

  /** `take`, as columns that the next call fills anew. Makes no objects for series it has seen before. */
  takeColumns(): MetricColumn[] {
    this.#cells.begin();
    this.#store.refresh();
    this.#deadSlabs.clear();
    const columns: MetricColumn[] = [];
    for (const { streams } of this.#store.scopes)
      for (const stream of streams) {
        let filled = this.#columns.get(stream);
        if (filled === undefined) this.#columns.set(stream, (filled = new StreamColumn(stream)));
        this.#fill(filled, stream);
        if (filled.column.rows > 0) columns.push(filled.column);
      }
    this.#cells.end();
    return columns;
  }

  #fill(filled: StreamColumn, stream: MergedStream): void {
    const { aggregation, kind } = stream.description;
    const { column } = filled;
    const isHistogram = aggregation.type === 'explicit-bucket-histogram';
    const read = isHistogram ? this.#histogramReader(aggregation) : undefined;
    for (const series of filled.begin(this.#store.region.words)) {
      const at = column.open();
      if (read !== undefined) {
        if (!this.#fillHistogram(stream, series, read, column, at)) continue;
      } else {
        const value =
          aggregation.type === 'last-value'
            ? this.#lastValue(stream, series, isObserved(kind))
            : isObserved(kind)
              ? this.#observedSum(stream, series, aggregation.type === 'sum' && aggregation.monotonic)
              : this.#sum(stream, series);
        if (value === undefined) continue;
        column.values[at] = value;
      }
      column.close(stream.attributes[series]!, stream.starts[series]!);
    }
  }

  #fillHistogram(
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

  #metric(stream: MergedStream, endTime: HrTime): D.Metric {
    const { name, unit, kind, integer, aggregation } = stream.description;
    const base = {
      descriptor: { name, description: stream.text, unit, type: kind, valueType: integer ? INT : DOUBLE },
      aggregationTemporality: D.TEMPORALITY_CUMULATIVE,
    } as const;
    switch (aggregation.type) {
      case 'sum': {
        const sum = isObserved(kind)
          ? (series: number) => this.#observedSum(stream, series, aggregation.monotonic)
          : (series: number) => this.#sum(stream, series);
        return {
          ...base,
          dataPointType: D.DATA_POINT_SUM,
          isMonotonic: aggregation.monotonic,
          dataPoints: this.#points(stream, endTime, sum),
        };
      }
      case 'last-value':
        return {
          ...base,
          dataPointType: D.DATA_POINT_GAUGE,
          dataPoints: this.#points(stream, endTime, (series) =>
            this.#lastValue(stream, series, isObserved(kind)),
          ),
        };
      case 'explicit-bucket-histogram': {
        const read = this.#histogramReader(aggregation);
        return {
          ...base,
          dataPointType: D.DATA_POINT_HISTOGRAM,
          dataPoints: this.#points(stream, endTime, (series) =>
            this.#histogram(stream, series, aggregation, read),
          ),
        };
      }
    }
  }

  #points<T>(
    stream: MergedStream,
    endTime: HrTime,
    valueOf: (series: number) => T | undefined,
  ): D.DataPoint<T>[] {
    const points: D.DataPoint<T>[] = [];
    const { words } = this.#store.region;
    for (let series = 0; series < stream.size; series++) {
      if (!stream.isLive(series, words)) continue;
      const value = valueOf(series);
      if (value === undefined) continue;
      points.push({
        startTime: stream.starts[series]!,
        endTime,
        attributes: stream.attributes[series]!,
        value,
      });
    }
    return points;
  }

  #sum(stream: MergedStream, series: number): number | undefined {
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
  #observedSum(stream: MergedStream, series: number, monotonic: boolean): number | undefined {
    const { region } = this.#store;
    let total: number | undefined;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const slab = stream.slabOf(node);
      if (!monotonic && this.#isDead(slab)) continue;
      const copy = this.#read(readLastValueInto, stream.cellOf(node), 2);
      if (copy === undefined) return undefined;
      const tick = copy[LAST_TICK]!;
      if (tick === 0 || tick < observedSince(region, slab)) continue;
      if (!monotonic && tick <= slabStaleBefore(region, slab)) continue;
      total = (total ?? 0) + copy[LAST_VALUE]!;
    }
    return total;
  }

  #lastValue(stream: MergedStream, series: number, observed: boolean): number | undefined {
    const { region } = this.#store;
    let value: number | undefined;
    let newest = 0;
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const slab = stream.slabOf(node);
      if (this.#isDead(slab)) continue;
      const copy = this.#read(readLastValueInto, stream.cellOf(node), 2);
      if (copy === undefined) continue;
      const tick = copy[LAST_TICK]!;
      if (tick <= newest || tick <= slabStaleBefore(region, slab)) continue;
      if (observed && tick < observedSince(region, slab)) continue;
      newest = tick;
      value = copy[LAST_VALUE]!;
    }
    return value;
  }

  #histogramReader({ boundaries }: HistogramAggregation): ReadCell {
    const buckets = boundaries.length + 1;
    if (this.#copy.length < H.histogramCopyWords(buckets))
      this.#copy = new Float64Array(2 * H.histogramCopyWords(buckets));
    return (words, doubles, at, into) => H.readHistogramInto(words, doubles, at, buckets, into);
  }

  #histogram(
    stream: MergedStream,
    series: number,
    { boundaries, recordMinMax, hasSum }: HistogramAggregation,
    read: ReadCell,
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
    }
    const contents = { boundaries: boundaries.slice(), counts };
    // Written out: putting these objects together by spreading took several times as long as all the rest of a snapshot.
    if (hasSum && recordMinMax) return { min, max, sum, count, buckets: contents };
    if (hasSum) return { sum, count, buckets: contents };
    return recordMinMax ? { min, max, count, buckets: contents } : { count, buckets: contents };
  }

  /**
   * A copy of the cell's state, or what it was when it was last copied. Undefined only for a cell that could not be copied
   * yet: its series is left out once.
   */
  #read(readCell: ReadCell, cell: number, words: number): Float64Array | undefined {
    if (!this.#cells.read(readCell, this.#store.region, cell, this.#copy)) {
      // Too busy to be copied: from now on, keep what was read of this cell.
      if (!this.#previous.has(cell)) this.#previous.set(cell, undefined);
      return this.#previous.get(cell);
    }
    if (this.#previous.size > 0 && this.#previous.has(cell))
      this.#previous.set(cell, this.#copy.slice(0, words));
    return this.#copy;
  }

  #isDead(slab: number): boolean {
    let dead = this.#deadSlabs.get(slab);
    if (dead === undefined) this.#deadSlabs.set(slab, (dead = isSlabDead(this.#store.region, slab)));
    return dead;
  }
}
