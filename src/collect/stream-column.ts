import type { Aggregation } from '../state/records.ts';
import type { MergedStream } from './merged-stream.ts';
import { MetricColumn, type ColumnKind } from './metric-column.ts';

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
    this.#stream = stream;
    this.column = new MetricColumn(
      {
        scope,
        name,
        unit,
        kind: kindOf(aggregation),
        boundaries: aggregation.type === 'explicit-bucket-histogram' ? aggregation.boundaries : [],
        ...(aggregation.type === 'exponential-histogram' && { size: aggregation.maxSize }),
        hasSum: !('hasSum' in aggregation) || aggregation.hasSum,
      },
      stream.text,
    );
  }

  /** Empties the column for a new snapshot; the series to fill it from, in order. `words` of the stream's region. */
  begin(words: Int32Array): readonly number[] {
    const stream = this.#stream;
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const series of waiting) this.#place(series, words);
    }
    while (this.#seen < stream.size) this.#place(this.#seen++, words);
    this.column.clear();
    this.column.text = stream.text;
    return this.#live;
  }

  #place(series: number, words: Int32Array): void {
    (this.#stream.isLive(series, words) ? this.#live : this.#waiting).push(series);
  }
}

function kindOf(aggregation: Aggregation): ColumnKind {
  switch (aggregation.type) {
    case 'explicit-bucket-histogram':
      return 'histogram';
    case 'sum':
      return aggregation.monotonic ? 'counter' : 'gauge';
    case 'last-value':
      return 'gauge';
    case 'exponential-histogram':
      return 'exponential-histogram';
  }
}
