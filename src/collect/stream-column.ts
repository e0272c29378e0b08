import type { MergedStream } from './merged-stream.ts';
import { MetricColumn } from './metric-column.ts';

/**
 * A stream's column over many snapshots. Series stand in the order in which they were first recorded to, not in which they were
 * found: a series bound early and used late then moves no other row.
 */
export class StreamColumn {
  readonly column: MetricColumn;
  readonly #stream: MergedStream;
  readonly #live: number[] = [];
  #waiting: number[] = [];
  #seen = 0;

  constructor(stream: MergedStream) {
    const { scope, name, unit, aggregation } = stream.description;
    const isHistogram = aggregation.type === 'explicit-bucket-histogram';
    this.#stream = stream;
    this.column = new MetricColumn(
      {
        scope,
        name,
        unit,
        kind: isHistogram
          ? 'histogram'
          : aggregation.type === 'sum' && aggregation.monotonic
            ? 'counter'
            : 'gauge',
        boundaries: isHistogram ? aggregation.boundaries : [],
        hasSum: !isHistogram || aggregation.hasSum,
      },
      stream.text,
    );
  }

  /** Empties the column for a new snapshot; the series to fill it from, in order. `words` of the stream's region. */
  begin(words: Int32Array): readonly number[] {
    const stream = this.#stream;
    while (this.#seen < stream.size) this.#waiting.push(this.#seen++);
    if (this.#waiting.length > 0) {
      const waiting: number[] = [];
      for (const series of this.#waiting) (stream.isLive(series, words) ? this.#live : waiting).push(series);
      this.#waiting = waiting;
    }
    this.column.clear();
    this.column.text = stream.text;
    return this.#live;
  }
}
