import type { HrTime } from '@opentelemetry/api';
import { observedSince } from '../memory/doorbell.ts';
import { isSlabDead, slabStaleBefore } from '../memory/slab.ts';
import * as H from '../state/cells/histogram-cell.ts';
import { LAST_TICK, LAST_VALUE, readLastValueInto } from '../state/cells/last-value-cell.ts';
import { readSumInto } from '../state/cells/sum-cell.ts';
import { isObserved, type Aggregation } from '../state/records.ts';
import type { CellReader, ReadCell } from './cell-reader.ts';
import type { Contribution, MergedSeries, MergedStream } from './merged-stream.ts';
import { COLUMN_BUCKETS, COLUMN_COUNT, COLUMN_SUM, type MetricColumn } from './metric-column.ts';
import { StreamColumn } from './stream-column.ts';
import * as D from './metric-data.ts';
import { hrTimeOf, type StoreReader } from './store-reader.ts';

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

  #fill(filled: StreamColumn, { description }: MergedStream): void {
    const { aggregation, kind } = description;
    const series = filled.begin((one) => one.live || this.#becameLive(one));
    const { column } = filled;
    const read = aggregation.type === 'explicit-bucket-histogram' ? this.#histogramReader(aggregation) : undefined;
    for (const one of series) {
      const at = column.open();
      if (read !== undefined) {
        if (!this.#fillHistogram(one, read, column, at)) continue;
      } else {
        const value =
          aggregation.type === 'last-value'
            ? this.#lastValue(one, isObserved(kind))
            : isObserved(kind)
              ? this.#observedSum(one, aggregation.type === 'sum' && aggregation.monotonic)
              : this.#sum(one);
        if (value === undefined) continue;
        column.values[at] = value;
      }
      column.close(one.attributes, one.start);
    }
  }

  #fillHistogram(series: MergedSeries, read: ReadCell, { values, stride }: MetricColumn, at: number): boolean {
    const buckets = stride - COLUMN_BUCKETS;
    const words = H.histogramCopyWords(buckets);
    values.fill(0, at, at + stride);
    for (const contribution of series.contributions) {
      const copy = this.#read(read, contribution, words);
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
          ? (series: MergedSeries) => this.#observedSum(series, aggregation.monotonic)
          : (series: MergedSeries) => this.#sum(series);
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
          dataPoints: this.#points(stream, endTime, (series) => this.#lastValue(series, isObserved(kind))),
        };
      case 'explicit-bucket-histogram': {
        const read = this.#histogramReader(aggregation);
        return {
          ...base,
          dataPointType: D.DATA_POINT_HISTOGRAM,
          dataPoints: this.#points(stream, endTime, (series) => this.#histogram(series, aggregation, read)),
        };
      }
    }
  }

  #points<T>(
    stream: MergedStream,
    endTime: HrTime,
    valueOf: (series: MergedSeries) => T | undefined,
  ): D.DataPoint<T>[] {
    const points: D.DataPoint<T>[] = [];
    for (const series of stream.series) {
      if (!series.live && !this.#becameLive(series)) continue;
      const value = valueOf(series);
      if (value === undefined) continue;
      points.push({ startTime: series.start, endTime, attributes: series.attributes, value });
    }
    return points;
  }

  /** A cell's version is 0 until its first update; that it comes round to 0 again matters no more once this was true. */
  #becameLive(series: MergedSeries): boolean {
    const { words } = this.#store.region;
    series.live = series.contributions.some(({ cell }) => Atomics.load(words, cell << 1) !== 0);
    return series.live;
  }

  #sum(series: MergedSeries): number | undefined {
    let total = 0;
    for (const contribution of series.contributions) {
      const copy = this.#read(readSumInto, contribution, 1);
      if (copy === undefined) return undefined;
      total += copy[0]!;
    }
    return total;
  }

  /**
   * The sum of what the writers' callbacks observed in their latest rounds; undefined when none observed the series. A dead
   * writer's counters stay, as every total does; what else it observed went with it.
   */
  #observedSum(series: MergedSeries, monotonic: boolean): number | undefined {
    const { region } = this.#store;
    let total: number | undefined;
    for (const contribution of series.contributions) {
      if (!monotonic && this.#isDead(contribution.slab)) continue;
      const copy = this.#read(readLastValueInto, contribution, 2);
      if (copy === undefined) return undefined;
      const tick = copy[LAST_TICK]!;
      if (tick === 0 || tick < observedSince(region, contribution.slab)) continue;
      if (!monotonic && tick <= slabStaleBefore(region, contribution.slab)) continue;
      total = (total ?? 0) + copy[LAST_VALUE]!;
    }
    return total;
  }

  #lastValue(series: MergedSeries, observed: boolean): number | undefined {
    const { region } = this.#store;
    let value: number | undefined;
    let newest = 0;
    for (const contribution of series.contributions) {
      if (this.#isDead(contribution.slab)) continue;
      const copy = this.#read(readLastValueInto, contribution, 2);
      if (copy === undefined) continue;
      const tick = copy[LAST_TICK]!;
      if (tick <= newest || tick <= slabStaleBefore(region, contribution.slab)) continue;
      if (observed && tick < observedSince(region, contribution.slab)) continue;
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

  #histogram(series: MergedSeries, aggregation: HistogramAggregation, read: ReadCell): D.HistogramValue | undefined {
    const { boundaries, recordMinMax, hasSum } = aggregation;
    const buckets = boundaries.length + 1;
    const counts = Array.from<number>({ length: buckets }).fill(0);
    let count = 0;
    let sum = 0;
    let min = Infinity;
    let max = -Infinity;
    for (const contribution of series.contributions) {
      const copy = this.#read(read, contribution, H.histogramCopyWords(buckets));
      if (copy === undefined) return undefined;
      count += copy[H.HISTOGRAM_COUNT]!;
      sum += copy[H.HISTOGRAM_SUM]!;
      min = Math.min(min, copy[H.HISTOGRAM_MIN]!);
      max = Math.max(max, copy[H.HISTOGRAM_MAX]!);
      for (let i = 0; i < buckets; i++) counts[i]! += copy[H.HISTOGRAM_BUCKETS + i]!;
    }
    return {
      ...(recordMinMax && { min, max }),
      ...(hasSum && { sum }),
      count,
      buckets: { boundaries: [...boundaries], counts },
    };
  }

  /**
   * A copy of the cell's state, or what it was when it was last copied. Undefined only for a cell that could not be copied
   * yet: its series is left out once.
   */
  #read(readCell: ReadCell, contribution: Contribution, words: number): Float64Array | undefined {
    if (!this.#cells.read(readCell, this.#store.region, contribution.cell, this.#copy)) {
      contribution.previous ??= new Float64Array(0); // from now on, keep what was read
      return contribution.previous.length === 0 ? undefined : contribution.previous;
    }
    if (contribution.previous !== undefined) contribution.previous = this.#copy.slice(0, words);
    return this.#copy;
  }

  #isDead(slab: number): boolean {
    let dead = this.#deadSlabs.get(slab);
    if (dead === undefined) this.#deadSlabs.set(slab, (dead = isSlabDead(this.#store.region, slab)));
    return dead;
  }
}
