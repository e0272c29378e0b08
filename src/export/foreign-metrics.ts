/** Metrics of any OpenTelemetry producer as columns. */
import { millisOf } from '../collect/hr-time.ts';
import * as data from '../collect/metric-data.ts';
import {
  MetricColumn,
  type ColumnScope,
  type MetricColumns,
  type RowLayout,
} from '../collect/rows/column.ts';
import { exponentialLayout, fillExponentialRow } from '../collect/rows/exponential.ts';
import { fillHistogramRow, histogramLayout } from '../collect/rows/histogram.ts';
import { numberLayout } from '../collect/rows/number.ts';

/** What any producer may deliver: temporality and kind are checked, not believed. */
interface AnyMetric {
  readonly descriptor: { readonly name: string; readonly description?: string; readonly unit?: string };
  readonly aggregationTemporality: number;
  readonly dataPointType: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly data.DataPoint<unknown>[];
}

/**
 * The snapshot of any producer as columns. Delta sums and histograms have none: they are left out and told to
 * `onLeftOut`.
 */
export function columnsOf(
  metrics: data.ResourceMetrics,
  onLeftOut: (metric: string, reason: string) => void,
): MetricColumns {
  const columns: MetricColumn[] = [];
  for (const { scope, metrics: ofScope } of metrics.scopeMetrics)
    for (const metric of ofScope as readonly AnyMetric[]) {
      const { name } = metric.descriptor;
      if (
        metric.dataPointType !== data.DATA_POINT_GAUGE &&
        metric.aggregationTemporality !== data.TEMPORALITY_CUMULATIVE
      )
        onLeftOut(name, 'its temporality is delta, and Prometheus needs cumulative metrics');
      else if (metric.dataPointType === data.DATA_POINT_HISTOGRAM)
        columns.push(...histogramColumns(scope, metric));
      else if (metric.dataPointType === data.DATA_POINT_EXPONENTIAL_HISTOGRAM)
        columns.push(...exponentialColumns(scope, metric));
      else if (metric.dataPointType === data.DATA_POINT_GAUGE || metric.dataPointType === data.DATA_POINT_SUM)
        columns.push(numberColumn(scope, metric));
      else onLeftOut(name, 'its data points have a type that this version does not know');
    }
  return { resource: metrics.resource, columns };
}

function columnOf(scope: ColumnScope, metric: AnyMetric, layout: RowLayout): MetricColumn {
  const { name, unit = '', description = '' } = metric.descriptor;
  return new MetricColumn({ scope, name, unit, ...layout }, description);
}

/** Adds a data point's row, whose numbers `fill` writes. */
function addRow<T>(
  column: MetricColumn,
  { value, attributes, startTime, exemplars }: data.DataPoint<T>,
  fill: (row: Float64Array, at: number, value: T) => void,
): void {
  const at = column.open();
  fill(column.values, at, value);
  column.close(attributes, millisOf(startTime), exemplars);
}

function numberColumn(scope: ColumnScope, metric: AnyMetric): MetricColumn {
  const isSum = metric.dataPointType === data.DATA_POINT_SUM;
  const kind = isSum ? (metric.isMonotonic === true ? 'counter' : 'up-down-counter') : 'gauge';
  const column = columnOf(scope, metric, numberLayout(kind));
  for (const point of metric.dataPoints as readonly data.DataPoint<number>[])
    addRow(column, point, (row, at, value) => (row[at] = value));
  return column;
}

/** One column for each set of bounds: data points of one metric may differ in them. */
function histogramColumns(scope: ColumnScope, metric: AnyMetric): MetricColumn[] {
  const columns = new Map<string, MetricColumn>();
  for (const point of metric.dataPoints as readonly data.DataPoint<data.HistogramValue>[]) {
    const { sum, buckets } = point.value;
    const hasSum = sum !== undefined;
    const key = `${hasSum} ${buckets.boundaries.join()}`;
    let column = columns.get(key);
    if (column === undefined)
      columns.set(key, (column = columnOf(scope, metric, histogramLayout(buckets.boundaries, hasSum, true))));
    addRow(column, point, fillHistogramRow);
  }
  return [...columns.values()];
}

/** One column for the points that have a sum, and one for those that have none. */
function exponentialColumns(scope: ColumnScope, metric: AnyMetric): MetricColumn[] {
  const points = metric.dataPoints as readonly data.DataPoint<data.ExponentialHistogramValue>[];
  return [true, false].flatMap((hasSum) => {
    const own = points.filter(({ value }) => (value.sum !== undefined) === hasSum);
    if (own.length === 0) return [];
    const size = own.reduce(
      (max, { value: { positive, negative } }) =>
        Math.max(max, positive.bucketCounts.length, negative.bucketCounts.length),
      0,
    );
    const column = columnOf(scope, metric, exponentialLayout(size, 2, hasSum, true));
    for (const point of own)
      addRow(column, point, (row, at, value) => fillExponentialRow(row, at, size, value));
    return [column];
  });
}
