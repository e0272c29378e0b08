/**
 * What one reader reported, for delta temporality: a delta is the difference to that. Cells stay cumulative,
 * so any number of readers can take deltas of them, each at its own times.
 */
import { lengthened, roomFor } from '../../base/array-room.ts';
import { Warnings } from '../../base/warnings.ts';
import { streamKey } from '../../state/records.ts';
import { isObserved } from '../../state/stream-choices.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { CellCopies } from '../rows/cell-copies.ts';
import type { MetricColumn } from '../rows/column.ts';
import { intervalsOf, type ReaderIntervals } from '../rows/intervals.ts';
import type { SeriesRows } from '../rows/series-rows.ts';

/**
 * What a reader reported of one stream, for a reader of another thread that continues from there. Each thread
 * numbers series and contributions in the order in which it finds them; a cell is the same for all.
 */
export interface DeltaState {
  /** `streamKey` of the stream. */
  readonly stream: string;
  /** For each contribution, its cell (-1: it has ended) and its series. */
  readonly cells: Int32Array;
  readonly series: Int32Array;
  /** For each contribution, the version in which it was reported. Empty if no reader looks at versions. */
  readonly versions: Float64Array;
  readonly updates: Int32Array;
  /** The rows that were reported. */
  readonly rows: Float64Array;
  /** The end of the last interval, in milliseconds since the epoch. */
  readonly untilMillis: number | undefined;
}

/**
 * What one reader reported of one stream.
 *
 *   updates[series]      sum of the versions of its cells, wrapping; as long as it stays, nothing was
 *                        recorded
 *   reported[row ..]     the row that it amounted to: one for each series, or for each contribution
 *                        (`SeriesRows.reportedBy`)
 *
 * Not guaranteed: if a measurement is made while its cell is read, `updates` may change in the next interval.
 * Then the series is reported once more in that interval, with 0.
 */
export class ReportedStream {
  readonly #stream: MergedStream;
  readonly #rows: SeriesRows;
  readonly #isObserved: boolean;
  #updates = new Int32Array(8);
  #reported: Float64Array<ArrayBuffer>;
  /** What of an interval is not a difference of totals. Undefined if everything is. */
  readonly #intervals: ReaderIntervals | undefined;
  #previousMillis: number | undefined;
  #start = 0;

  constructor(stream: MergedStream, rows: SeriesRows) {
    this.#stream = stream;
    this.#rows = rows;
    this.#isObserved = isObserved(stream.description.kind);
    this.#reported = new Float64Array(8 * this.#words);
    if (rows.reportedBy === 'series') this.#intervals = intervalsOf(stream).addReader();
  }

  /**
   * Begins the collection that ends at `endMillis`. Its interval started at the previous collection, and the
   * first at the creation of the instrument (specification, start timestamps).
   */
  begin(endMillis: number): void {
    this.#reserve();
    this.#start = Math.min(this.#previousMillis ?? this.#stream.created, endMillis);
    this.#previousMillis = endMillis;
  }

  /**
   * Adds what was recorded to a series to a column. Adds nothing if it was not updated (or observed) since
   * the previous collection.
   */
  add(series: number, column: MetricColumn, copies: CellCopies): void {
    const at = column.open();
    const isNew = this.#isObserved
      ? this.#rows.fillChange(series, column.values, at, this.#reported)
      : this.#fillDifference(series, column.values, at, copies);
    if (isNew) this.#rows.close(series, column, this.#start);
  }

  #fillDifference(series: number, row: Float64Array, at: number, copies: CellCopies): boolean {
    const before = this.#updates[series];
    // before the cells are read, so that it is never too new
    const updates = this.#stream.updatesOf(series, copies.region.words);
    if (before === updates) return false;
    const { stale } = copies;
    // What could not be copied now is reported next time.
    if (!this.#rows.fill(series, row, at, this.#intervals) || copies.stale !== stale) return false;
    this.#updates[series] = updates;
    const noted = this.#intervals?.take(series);
    const interval = before === 0 ? undefined : noted; // everything is new if nothing was ever reported
    return this.#rows.subtract(row, at, this.#reported, series * this.#words, interval);
  }

  /** How many numbers are kept of a series or a contribution. */
  get #words(): number {
    return this.#rows.reportedBy === 'nobody' ? 0 : this.#rows.layout.words;
  }

  /** How many rows are kept. */
  get #size(): number {
    return this.#rows.reportedBy === 'contribution' ? this.#stream.contributionCount : this.#stream.size;
  }

  #reserve(): void {
    if (this.#stream.size > this.#updates.length)
      this.#updates = lengthened(this.#updates, roomFor(this.#stream.size - 1));
    if (this.#size * this.#words > this.#reported.length)
      this.#reported = lengthened(this.#reported, roomFor(this.#size - 1) * this.#words);
  }

  /** What was reported, for `resume` in another thread. Call it between collections. */
  state(): DeltaState {
    const stream = this.#stream;
    return {
      stream: streamKey(stream.description),
      ...stream.contributions(),
      versions:
        this.#intervals?.isStarted === true
          ? intervalsOf(stream).reported(stream.contributionCount)
          : new Float64Array(0),
      updates: this.#updates.subarray(0, stream.size),
      rows: this.#reported.subarray(0, this.#size * this.#words),
      untilMillis: this.#previousMillis,
    };
  }

  /**
   * Continues from what a reader of another thread reported. Call it before the first collection. False, with
   * nothing done, if the series cannot be matched.
   */
  resume(state: DeltaState): boolean {
    const same = correspondence(this.#stream, state);
    if (same === undefined) return false;
    this.#reserve();
    this.#previousMillis = state.untilMillis;
    const words = this.#words;
    const rows = this.#rows.reportedBy === 'contribution' ? same.ofContribution : same.ofSeries;
    rows.forEach((there, row) => {
      if (there !== NONE)
        this.#reported.set(state.rows.subarray(there * words, (there + 1) * words), row * words);
    });
    same.ofSeries.forEach((there, series) => (this.#updates[series] = state.updates[there] ?? 0));
    if (state.versions.length > 0)
      same.ofContribution.forEach((there, contribution) =>
        intervalsOf(this.#stream).resume(contribution, state.versions[there] ?? 0),
      );
    return true;
  }
}

/** Numbers in a `DeltaState`; NONE for what is newer. */
export interface Correspondence {
  readonly ofSeries: Int32Array;
  readonly ofContribution: Int32Array;
}

/**
 * Matches the series and contributions of a state with those of this thread. Undefined if that is not
 * possible, because a damaged directory lacks some. A series of which a part has ended meanwhile is taken for
 * a new one: deltas are repeated rather than lost.
 */
export function correspondence(
  stream: MergedStream,
  { cells, series }: DeltaState,
): Correspondence | undefined {
  const byCell = new Map<number, number>();
  cells.forEach((cell, there) => cell >= 0 && byCell.set(cell, there));
  const ofSeries = new Int32Array(stream.size).fill(NONE);
  const ofContribution = new Int32Array(stream.contributionCount).fill(NONE);
  const here = new Map<number, number>(); // series of the state -> of this thread
  let found = 0;
  for (let own = 0; own < stream.size; own++) {
    if (stream.hasEnded(own)) continue;
    for (
      let contribution = stream.firstOf(own);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const there = byCell.get(stream.cellOf(contribution));
      if (there === undefined) continue;
      found++;
      const other = series[there]!;
      if (ofSeries[own] !== NONE && ofSeries[own] !== other) return undefined;
      if ((here.get(other) ?? own) !== own) return undefined;
      ofContribution[contribution] = there;
      ofSeries[own] = other;
      here.set(other, own);
    }
  }
  if (found === byCell.size) return { ofSeries, ofContribution };
  if (stream.isDamaged) return undefined;
  const isFound = new Set(ofContribution);
  const ended = new Set<number>();
  for (const there of byCell.values()) if (!isFound.has(there)) ended.add(series[there]!);
  for (let own = 0; own < stream.size; own++) if (ended.has(ofSeries[own]!)) ofSeries[own] = NONE;
  ofContribution.forEach((there, contribution) => {
    if (there !== NONE && ended.has(series[there]!)) ofContribution[contribution] = NONE;
  });
  return { ofSeries, ofContribution };
}

/** What one reader reported, stream by stream. */
export class ReportedState {
  readonly #warnings = new Warnings();
  readonly #streams = new Map<MergedStream, ReportedStream>();
  readonly #before = new Map<string, DeltaState>();

  /**
   * Continues from what a reader of another thread reported of the same store. Call it before the first
   * collection.
   */
  resume(states: readonly DeltaState[]): void {
    for (const state of states) this.#before.set(state.stream, state);
  }

  /**
   * `beginAnew` reports the stream once, to nobody. It is called if what was reported of the stream cannot be
   * known.
   */
  of(stream: MergedStream, rows: SeriesRows, beginAnew: (reported: ReportedStream) => void): ReportedStream {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const reported = new ReportedStream(stream, rows);
    this.#streams.set(stream, reported);
    const key = streamKey(stream.description);
    const state = this.#before.get(key);
    this.#before.delete(key);
    if (state !== undefined && !reported.resume(state)) {
      this.#warnings.loss(
        'deltas begin anew',
        key,
        `seqlock-metrics: the deltas of metric ${stream.description.name} start again: the exporter thread was restarted and cannot read all series that were pushed before. What was recorded since its last push is left out of the deltas. The store's memory is damaged: restart the app`,
      );
      beginAnew(reported);
    }
    return reported;
  }

  /** For `resume` in another thread. */
  states(): DeltaState[] {
    return [...this.#before.values(), ...[...this.#streams.values()].map((reported) => reported.state())];
  }
}
