import { performance } from '../../base/platform.ts';
import type { Aggregation } from '../../state/records.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import { MetricColumn, type ColumnKind } from './metric-column.ts';
import { rowFillerOf, type RowFiller, type RowSource } from './row-filler.ts';

/** Series read between two looks at the time. */
const SERIES_BETWEEN_LOOKS = 64;

/**
 * A stream's column over many snapshots. Series stand in the order in which they were first recorded to, not in which they were
 * found: a series bound early and used late then moves no other row.
 */
export class StreamColumn {
  readonly column: MetricColumn;
  readonly #stream: MergedStream;
  readonly #fillRow: RowFiller;
  readonly #live: number[] = [];
  #waiting: number[] = [];
  #seen = 0;
  #next = 0; // of #live

  constructor(stream: MergedStream, source: RowSource) {
    const { scope, name, unit, aggregation, merge } = stream.description;
    this.#stream = stream;
    this.column = new MetricColumn(
      {
        scope,
        name,
        unit,
        kind: kindOf(aggregation),
        boundaries: aggregation.type === 'explicit-bucket-histogram' ? aggregation.boundaries : [],
        ...(aggregation.type === 'exponential-histogram' && {
          size: aggregation.maxSize,
          ranges: aggregation.negative ? 2 : 1,
        }),
        hasSum: !('hasSum' in aggregation) || aggregation.hasSum,
        isSum: aggregation.type === 'sum' || merge === 'sum',
      },
      stream.text,
    );
    this.#fillRow = rowFillerOf(stream, this.column, source);
  }

  /** Begins to fill the column for a new snapshot, with the series there are now. `words` of the stream's region. */
  begin(words: Int32Array): void {
    const stream = this.#stream;
    if (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const series of waiting) this.#place(series, words);
    }
    while (this.#seen < stream.size) this.#place(this.#seen++, words);
    this.column.reserve(this.#live.length); // at once: to grow is to copy all
    this.column.rewind();
    this.column.text = stream.text;
    this.#next = 0;
  }

  /**
   * Goes on until `performance.now()` is past `until`; false when there is more. Where rows move, which they rarely do, it goes on to the
   * end: nobody is to see a series twice.
   */
  fill(until: number): boolean {
    const { column } = this;
    const live = this.#live;
    for (let i = this.#next; i < live.length;) {
      this.#fillRow(live[i++]!);
      if (i % SERIES_BETWEEN_LOOKS !== 0 || !column.isCoherent || performance.now() <= until) continue;
      this.#next = i;
      return false;
    }
    column.cut();
    return true;
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
