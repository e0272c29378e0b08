import type { MergedStream } from '../directory/merged-stream.ts';
import type { CellCopies } from './cell-copies.ts';
import type { MetricColumn, RowLayout } from './column.ts';
import type { CellInterval, ReaderIntervals, SeriesInterval } from './intervals.ts';

/**
 * The series of one stream as rows of numbers, for one reader. Each row is put together from the cells of all
 * writers.
 */
export abstract class SeriesRows {
  abstract readonly layout: RowLayout;
  protected readonly stream: MergedStream;
  protected readonly copies: CellCopies;

  constructor(stream: MergedStream, copies: CellCopies) {
    this.stream = stream;
    this.copies = copies;
  }

  /** Begins a snapshot that is taken at `endMillis`. */
  begin(_endMillis: number): void {}

  /**
   * Writes the present state of a series to the row at `at`. False if there is none, or a cell could not be
   * copied yet: then the row is not valid. `intervals`: notes what is new in the cells.
   */
  abstract fill(series: number, row: Float64Array, at: number, intervals?: ReaderIntervals): boolean;

  /**
   * The row of a series at the start of an array that is valid until the next series is read. For a caller
   * that does not keep it, when the row is long and was copied already. Undefined: call `fill`.
   */
  lend(_series: number): Float64Array<ArrayBuffer> | undefined {
    return undefined;
  }

  /** Notes what is new in a copy of a contribution's cell, and says so in the cell; false when nothing is. */
  protected note(
    intervals: ReaderIntervals,
    series: number,
    contribution: number,
    interval: CellInterval,
    total: { readonly min: number; readonly max: number },
  ): boolean {
    if (!intervals.note(series, contribution, interval, total)) return false;
    this.copies.noteReported(this.stream.cellOf(contribution), interval.version);
    return true;
  }

  /**
   * Adds the present state of a series to a column: usually one row, otherwise none or one for each writer.
   */
  add(series: number, column: MetricColumn): void {
    const at = column.open(); // first, since it may replace `values`
    if (this.fill(series, column.values, at))
      this.close(series, column, this.startOf(series, column.values[at]!));
  }

  /** Closes the row of a series, which holds what was recorded since `start`. */
  close(series: number, column: MetricColumn, start: number): void {
    const { stream, copies } = this;
    const exemplars = stream.exemplars && stream.exemplarsOf(series, copies.region, start);
    column.close(stream.attributes[series]!, start, exemplars);
  }

  /** When a series began, in milliseconds since the epoch. Its row begins with `value`. */
  protected startOf(series: number, _value: number): number {
    return this.stream.startOf(series);
  }

  /** False if readers that take deltas also get the present values. */
  readonly hasDeltas: boolean = true;
  /** Whose reported rows are kept for the next delta. */
  readonly reportedBy: 'series' | 'contribution' | 'nobody' = 'nobody';

  /**
   * Subtracts the reported row of a series from the row at `at`, which is its present state. The present
   * state becomes the reported one. False if nothing was recorded in between. `interval`: what `fill` noted
   * that is not a difference of totals.
   */
  subtract(
    _row: Float64Array,
    _at: number,
    _reported: Float64Array,
    _reportedAt: number,
    _interval?: SeriesInterval,
  ): boolean {
    return true; // a gauge has no difference
  }

  /** `fill` and `subtract` in one, for observed instruments, which report each contribution by itself. */
  fillChange(series: number, row: Float64Array, at: number, _reported: Float64Array): boolean {
    return this.fill(series, row, at);
  }
}
