import { performance } from '../../base/platform.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { MetricColumn } from './metric-column.ts';
import type { RowSource } from './row-filler.ts';
import { StreamColumn } from './stream-column.ts';

/**
 * The columns of one reader, which every snapshot fills anew: at once, or in slices between which anything may happen. What stands in the
 * columns between two slices can be read, see `MetricColumn`. There is one snapshot at a time: another one that begins takes the place of
 * one that is not done, whose next slice then finds the columns as full as the other has made them.
 */
export class ColumnSnapshot {
  readonly #source: RowSource;
  readonly #known = new Map<MergedStream, StreamColumn>();
  #streams: readonly MergedStream[] = [];
  #columns: MetricColumn[] = [];
  #at = 0; // of #streams
  #current: StreamColumn | undefined; // the column of that stream, as soon as it was begun

  constructor(source: RowSource) {
    this.#source = source;
  }

  /** Begins a snapshot of these streams. A series that is found before its stream's turn comes is in it. */
  begin(streams: readonly MergedStream[]): void {
    this.#streams = streams;
    this.#columns = [];
    this.#at = 0;
    this.#current = undefined;
  }

  /** Goes on until `performance.now()` is past `until`. The columns that have rows, or undefined when there is more to be done. */
  fill(until: number): readonly MetricColumn[] | undefined {
    while (this.#at < this.#streams.length) {
      this.#current ??= this.#begun(this.#streams[this.#at]!);
      if (!this.#current.fill(until)) return undefined;
      const { column } = this.#current;
      if (column.rows > 0) this.#columns.push(column);
      this.#current = undefined;
      this.#at++;
      if (performance.now() > until) break;
    }
    return this.#at < this.#streams.length ? undefined : this.#columns;
  }

  #begun(stream: MergedStream): StreamColumn {
    let filled = this.#known.get(stream);
    if (filled === undefined) this.#known.set(stream, (filled = new StreamColumn(stream, this.#source)));
    filled.begin(this.#source.region.words);
    return filled;
  }
}
