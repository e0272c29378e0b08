import type { MergedStream } from '../directory/merged-stream.ts';
import type { CellCopies } from './cell-copies.ts';
import type { MetricColumn, RowLayout } from './column.ts';
import type { CellInterval, ReaderIntervals, SeriesInterval } from './intervals.ts';

/**
 * The series of one stream as rows of numbers, for one reader: each is put together from the cells of its
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
   * Writes what a series amounts to now to the row at `at`. False when that is nothing, or a cell could not
   * be copied yet; the row is rubbish then. `intervals`: notes what is new in the cells, if given.
   */
  abstract fill(series: number, row: Float64Array, at: number, intervals?: ReaderIntervals): boolean;

  /**
   * The row of a series, at the start of an array that is good until the next series is read: for who does
   * not keep it, where it has been copied already and is long. Undefined: `fill` a row.
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

  /** Adds what a series amounts to now to a column: a row, as a rule; none, or one for each writer. */
  add(series: number, column: MetricColumn): void {
    const at = column.open(); // first: it may make `values` anew
    if (this.fill(series, column.values, at))
      this.close(series, column, this.startOf(series, column.values[at]!));
  }

  /** Closes the row of a series, which says what happened since `start`. */
  close(series: number, column: MetricColumn, start: number): void {
    const { stream, copies } = this;
    const exemplars = stream.exemplars && stream.exemplarsOf(series, copies.region, start);
    column.close(stream.attributes[series]!, start, exemplars);
  }

  /** When a series began whose row begins with `value`, in milliseconds since the epoch. */
  protected startOf(series: number, _value: number): number {
    return this.stream.startOf(series);
  }

  /** False where the series are reported as they are also to readers that take deltas. */
  readonly hasDeltas: boolean = true;
  /** Whose rows are kept as they were reported, for the next delta. */
  readonly reportedBy: 'series' | 'contribution' | 'nobody' = 'nobody';

  /**
   * Takes the row of a series that was reported off the row at `at`, which is what it amounts to now and
   * becomes what is reported. False when nothing came in between. `interval`: what `fill` noted of it, where
   * that is no difference of totals.
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

  /** `fill` and `subtract` in one, of observed instruments, whose contributions are told apart. */
  fillChange(series: number, row: Float64Array, at: number, _reported: Float64Array): boolean {
    return this.fill(series, row, at);
  }
}
