import type { MergedStream } from '../collect/directory/merged-stream.ts';
import type { SeriesRows } from '../collect/rows/series-rows.ts';
import type { JsonMetric } from './aggregators.ts';
import { bucketValues } from './histogram.ts';
import type { Labels } from './label-series.ts';
import { aggregatorOf, percentilesOf, storeView } from './metric-store.ts';
import { addSummary } from './summary.ts';

/** All metrics that threads and processes of the store have recorded with the drop-in. */
export function* storedMetrics(): Generator<JsonMetric> {
  const view = storeView();
  view.refresh();
  for (const stream of view.streams()) {
    const aggregator = aggregatorOf(stream.description);
    if (aggregator === 'omit') continue;
    const { name } = stream.description;
    const percentiles = percentilesOf(stream.description);
    const values: object[] = [];
    const rows = view.rows(stream);
    for (const { labels, row } of seriesOf(stream, rows, view.region.words))
      if (percentiles !== undefined) addSummary(values, { name, percentiles }, labels, row, row);
      else if (rows.layout.kind === 'histogram')
        bucketValues(values, { name, upperBounds: rows.layout.boundaries }, labels, row);
      else values.push({ value: row[0]!, labels });
    if (values.length === 0) continue;
    const type = percentiles === undefined ? rows.layout.kind : 'summary';
    yield { name, help: stream.text, type, aggregator, values: values as JsonMetric['values'] };
  }
}

function* seriesOf(
  stream: MergedStream,
  rows: SeriesRows,
  words: Int32Array,
): Generator<{ readonly labels: Labels; readonly row: Float64Array }> {
  const row = new Float64Array(rows.layout.words);
  for (let series = 0; series < stream.size; series++)
    if (stream.isLive(series, words) && rows.fill(series, row, 0))
      yield { labels: stream.attributes[series]!, row };
}
