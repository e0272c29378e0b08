/**
 * Turns columns into metrics of OpenTelemetry's official readers and exporters: plain objects, plain arrays,
 * plain numbers.
 */
import type { HrTime } from '@opentelemetry/api';
import { hrTimeOf, HrTimes } from '../collect/hr-time.ts';
import * as data from '../collect/metric-data.ts';
import type { MetricSink } from '../collect/metric-source.ts';
import type { ColumnKind, MetricColumn } from '../collect/rows/column.ts';
import { exponentialValueOf } from '../collect/rows/exponential.ts';
import { histogramValueOf } from '../collect/rows/histogram.ts';

/** Values of the API's `ValueType`, which this layer uses as a type only. */
const INT = 0;
const DOUBLE = 1;

/** How the data points of a column are made. */
interface PointType {
  /** What is said of the metric. */
  readonly metric:
    | Pick<data.SumMetric, 'dataPointType' | 'isMonotonic'>
    | Pick<data.GaugeMetric | data.HistogramMetric | data.ExponentialHistogramMetric, 'dataPointType'>;
  valueOf(column: MetricColumn, row: number): number | data.HistogramValue | data.ExponentialHistogramValue;
}

const numberOf = ({ values }: MetricColumn, row: number): number => values[row]!;

const POINT_TYPES: Readonly<Record<ColumnKind, PointType>> = {
  counter: { metric: { dataPointType: data.DATA_POINT_SUM, isMonotonic: true }, valueOf: numberOf },
  'up-down-counter': {
    metric: { dataPointType: data.DATA_POINT_SUM, isMonotonic: false },
    valueOf: numberOf,
  },
  gauge: { metric: { dataPointType: data.DATA_POINT_GAUGE }, valueOf: numberOf },
  histogram: {
    metric: { dataPointType: data.DATA_POINT_HISTOGRAM },
    valueOf: ({ values, stride, description }, row) => histogramValueOf(values, row * stride, description),
  },
  'exponential-histogram': {
    metric: { dataPointType: data.DATA_POINT_EXPONENTIAL_HISTOGRAM },
    valueOf: ({ values, stride, description }, row) => exponentialValueOf(values, row * stride, description),
  },
};

type Point = data.DataPoint<ReturnType<PointType['valueOf']>>;

/**
 * Makes the metrics of snapshots from rows, one snapshot after the other. A caller that takes snapshots keeps
 * it: the engine forgets what it learned of an object's form when the last object of that form dies.
 */
export class DataPoints implements MetricSink<data.ResourceMetrics> {
  readonly #starts = new HrTimes();
  #scopeMetrics: data.ScopeMetrics[] = [];
  #column: MetricColumn | undefined; // whose points these are
  #points: Point[] = [];
  #endMillis = NaN;
  #endTime: HrTime = [0, 0];

  /** Ends a snapshot: the metrics that were made of the rows since the last call. */
  end(resource: data.Resource): data.ResourceMetrics {
    const scopeMetrics = this.#scopeMetrics;
    this.#scopeMetrics = [];
    this.#column = undefined;
    this.#points = [];
    this.#endMillis = NaN;
    return { resource, scopeMetrics };
  }

  /** Adds the rows of a column. When the same column comes again, it has further rows of the same metric. */
  add(column: MetricColumn, endMillis: number): void {
    if (column !== this.#column) this.#begin(column);
    const type = POINT_TYPES[column.description.kind];
    if (endMillis !== this.#endMillis) this.#endTime = hrTimeOf(endMillis);
    this.#endMillis = endMillis;
    const endTime = this.#endTime;
    const { rows, starts, exemplars } = column;
    for (let row = 0; row < rows; row++) {
      const startTime = this.#starts.of(starts[row]!);
      const attributes = column.attributes[row]!;
      const value = type.valueOf(column, row);
      const own = exemplars?.get(row);
      this.#points.push(
        own === undefined
          ? { startTime, endTime, attributes, value }
          : { startTime, endTime, attributes, value, exemplars: own },
      );
    }
  }

  #begin(column: MetricColumn): void {
    const { scope, name, unit, kind, instrument, integer, isDelta } = column.description;
    this.#column = column;
    this.#points = [];
    const metric = {
      descriptor: {
        name,
        description: column.text,
        unit,
        type: instrument!,
        valueType: integer === true ? INT : DOUBLE,
      },
      aggregationTemporality: isDelta === true ? data.TEMPORALITY_DELTA : data.TEMPORALITY_CUMULATIVE,
      ...POINT_TYPES[kind].metric,
      dataPoints: this.#points,
    } as data.Metric;
    const last = this.#scopeMetrics.at(-1);
    if (last?.scope === scope) last.metrics.push(metric);
    else this.#scopeMetrics.push({ scope: scope as data.ScopeMetrics['scope'], metrics: [metric] });
  }
}
