/**
 * Series whose row is one number: sums, and gauges.
 *
 *   row   | value |
 */
import type { Attributes } from '@opentelemetry/api';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { observedSince } from '../../memory/doorbell.ts';
import { slabProcess, slabStaleBefore, slabThread } from '../../memory/slab.ts';
import { LAST_TICK, LAST_VALUE, readLastValueInto } from '../../state/cells/last-value-cell.ts';
import { readSharedValueInto } from '../../state/cells/shared-value-cell.ts';
import {
  readSumAndIntervalInto,
  readSumInto,
  SUM_COPY_WORDS,
  SUM_INTERVAL,
  SUM_SINCE,
  SUM_TOTAL,
  SUM_VERSION,
} from '../../state/cells/sum-cell.ts';
import { isObserved } from '../../state/stream-choices.ts';
import { SharedValueSum } from '../../state/shared-value.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { CellCopies } from './cell-copies.ts';
import type { ReaderIntervals, SeriesInterval } from './intervals.ts';
import type { ColumnKind, MetricColumn, RowLayout } from './column.ts';
import { SeriesRows } from './series-rows.ts';

export const NUMBER_WORDS = 1;

/** `isSum`: for a gauge whose values add up. */
export function numberLayout(kind: ColumnKind, isSum: boolean = kind !== 'gauge'): RowLayout {
  return { kind, words: NUMBER_WORDS, boundaries: [], hasSum: true, hasMinMax: false, isSum };
}

export function addNumberRow(row: Float64Array, at: number, part: Float64Array): void {
  row[at]! += part[0]!;
}

/** The change of a total. If a monotonic total fell, it was reset and counts from 0 again. */
function changeOf(total: number, reported: number, monotonic: boolean): number {
  if (total === reported) return 0; // also when both are infinite
  return monotonic && total < reported ? total : total - reported;
}

/** Sums of what was added, over all writers, dead ones included. */
export class SumRows extends SeriesRows {
  readonly layout: RowLayout;
  override readonly reportedBy = 'series';
  readonly #monotonic: boolean;

  constructor(stream: MergedStream, copies: CellCopies, monotonic: boolean) {
    super(stream, copies);
    this.#monotonic = monotonic;
    this.layout = numberLayout(monotonic ? 'counter' : 'up-down-counter');
  }

  override fill(series: number, row: Float64Array, at: number, intervals?: ReaderIntervals): boolean {
    const { stream, copies } = this;
    const read = intervals === undefined ? readSumInto : readSumAndIntervalInto;
    let total = 0;
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const copy = copies.read(read, stream.cellOf(contribution), SUM_COPY_WORDS);
      if (copy === undefined) return false;
      total += copy[SUM_TOTAL]!;
      if (intervals !== undefined) this.#note(series, contribution, copy, intervals);
    }
    row[at] = total;
    return true;
  }

  /** From the first total on whose differences lack digits. */
  #note(series: number, contribution: number, copy: Float64Array, intervals: ReaderIntervals): void {
    if (!intervals.isStarted) {
      if (Number.isSafeInteger(copy[SUM_TOTAL])) return; // differences are exact
      intervals.start(this.stream.contributionCount);
    }
    const [since, version] = [copy[SUM_SINCE]!, copy[SUM_VERSION]!];
    const interval = { since, version, sum: copy[SUM_INTERVAL]!, min: 0, max: 0 };
    this.note(intervals, series, contribution, interval, interval);
  }

  override subtract(
    row: Float64Array,
    at: number,
    reported: Float64Array,
    reportedAt: number,
    interval: SeriesInterval | undefined,
  ): boolean {
    const total = row[at]!;
    row[at] = interval?.sum ?? changeOf(total, reported[reportedAt]!, this.#monotonic);
    reported[reportedAt] = total;
    return true;
  }
}

/**
 * Sums of what the writers' callbacks observed in their latest rounds. The counters of a dead writer stay, as
 * every total does; its other observations went with it.
 */
export class ObservedSumRows extends SeriesRows {
  readonly layout: RowLayout;
  override readonly reportedBy = 'contribution';
  readonly #monotonic: boolean;
  #latest = new Float64Array(0); // totals that were seen last, if a fall means a reset
  readonly #starts = new Map<number, number>(); // of series that fell
  #previousMillis = 0;
  #endMillis = 0;

  constructor(stream: MergedStream, copies: CellCopies, monotonic: boolean) {
    super(stream, copies);
    this.#monotonic = monotonic;
    this.layout = numberLayout(monotonic ? 'counter' : 'up-down-counter');
  }

  override begin(endMillis: number): void {
    this.#previousMillis = this.#endMillis;
    this.#endMillis = endMillis;
  }

  override fill(series: number, row: Float64Array, at: number): boolean {
    const { stream } = this;
    let total: number | undefined;
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const value = this.#observed(contribution);
      if (Number.isNaN(value)) return false;
      if (value !== undefined) total = (total ?? 0) + value;
    }
    if (total === undefined) return false;
    row[at] = total;
    return true;
  }

  /**
   * Writes the change of a series since the part of each writer was reported. If one writer resets its part,
   * or stops observing it, the others are not affected. A part that could not be copied changes next time.
   * False if nobody observed the series.
   */
  override fillChange(series: number, row: Float64Array, at: number, reported: Float64Array): boolean {
    const { stream } = this;
    let total: number | undefined;
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const value = this.#observed(contribution);
      if (value === undefined || Number.isNaN(value)) continue;
      total = (total ?? 0) + changeOf(value, reported[contribution]!, this.#monotonic);
      reported[contribution] = value;
    }
    if (total === undefined) return false;
    row[at] = total;
    return true;
  }

  /**
   * A fall means a reset. Its exact time is unknown, so the series starts again at the previous collection
   * (specification, resets and gaps).
   */
  protected override startOf(series: number, total: number): number {
    const start = this.stream.startOf(series);
    if (!this.#monotonic) return start;
    if (series >= this.#latest.length) this.#latest = lengthened(this.#latest, roomFor(series));
    if (total < this.#latest[series]!) this.#starts.set(series, this.#previousMillis);
    this.#latest[series] = total;
    return this.#starts.get(series) ?? start;
  }

  /**
   * What one writer observed in its latest round; undefined if nothing, NaN if the cell could not be copied.
   */
  #observed(contribution: number): number | undefined {
    const { stream, copies } = this;
    const { region } = copies;
    const slab = stream.slabOf(contribution);
    if (!this.#monotonic && copies.isDead(slab)) return undefined;
    const copy = copies.read(readLastValueInto, stream.cellOf(contribution), 2);
    if (copy === undefined) return NaN;
    const tick = copy[LAST_TICK]!;
    if (tick === 0 || tick < observedSince(region, slab)) return undefined;
    if (!this.#monotonic && tick <= slabStaleBefore(region, slab)) return undefined;
    return copy[LAST_VALUE]!;
  }
}

/**
 * What live writers set last, or observed in their latest rounds, merged as the stream says. Of a
 * `per-writer` stream, the newest.
 */
export class GaugeRows extends SeriesRows {
  readonly layout: RowLayout;
  readonly #isObserved: boolean;

  constructor(stream: MergedStream, copies: CellCopies) {
    super(stream, copies);
    this.#isObserved = isObserved(stream.description.kind);
    this.layout = numberLayout('gauge', stream.description.merge === 'sum');
  }

  override fill(series: number, row: Float64Array, at: number): boolean {
    const { stream } = this;
    const { merge } = stream.description;
    let value: number | undefined;
    let newest = 0;
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const copy = this.current(contribution);
      if (copy === undefined) continue;
      const one = copy[LAST_VALUE]!;
      const tick = copy[LAST_TICK]!;
      if (value === undefined) value = one;
      else if (merge === 'sum') value += one;
      else if (merge === 'min') value = Math.min(value, one);
      else if (merge === 'max') value = Math.max(value, one);
      else if (tick > newest) value = one;
      newest = Math.max(newest, tick);
    }
    if (value === undefined) return false;
    row[at] = value;
    return true;
  }

  /**
   * A writer's cell; undefined when the writer is dead, or has not set it (or not observed it in its latest
   * round).
   */
  protected current(contribution: number): Float64Array | undefined {
    const { stream, copies } = this;
    const { region } = copies;
    const slab = stream.slabOf(contribution);
    if (copies.isDead(slab)) return undefined;
    const copy = copies.read(readLastValueInto, stream.cellOf(contribution), 2);
    if (copy === undefined) return undefined;
    const tick = copy[LAST_TICK]!;
    if (tick === 0 || tick <= slabStaleBefore(region, slab)) return undefined;
    return this.#isObserved && tick < observedSince(region, slab) ? undefined : copy;
  }
}

/**
 * The attributes that tell the writers of a `per-writer` gauge apart (semantic conventions, thread and
 * process attributes).
 */
const THREAD_ATTRIBUTE = 'thread.id';
const PROCESS_ATTRIBUTE = 'process.pid';

/** The value a thread set last, in one series. */
interface WriterValue {
  /** Which contribution of the series it is. */
  readonly contribution: number;
  readonly threadId: number;
  /** Undefined in a store of one process. */
  readonly processId: number | undefined;
  /** Both, for comparison. */
  readonly writer: string;
  readonly value: number;
  readonly tick: number;
}

/** What each live writer set last: a row for each, which has the series' attributes and the thread's. */
export class WriterGaugeRows extends GaugeRows {
  override readonly hasDeltas = false;
  /**
   * By contribution. The same objects are used as long as a cell belongs to the same thread, because rows are
   * identified by them.
   */
  readonly #attributes = new Map<number, { readonly writer: string; readonly attributes: Attributes }>();

  override add(series: number, column: MetricColumn): void {
    // A series that has the thread's attribute already says whose it is.
    if (Object.hasOwn(this.stream.attributes[series]!, THREAD_ATTRIBUTE)) {
      super.add(series, column);
      return;
    }
    for (const one of this.#values(series)) {
      const at = column.open(); // first, since it may replace `values`
      column.values[at] = one.value;
      column.close(this.#attributesOf(series, one), this.stream.startOf(series));
    }
  }

  /**
   * One value for each thread, which may have two slabs if it loaded the package twice. Processes of two pid
   * namespaces may be taken for one.
   */
  #values(series: number): Iterable<WriterValue> {
    const { stream, copies } = this;
    const newest = new Map<string, WriterValue>();
    for (
      let contribution = stream.firstOf(series);
      contribution !== NONE;
      contribution = stream.nextOf(contribution)
    ) {
      const copy = this.current(contribution);
      const slab = stream.slabOf(contribution);
      const threadId = slabThread(copies.region, slab);
      if (copy === undefined || threadId === undefined) continue;
      const processId = slabProcess(copies.region, slab);
      const writer = `${processId} ${threadId}`;
      const value = copy[LAST_VALUE]!;
      const tick = copy[LAST_TICK]!;
      const other = newest.get(writer);
      if (other === undefined || other.tick < tick)
        newest.set(writer, { contribution, threadId, processId, writer, value, tick });
    }
    return newest.values();
  }

  #attributesOf(series: number, { contribution, threadId, processId, writer }: WriterValue): Attributes {
    const known = this.#attributes.get(contribution);
    if (known?.writer === writer) return known.attributes;
    const all = {
      ...(processId !== undefined && { [PROCESS_ATTRIBUTE]: processId }),
      ...this.stream.attributes[series]!,
      [THREAD_ATTRIBUTE]: threadId,
    };
    // sorted, as all keys are
    const attributes = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#attributes.set(contribution, { writer, attributes });
    return attributes;
  }
}

/**
 * How often all cells of a shared value are read, each time because another thread had set the value
 * meanwhile.
 */
const MAX_READINGS = 16;

/** Gauges whose value all threads share (state/shared-value.ts). */
export class SharedGaugeRows extends SeriesRows {
  readonly layout: RowLayout = numberLayout('gauge');
  readonly #sum = new SharedValueSum();

  /** Also false if others set the value during every reading. */
  override fill(series: number, row: Float64Array, at: number): boolean {
    const { stream, copies } = this;
    const sum = this.#sum;
    for (let reading = 0; reading < MAX_READINGS; reading++) {
      sum.reset();
      for (
        let contribution = stream.firstOf(series);
        contribution !== NONE;
        contribution = stream.nextOf(contribution)
      ) {
        const copy = copies.read(readSharedValueInto, stream.cellOf(contribution), 2);
        if (copy === undefined) return false;
        sum.take(copy);
      }
      if (!sum.isWhole) continue;
      row[at] = sum.value!;
      return true;
    }
    return false;
  }
}
