import { performance } from '../../base/platform.ts';
import type { Scope } from '../../state/records.ts';
import type { InstrumentKind } from '../../state/stream-choices.ts';
import type { MergedStream } from '../directory/merged-stream.ts';
import type { StoreReader } from '../directory/store-reader.ts';
import { StreamSelection } from '../directory/stream-selection.ts';
import { CellCopies } from '../rows/cell-copies.ts';
import type { CellReader } from '../rows/cell-reader.ts';
import { MetricColumn, type ColumnDescription } from '../rows/column.ts';
import { rowsOf } from '../rows/row-kinds.ts';
import type { SeriesRows } from '../rows/series-rows.ts';
import { ReportedState, type ReportedStream } from './deltas.ts';

/** How many series are read between two looks at the clock. */
const SERIES_BETWEEN_LOOKS = 64;
/** How many rows are handed over at a time to callers that keep none: few enough for a processor's cache. */
const BLOCK_ROWS = 256;

const ALL_CUMULATIVE = (): false => false;

/** Takes what `Snapshots.read` reads. */
export interface RowSink {
  /**
   * Takes the rows of a column, as they were at `endMillis`. They are no longer there after it returns. The
   * same column may come again with further rows.
   */
  add(column: MetricColumn, endMillis: number): void;
}

/** A stream as one reader reads it. */
interface ReadStream {
  readonly stream: MergedStream;
  readonly rows: SeriesRows;
  readonly description: ColumnDescription;
  /**
   * For blocks of rows, of totals and of deltas. They are kept between snapshots: when the last object of a
   * form dies, the engine discards the code that it made for the form.
   */
  total: MetricColumn | undefined;
  delta: MetricColumn | undefined;
  kept: KeptColumn | undefined;
}

/**
 * Takes snapshots of a store for one reader. Each cell is read whole, but not all cells at the same instant.
 * A caller gets rows of numbers: in blocks that are gone when the next one comes (`read`), or in columns that
 * are kept until the next snapshot (`takeColumns`).
 */
export class Snapshots {
  /** What `read` reported of streams with delta temporality. */
  readonly reported: ReportedState = new ReportedState();
  readonly #store: StoreReader;
  readonly #cells: CellReader;
  readonly #copies: CellCopies;
  readonly #selection: StreamSelection;
  readonly #known = new Map<MergedStream, ReadStream>();
  #block = new Float64Array(8);
  #endMillis = 0;
  // For the snapshot that is taken in slices:
  #streams: readonly ReadStream[] = [];
  #columns: MetricColumn[] = [];
  #next = 0; // of #streams
  #hasBegun = false; // its column

  constructor(
    store: StoreReader,
    cells: CellReader,
    selection: StreamSelection = new StreamSelection(store),
  ) {
    this.#store = store;
    this.#cells = cells;
    this.#copies = new CellCopies(store.region, cells);
    this.#selection = selection;
  }

  /** When the latest snapshot was taken, in milliseconds since the epoch. */
  get endMillis(): number {
    return this.#endMillis;
  }

  /**
   * Reads everything that the store holds now; of streams whose kind `isDelta`, what came since the last
   * call. `sink` gets rows of one stream after the other, in as many blocks as needed. They are always in the
   * stream's one column, which is emptied when `sink` returns.
   */
  read(sink: RowSink, isDelta: (kind: InstrumentKind) => boolean = ALL_CUMULATIVE): void {
    const streams = this.#begin();
    for (const read of streams) this.#readStream(read, sink, isDelta(read.stream.description.kind));
    this.#cells.end();
  }

  #readStream(read: ReadStream, sink: RowSink, isDelta: boolean): void {
    const { stream, rows } = read;
    const { words } = this.#store.region;
    const column = this.#blockOf(read, isDelta);
    if (isDelta && rows.hasDeltas) {
      const reported = this.reported.of(stream, rows, (anew) => this.#reportToNobody(stream, anew, column));
      reported.begin(this.#endMillis);
      for (let series = 0; series < stream.size; series++) {
        if (stream.hasEnded(series)) continue;
        reported.add(series, column, this.#copies);
        if (column.rows >= BLOCK_ROWS) this.#handOver(column, sink);
      }
    } else
      for (let series = 0; series < stream.size; series++) {
        if (!stream.isLive(series, words)) continue;
        const lent = rows.lend(series);
        if (lent === undefined) rows.add(series, column);
        else this.#handOverLent(lent, read, series, column, sink);
        if (column.rows >= BLOCK_ROWS) this.#handOver(column, sink);
      }
    this.#handOver(column, sink);
  }

  #reportToNobody(stream: MergedStream, reported: ReportedStream, column: MetricColumn): void {
    reported.begin(this.#endMillis);
    for (let series = 0; series < stream.size; series++) {
      if (stream.hasEnded(series)) continue;
      reported.add(series, column, this.#copies);
      column.clear();
    }
  }

  /** An empty column for rows of a stream. All streams use the same array of numbers, one after the other. */
  #blockOf(read: ReadStream, isDelta: boolean): MetricColumn {
    const { stream, description } = read;
    const column = isDelta
      ? (read.delta ??= new MetricColumn({ ...description, isDelta }, stream.text))
      : (read.total ??= new MetricColumn(description, stream.text));
    column.clear(); // a snapshot that failed may have left rows
    column.values = this.#block;
    column.text = stream.text;
    return column;
  }

  /** Hands over a row where it lies, after the rows that come before it. */
  #handOverLent(
    row: Float64Array<ArrayBuffer>,
    { stream, rows }: ReadStream,
    series: number,
    column: MetricColumn,
    sink: RowSink,
  ): void {
    if (column.rows > 0) this.#handOver(column, sink);
    column.values = row;
    rows.close(series, column, stream.startOf(series));
    sink.add(column, this.#endMillis);
    column.clear();
    column.values = this.#block;
  }

  #handOver(column: MetricColumn, sink: RowSink): void {
    this.#block = column.values; // it may have needed a longer one
    if (column.rows > 0) sink.add(column, this.#endMillis);
    column.clear();
  }

  /**
   * Everything that the store holds now, cumulative, as columns. They do not change until columns are asked
   * for again, which are the same ones. Makes no objects for series it has seen before.
   */
  takeColumns(): readonly MetricColumn[] {
    this.beginColumns();
    return this.fillColumns(Infinity)!;
  }

  /**
   * Begins what `takeColumns` does at once. A series that is found before its stream is read is in the
   * snapshot.
   */
  beginColumns(): void {
    this.#streams = this.#begin();
    this.#columns = [];
    this.#next = 0;
    this.#hasBegun = false;
    this.#cells.end();
  }

  /**
   * Continues until `performance.now()` is past `until`. Returns the columns that have rows, or undefined
   * when there is more to do.
   */
  fillColumns(until: number): readonly MetricColumn[] | undefined {
    this.#cells.resume();
    const isDone = this.#fillColumns(until);
    this.#cells.end();
    return isDone ? this.#columns : undefined;
  }

  #fillColumns(until: number): boolean {
    const { words } = this.#store.region;
    while (this.#next < this.#streams.length) {
      const read = this.#streams[this.#next]!;
      const kept = (read.kept ??= new KeptColumn(read.stream, read.rows, read.description));
      if (!this.#hasBegun) kept.begin(words);
      this.#hasBegun = true;
      if (!kept.fill(until)) return false;
      if (kept.column.rows > 0) this.#columns.push(kept.column);
      this.#hasBegun = false;
      this.#next++;
      if (performance.now() > until) return this.#next === this.#streams.length;
    }
    return true;
  }

  #begin(): ReadStream[] {
    this.#cells.begin();
    this.#store.refresh();
    this.#copies.begin();
    if (this.#store.hasExemplars) this.#store.region.noteCollection();
    this.#endMillis = this.#store.region.takeTime();
    const streams: ReadStream[] = [];
    for (const { scope, streams: ofScope } of this.#store.scopes)
      for (const stream of this.#selection.of(ofScope)) {
        const read = this.#readStreamOf(stream, scope);
        read.rows.begin(this.#endMillis);
        streams.push(read);
      }
    return streams;
  }

  #readStreamOf(stream: MergedStream, scope: Scope): ReadStream {
    let read = this.#known.get(stream);
    if (read === undefined) {
      const { name, unit, kind: instrument, integer } = stream.description;
      const rows = rowsOf(stream, this.#copies);
      const description = { scope, name, unit, instrument, integer, ...rows.layout };
      this.#known.set(
        stream,
        (read = { stream, rows, description, total: undefined, delta: undefined, kept: undefined }),
      );
    }
    return read;
  }
}

/**
 * A stream's column over many snapshots. Series stand in the order in which they were first recorded to, not
 * in which they were found. So a series that is bound early and used late moves no other row.
 */
class KeptColumn {
  readonly column: MetricColumn;
  readonly #stream: MergedStream;
  readonly #rows: SeriesRows;
  #live: number[] = [];
  #waiting: number[] = [];
  #endings = 0;
  #seen = 0;
  #next = 0; // of #live

  constructor(stream: MergedStream, rows: SeriesRows, description: ColumnDescription) {
    this.#stream = stream;
    this.#rows = rows;
    this.column = new MetricColumn(description, stream.text);
  }

  /**
   * Begins to fill the column for a new snapshot with the series there are now. `words`: of the stream's
   * region.
   */
  begin(words: Int32Array): void {
    const stream = this.#stream;
    if (stream.endings !== this.#endings) {
      this.#endings = stream.endings;
      this.#live = this.#live.filter((series) => !stream.hasEnded(series));
      this.#waiting = this.#waiting.filter((series) => !stream.hasEnded(series));
    }
    const waiting = this.#waiting;
    if (waiting.length > 0) {
      this.#waiting = [];
      for (const series of waiting) this.#place(series, words);
    }
    while (this.#seen < stream.size) this.#place(this.#seen++, words);
    this.column.reserve(this.#live.length); // all at once, since growing copies everything
    this.column.clear();
    this.column.text = stream.text;
    this.#next = 0;
  }

  /** Continues until `performance.now()` is past `until`; false when there is more to do. */
  fill(until: number): boolean {
    const live = this.#live;
    for (let i = this.#next; i < live.length;) {
      this.#rows.add(live[i++]!, this.column);
      if (i % SERIES_BETWEEN_LOOKS !== 0 || performance.now() <= until) continue;
      this.#next = i;
      return false;
    }
    return true;
  }

  #place(series: number, words: Int32Array): void {
    if (this.#stream.hasEnded(series)) return;
    (this.#stream.isLive(series, words) ? this.#live : this.#waiting).push(series);
  }
}
