import type { HrTime } from '@opentelemetry/api';
import { isObserved, type InstrumentKind } from '../../state/records.ts';
import type { CellReader } from '../rows/cell-reader.ts';
import { ColumnSnapshot } from './column-snapshot.ts';
import type { DeltaStream } from './delta-stream.ts';
import { Deltas } from './deltas.ts';
import { hrTimeOf, HrTimes } from '../hr-time.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { MetricColumn } from './metric-column.ts';
import * as D from '../metric-data.ts';
import { ResetWatch } from './reset-watch.ts';
import { exemplarsOf } from './series-exemplars.ts';
import { SeriesValues } from '../rows/series-values.ts';
import type { StoreReader } from '../directory/store-reader.ts';
import { StreamSelection } from '../directory/stream-selection.ts';
import { WriterGauges } from '../rows/writer-gauges.ts';

/** Values of the API's `ValueType`, which this layer uses as a type only. */
const INT = 0;
const DOUBLE = 1;

const ALL_CUMULATIVE = (): false => false;

/** What points are made of: a stream, the moment, and for delta temporality what the reader was told before. */
interface Taken {
  readonly stream: MergedStream;
  readonly endMillis: number;
  readonly delta: DeltaStream | undefined;
}

/**
 * Takes snapshots of a store for one reader. Each cell is read whole, in no common instant with other cells; see `SeriesValues`.
 * Only `take` with delta temporality remembers anything of what it handed over.
 */
export class Snapshots {
  /** What `take` handed over of streams with delta temporality. */
  readonly deltas: Deltas = new Deltas();
  readonly #store: StoreReader;
  readonly #cells: CellReader;
  readonly #values: SeriesValues;
  readonly #selection: StreamSelection;
  readonly #columns: ColumnSnapshot;
  readonly #writers: WriterGauges;
  readonly #resets = new Map<MergedStream, ResetWatch>();
  readonly #starts = new HrTimes();

  constructor(
    store: StoreReader,
    cells: CellReader,
    selection: StreamSelection = new StreamSelection(store),
  ) {
    this.#store = store;
    this.#cells = cells;
    this.#values = new SeriesValues(store.region, cells);
    this.#writers = new WriterGauges(this.#values);
    this.#columns = new ColumnSnapshot({
      region: store.region,
      values: this.#values,
      writers: this.#writers,
    });
    this.#selection = selection;
  }

  /** All that the store holds now; of streams whose kind `isDelta`, what came since the last call. Synchronous. */
  take(isDelta: (kind: InstrumentKind) => boolean = ALL_CUMULATIVE): D.ScopeMetrics[] {
    this.#begin();
    const endMillis = this.#store.region.takeTime();
    const scopeMetrics: D.ScopeMetrics[] = [];
    for (const { scope, streams } of this.#store.scopes) {
      const metrics = this.#selection
        .of(streams)
        .map((stream) => {
          const told = (delta: DeltaStream): void => void this.#metric({ stream, endMillis, delta });
          const delta = isDelta(stream.description.kind) ? this.deltas.of(stream, told) : undefined;
          return this.#metric({ stream, endMillis, delta });
        })
        .filter((metric) => metric.dataPoints.length > 0);
      if (metrics.length > 0) scopeMetrics.push({ scope, metrics });
    }
    this.#cells.end();
    return scopeMetrics;
  }

  /** `take`, cumulative, as columns that the next call fills anew. Makes no objects for series it has seen before. */
  takeColumns(): readonly MetricColumn[] {
    this.beginColumns();
    return this.fillColumns(Infinity)!;
  }

  /** Begins what `takeColumns` does at once; see `ColumnSnapshot`. */
  beginColumns(): void {
    this.#begin();
    this.#columns.begin(this.#store.scopes.flatMap(({ streams }) => this.#selection.of(streams)));
    this.#cells.end();
  }

  /** Goes on until `performance.now()` is past `until`; the columns, or undefined when there is more to be done. */
  fillColumns(until: number): readonly MetricColumn[] | undefined {
    this.#cells.resume();
    const columns = this.#columns.fill(until);
    this.#cells.end();
    return columns;
  }

  #begin(): void {
    this.#cells.begin();
    this.#store.refresh();
    this.#values.begin();
    if (this.#store.hasExemplars) this.#store.region.noteCollection();
  }

  /** Undefined where a total that falls means nothing. */
  #resetsOf(stream: MergedStream): ResetWatch | undefined {
    const { aggregation, kind } = stream.description;
    if (aggregation.type !== 'sum' || !aggregation.monotonic || !isObserved(kind)) return undefined;
    let resets = this.#resets.get(stream);
    if (resets === undefined) this.#resets.set(stream, (resets = new ResetWatch()));
    return resets;
  }

  #metric(taken: Taken): D.Metric {
    const { stream, delta } = taken;
    const { name, unit, kind, integer, aggregation } = stream.description;
    const values = this.#values;
    const base = {
      descriptor: { name, description: stream.text, unit, type: kind, valueType: integer ? INT : DOUBLE },
      aggregationTemporality: delta === undefined ? D.TEMPORALITY_CUMULATIVE : D.TEMPORALITY_DELTA,
    } as const;
    const intervals = delta?.intervals;
    switch (aggregation.type) {
      case 'sum': {
        const { monotonic } = aggregation;
        const dataPoints = !isObserved(kind)
          ? this.#points(
              taken,
              (series) => values.sum(stream, series, intervals),
              (told, series, total) => told.sum(series, total, monotonic),
            )
          : delta === undefined
            ? this.#points(taken, (series) => values.observedSum(stream, series, monotonic))
            : this.#points(taken, (series) =>
                values.observedChange(stream, series, monotonic, (node, value) =>
                  delta.sum(node, value, monotonic),
                ),
              );
        return { ...base, dataPointType: D.DATA_POINT_SUM, isMonotonic: monotonic, dataPoints };
      }
      case 'last-value':
        return {
          ...base,
          dataPointType: D.DATA_POINT_GAUGE,
          dataPoints:
            stream.description.merge === 'per-writer'
              ? this.#writers.points(stream, hrTimeOf(taken.endMillis), this.#store.region.words)
              : this.#points(taken, (series) => values.lastValue(stream, series, isObserved(kind))),
        };
      case 'explicit-bucket-histogram': {
        const read = values.histogramReader(aggregation, intervals !== undefined);
        return {
          ...base,
          dataPointType: D.DATA_POINT_HISTOGRAM,
          dataPoints: this.#points(
            taken,
            (series) => values.histogram(stream, series, aggregation, read, intervals),
            (told, series, value) => told.histogram(series, value),
          ),
        };
      }
      case 'exponential-histogram':
        return {
          ...base,
          dataPointType: D.DATA_POINT_EXPONENTIAL_HISTOGRAM,
          dataPoints: this.#points(
            taken,
            (series) => values.exponentialHistogram(stream, series, aggregation, intervals),
            (told, series, value) =>
              told.exponentialHistogram(series, value, () => values.exponentialInterval(stream, aggregation)),
          ),
        };
    }
  }

  /** `valueOf` a series now; `changeOf` it since the reader was told, where that is not the value itself. */
  #points<T>(
    taken: Taken,
    valueOf: (series: number) => T | undefined,
    changeOf?: (told: DeltaStream, series: number, value: T) => T | undefined,
  ): D.DataPoint<T>[] {
    const { stream, endMillis, delta } = taken;
    if (delta !== undefined) return this.#changes(taken, delta, valueOf, changeOf);
    const points: D.DataPoint<T>[] = [];
    const endTime = hrTimeOf(endMillis);
    const { words } = this.#store.region;
    const resets = this.#resetsOf(stream);
    resets?.begin(endMillis);
    for (let series = 0; series < stream.size; series++) {
      if (!stream.isLive(series, words)) continue;
      const value = valueOf(series);
      if (value === undefined) continue;
      const start = this.#starts.of(stream.startOf(series));
      const started = resets === undefined ? start : resets.startOf(series, value as number, start);
      points.push(this.#point(stream, series, started, endTime, value));
    }
    return points;
  }

  /** With exemplars that were made in the point's time, if there are any. */
  #point<T>(
    stream: MergedStream,
    series: number,
    startTime: HrTime,
    endTime: HrTime,
    value: T,
  ): D.DataPoint<T> {
    const attributes = stream.attributes[series]!;
    const exemplars = exemplarsOf(stream, series, this.#store.region, startTime);
    return exemplars === undefined
      ? { startTime, endTime, attributes, value }
      : { startTime, endTime, attributes, value, exemplars };
  }

  /** Of series that were updated (or observed) since the previous collection. */
  #changes<T>(
    { stream, endMillis }: Taken,
    delta: DeltaStream,
    valueOf: (series: number) => T | undefined,
    changeOf?: (told: DeltaStream, series: number, value: T) => T | undefined,
  ): D.DataPoint<T>[] {
    const points: D.DataPoint<T>[] = [];
    const startTime = hrTimeOf(delta.begin(endMillis));
    const endTime = hrTimeOf(endMillis);
    const observed = isObserved(stream.description.kind);
    const { words } = this.#store.region;
    for (let series = 0; series < stream.size; series++) {
      const updates = observed ? 0 : stream.updatesOf(series, words); // before the cells are read: at worst too few
      if (!observed && !delta.isUpdated(series, updates)) continue;
      const { stale } = this.#values;
      const value = valueOf(series);
      // What could not be copied now is told next time.
      if (value === undefined || (!observed && this.#values.stale !== stale)) continue;
      if (!observed) delta.report(series, updates);
      const change = changeOf === undefined ? value : changeOf(delta, series, value);
      if (change === undefined) continue;
      points.push(this.#point(stream, series, startTime, endTime, change));
    }
    return points;
  }
}
