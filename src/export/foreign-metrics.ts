/** Metrics of any OpenTelemetry producer as columns. */
import { millisOf } from '../collect/hr-time.ts';
import * as D from '../collect/metric-data.ts';
import { fillExponentialRow } from '../collect/rows/exponential-row.ts';
import {
  COLUMN_BUCKETS,
  COLUMN_COUNT,
  COLUMN_SUM,
  MetricColumn,
  type ColumnScope,
  type MetricColumns,
} from '../collect/snapshot/metric-column.ts';

/** What any producer may deliver: temporality and kind are checked, not believed. */
interface AnyMetric {
  readonly descriptor: { readonly name: string; readonly description?: string; readonly unit?: string };
  readonly aggregationTemporality: number;
  readonly dataPointType: number;
  readonly isMonotonic?: boolean;
  readonly dataPoints: readonly D.DataPoint<unknown>[];
}

/** The snapshot of any producer as columns. Delta sums and histograms have none: they are left out and told to `onLeftOut`. */
export function columnsOf(
  metrics: D.ResourceMetrics,
  onLeftOut: (metric: string, reason: string) => void,
): MetricColumns {
  const columns: MetricColumn[] = [];
  for (const { scope, metrics: ofScope } of metrics.scopeMetrics)
    for (const metric of ofScope as readonly AnyMetric[]) {
      const { name } = metric.descriptor;
      if (
        metric.dataPointType !== D.DATA_POINT_GAUGE &&
        metric.aggregationTemporality !== D.TEMPORALITY_CUMULATIVE
      )
        onLeftOut(name, 'its temporality is delta');
      else if (metric.dataPointType === D.DATA_POINT_HISTOGRAM)
        columns.push(...histogramColumns(scope, metric));
      else if (metric.dataPointType === D.DATA_POINT_EXPONENTIAL_HISTOGRAM)
        columns.push(...exponentialColumns(scope, metric));
      else if (metric.dataPointType === D.DATA_POINT_GAUGE || metric.dataPointType === D.DATA_POINT_SUM)
        columns.push(numberColumn(scope, metric));
      else onLeftOut(name, 'its data points are of a type this version does not know');
    }
  return { resource: metrics.resource, columns };
}

function numberColumn(scope: ColumnScope, metric: AnyMetric): MetricColumn {
  const { name, unit = '', description = '' } = metric.descriptor;
  const isSum = metric.dataPointType === D.DATA_POINT_SUM;
  const kind = isSum && metric.isMonotonic === true ? 'counter' : 'gauge';
  const column = new MetricColumn(
    { scope, name, unit, kind, boundaries: [], hasSum: true, isSum },
    description,
  );
  for (const point of metric.dataPoints as readonly D.DataPoint<number>[]) {
    const at = column.open();
    column.values[at] = point.value;
    column.close(point.attributes, millisOf(point.startTime), point.exemplars);
  }
  return column;
}

/** One column for each set of bounds: data points of one metric may differ in them. */
function histogramColumns(scope: ColumnScope, metric: AnyMetric): MetricColumn[] {
  const { name, unit = '', description = '' } = metric.descriptor;
  const columns = new Map<string, MetricColumn>();
  for (const point of metric.dataPoints as readonly D.DataPoint<D.HistogramValue>[]) {
    const { count, sum, buckets } = point.value;
    const hasSum = sum !== undefined;
    const key = `${hasSum} ${buckets.boundaries.join()}`;
    let column = columns.get(key);
    if (column === undefined) {
      const { boundaries } = buckets;
      column = new MetricColumn({ scope, name, unit, kind: 'histogram', boundaries, hasSum }, description);
      columns.set(key, column);
    }
    const at = column.open();
    column.values[at + COLUMN_COUNT] = count;
    column.values[at + COLUMN_SUM] = sum ?? 0;
    column.values.set(buckets.counts, at + COLUMN_BUCKETS);
    column.close(point.attributes, millisOf(point.startTime), point.exemplars);
  }
  return [...columns.values()];
}

/** One column for the points that have a sum, and one for those that have none. */
function exponentialColumns(scope: ColumnScope, metric: AnyMetric): MetricColumn[] {
  const { name, unit = '', description = '' } = metric.descriptor;
  const points = metric.dataPoints as readonly D.DataPoint<D.ExponentialHistogramValue>[];
  const kind = 'exponential-histogram';
  return [true, false].flatMap((hasSum) => {
    const own = points.filter(({ value }) => (value.sum !== undefined) === hasSum);
    if (own.length === 0) return [];
    const size = own.reduce(
      (max, { value: { positive, negative } }) =>
        Math.max(max, positive.bucketCounts.length, negative.bucketCounts.length),
      0,
    );
    const column = new MetricColumn({ scope, name, unit, kind, boundaries: [], size, hasSum }, description);
    for (const { value, attributes, startTime, exemplars } of own) {
      const at = column.open();
      fillExponentialRow(column.values, at, size, value);
      column.close(attributes, millisOf(startTime), exemplars);
    }
    return [column];
  });
}
