import type { Region } from '../../memory/region.ts';
import { isObserved } from '../../state/records.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { MetricColumn } from './metric-column.ts';
import { exemplarsOf } from './series-exemplars.ts';
import type { SeriesValues } from '../rows/series-values.ts';
import type { WriterGauges } from '../rows/writer-gauges.ts';

/** Adds what a series has to report to its column: a row, as a rule; none, or one for each writer. */
export type RowFiller = (series: number) => void;

/** What rows are made from. */
export interface RowSource {
  readonly region: Region;
  readonly values: SeriesValues;
  readonly writers: WriterGauges;
}

/** Fills the column of a stream, for as long as the stream is there. */
export function rowFillerOf(stream: MergedStream, column: MetricColumn, source: RowSource): RowFiller {
  const { region, values, writers } = source;
  const { aggregation, kind, merge } = stream.description;
  const close = (series: number): void =>
    column.close(stream.attributes[series]!, stream.startOf(series), exemplarsOf(stream, series, region));
  const withNumber = (valueOf: (series: number) => number | undefined): RowFiller => {
    return (series) => {
      const value = valueOf(series);
      if (value === undefined) return;
      const at = column.open(); // first: it may make `values` anew
      column.values[at] = value;
      close(series);
    };
  };
  switch (aggregation.type) {
    case 'explicit-bucket-histogram': {
      const read = values.histogramReader(aggregation);
      return (series) => {
        if (values.fillHistogram(stream, series, read, column, column.open())) close(series);
      };
    }
    case 'exponential-histogram':
      return (series) => {
        const at = column.open();
        if (values.fillExponentialHistogram(stream, series, aggregation, column.values, at)) close(series);
      };
    case 'last-value':
      return merge === 'per-writer'
        ? (series) => writers.fill(column, stream, series)
        : withNumber((series) => values.lastValue(stream, series, isObserved(kind)));
    case 'sum':
      return isObserved(kind)
        ? withNumber((series) => values.observedSum(stream, series, aggregation.monotonic))
        : withNumber((series) => values.sum(stream, series));
  }
}
