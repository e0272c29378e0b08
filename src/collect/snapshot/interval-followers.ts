import type { MergedStream } from '../directory/merged-stream.ts';
import type { SeriesValues } from '../rows/series-values.ts';

/**
 * A reader that ends the interval ends it for all streams, also for those that it does not take deltas of and another reader of its
 * thread does. Cells keep but two intervals: so what they hold of these is told to the other reader now. It costs a reading of their
 * cells, where two readers take deltas of other streams.
 */
export function tellFollowers(streams: Iterable<MergedStream>, values: SeriesValues): void {
  for (const stream of streams) {
    const { aggregation } = stream.description;
    if (aggregation.type === 'explicit-bucket-histogram') {
      const read = values.histogramReaders(aggregation);
      for (let series = 0; series < stream.size; series++)
        values.histogram(stream, series, aggregation, read, stream.extremes);
    } else if (aggregation.type === 'exponential-histogram') {
      for (let series = 0; series < stream.size; series++)
        values.exponentialHistogram(stream, series, aggregation, stream.extremes);
    }
  }
}
