/**
 * Metrics of the metrics, on request: what the reading thread knows of the store and of its own reading. They are in no cell; each
 * is read when a snapshot is taken, and then is a metric like any other.
 *
 * `storeMetrics` lists those there are. A metric more is an entry more in a list that is given to `SelfMetrics`.
 */
import type { Attributes, HrTime } from '@opentelemetry/api';
import { VERSION } from '../base/version.ts';
import type { InstrumentKind } from '../state/records.ts';
import { hrTimeOf, millisOf } from './hr-time.ts';
import { MetricColumn } from './snapshot/metric-column.ts';
import * as D from './metric-data.ts';

export interface SelfPoint {
  readonly value: number;
  readonly attributes?: Attributes;
}

export interface SelfMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  /** `counter` must never fall; `level` is a sum that may; `gauge` is not to be added up. */
  readonly kind: 'counter' | 'level' | 'gauge';
  /** What a counter counts from. */
  readonly start: HrTime;
  /** The points as they are now; no two with equal attributes. */
  readonly read: () => readonly SelfPoint[];
}

const SCOPE = { name: 'seqlock-metrics', version: VERSION, schemaUrl: undefined };
const TYPES = {
  counter: 'OBSERVABLE_COUNTER',
  level: 'OBSERVABLE_UP_DOWN_COUNTER',
  gauge: 'OBSERVABLE_GAUGE',
} as const;
const ALL_CUMULATIVE = (): false => false;
/** Of the API's `ValueType`, which this layer uses as a type only. */
const DOUBLE = 1;
/** Attribute objects kept: more than threads can live at once. */
const MAX_KNOWN = 4096;

/** A list of such metrics as parts of snapshots. Belongs to one reader. */
export class SelfMetrics {
  readonly #metrics: readonly SelfMetric[];
  readonly #columns: readonly MetricColumn[];
  /** One object for equal attributes: a row is known by it from one snapshot to the next. */
  readonly #attributes = new Map<string, Attributes>();
  /** What was told of a metric at the previous collection with delta temporality, by attributes. */
  readonly #told = new Map<SelfMetric, { readonly values: Map<string, number>; readonly endTime: HrTime }>();

  constructor(metrics: readonly SelfMetric[]) {
    this.#metrics = metrics;
    this.#columns = metrics.map(columnOf);
  }

  /** The metrics now, as a scope of a snapshot taken at `endMillis`; of kinds that are `isDelta`, what came since the last call. */
  scopeMetrics(
    endMillis: number,
    isDelta: (kind: InstrumentKind) => boolean = ALL_CUMULATIVE,
  ): D.ScopeMetrics {
    const endTime = hrTimeOf(endMillis);
    const metrics = this.#metrics
      .map((metric) =>
        isDelta(TYPES[metric.kind]) ? this.#changes(metric, endTime) : dataOf(metric, endTime, metric.read()),
      )
      .filter(({ dataPoints }) => dataPoints.length > 0);
    return { scope: SCOPE, metrics };
  }

  #changes(metric: SelfMetric, endTime: HrTime): D.Metric {
    const points = metric.read();
    const told = this.#told.get(metric);
    const values = new Map(points.map(({ value, attributes }) => [JSON.stringify(attributes), value]));
    this.#told.set(metric, { values, endTime });
    const changes = points.map(({ value, attributes }) => ({
      value: metric.kind === 'gauge' ? value : value - (told?.values.get(JSON.stringify(attributes)) ?? 0),
      ...(attributes && { attributes }),
    }));
    const start = told?.endTime ?? metric.start;
    return { ...dataOf({ ...metric, start }, endTime, changes), aggregationTemporality: D.TEMPORALITY_DELTA };
  }

  /** The metrics now, as columns which the next call fills anew. */
  columns(): MetricColumn[] {
    return this.#columns.filter((column, i) => {
      const { read, start } = this.#metrics[i]!;
      column.clear();
      for (const { value, attributes = {} } of read()) {
        const at = column.open();
        column.values[at] = value;
        column.close(this.#same(attributes), millisOf(start));
      }
      return column.rows > 0;
    });
  }

  #same(attributes: Attributes): Attributes {
    const key = JSON.stringify(attributes);
    const known = this.#attributes.get(key) ?? attributes;
    if (this.#attributes.size >= MAX_KNOWN) this.#attributes.clear(); // threads come and go for ever
    this.#attributes.set(key, known);
    return known;
  }
}

function columnOf({ name, unit, kind, description }: SelfMetric): MetricColumn {
  const shown = kind === 'counter' ? 'counter' : 'gauge';
  return new MetricColumn(
    { scope: SCOPE, name, unit, kind: shown, boundaries: [], hasSum: true, isSum: kind !== 'gauge' },
    description,
  );
}

function dataOf(
  { name, description, unit, kind, start }: SelfMetric,
  endTime: HrTime,
  points: readonly SelfPoint[],
): D.Metric {
  const base = {
    descriptor: { name, description, unit, type: TYPES[kind], valueType: DOUBLE },
    aggregationTemporality: D.TEMPORALITY_CUMULATIVE,
    dataPoints: points.map(({ value, attributes = {} }) => ({
      startTime: start,
      endTime,
      attributes,
      value,
    })),
  } as const;
  return kind === 'gauge'
    ? { ...base, dataPointType: D.DATA_POINT_GAUGE }
    : { ...base, dataPointType: D.DATA_POINT_SUM, isMonotonic: kind === 'counter' };
}
