/**
 * A metric stream as one writer records it: the way from attributes to a cell, and the cells' memory.
 *
 * A subclass per aggregation has the record call: find the cell, `admit` what is not found, write it. A hit
 * allocates nothing; a miss makes a series or falls to the overflow series. Cell 0 is no cell: the region is
 * so full that the stream has not even an overflow series, and the measurement is counted as lost, and said
 * so once.
 */
import { shortText } from '../base/errors.ts';
import {
  canonicalAttributes,
  NO_ATTRIBUTES,
  OVERFLOW_ATTRIBUTES,
  type CanonicalAttributes,
} from './attributes.ts';
import type { BoundSeries, SeriesPlace } from './bound-cell.ts';
import { isReported, linkBlock, type Carrier } from './cells/carried.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import type { ExemplarChooser, ExemplarGate } from './exemplar-reservoirs.ts';
import type { RestoredSeries } from './inheritance.ts';
import type { ReservoirChoice } from './stream-choices.ts';
import {
  BLOCK_RECORD,
  OVERFLOW_KEY_SET,
  SERIES_RECORD,
  encodeBlock,
  encodeSeries,
  setBlock,
  setSeriesCell,
  type StreamDescription,
} from './records.ts';
import { RECORD_HEADER_BYTES } from '../memory/directory-log.ts';
import { slabsUsed } from '../memory/slab.ts';
import { CellLookup } from './cell-lookup.ts';
import { OwnParts } from './own-parts.ts';
import { ABSENT, SeriesTable, UNKNOWN } from './series-table.ts';
import type { SlabAccess } from './slab-access.ts';
import { CLEARED, end, ENDING, finish, REMOVED, standingOf, UNDECIDED } from './standing.ts';
import { NO_OFFER, StreamExemplars } from './stream-exemplars.ts';

/** A stream that is recorded to, call by call. What values it takes is for its class to say. */
export interface RecordedStream extends StreamWriter {
  /**
   * Records a measurement. Never throws, never waits, allocates nothing once the series exists and no
   * exemplar is made. `context`: the caller's, if it passed one. `cells`: the stream's, or a lookup that
   * `lookupFor` gave. `measured`: all attributes of the measurement, where code of a view made `attributes`
   * of them.
   */
  record(value: number, attributes: unknown, context: unknown, cells: CellLookup, measured?: unknown): void;
  /** Resolves attributes and cardinality once. */
  bind(attributes: unknown, cells?: CellLookup, measured?: unknown): BoundSeries;
  /** Ends the series of an attribute set, of all threads; see `StreamWriter`. */
  remove(attributes: unknown, cells?: CellLookup): void;
  /** Ends all series of the stream. */
  clear(): void;
}

/** What holds the cell of a series, and resolves its attributes again when the series has ended. */
interface CellHolder {
  end(): void;
}

export abstract class StreamWriter {
  readonly description: StreamDescription;
  readonly exemplars: StreamExemplars = new StreamExemplars();
  /**
   * Measurements still to come before one is offered as an exemplar, unless it has a context of the caller's.
   * The record calls count it down, and have no more of exemplars than that, to stay small enough for V8 to
   * inline them whole.
   */
  untilNextOffer: number = NO_OFFER;
  /** The lookup for which all attributes count. */
  readonly cells: CellLookup;
  readonly #lookups: CellLookup[];
  readonly #slab: SlabAccess;
  readonly #cellWords: number;
  readonly #carrier: Carrier | undefined;
  readonly #sharedWords: number;
  readonly #maxValueLength: number;
  #id = -1;
  #limit: number;
  #overflow = 0;
  readonly #parts = new OwnParts();
  readonly #holders = new Map<number, WeakRef<CellHolder>[]>(); // by cell
  #sets = 0; // attribute sets that have a cell
  #isAtLimit = false;
  #isRegistered = false;
  /** Whether any series of this writer has ended. */
  protected hasEnded = false;

  /**
   * `carrier`: ends the intervals of cells that are read as deltas; undefined for cells that have none.
   * `sharedWords`: float64 words that the stream's cells share, behind the cell of the overflow series;
   * without that one there are no others.
   */
  constructor(
    slab: SlabAccess,
    description: StreamDescription,
    cellWords: number,
    limit: number,
    carrier?: Carrier,
    sharedWords = 0,
  ) {
    this.description = description;
    this.#slab = slab;
    this.#cellWords = cellWords;
    this.#carrier = carrier;
    this.#sharedWords = sharedWords;
    this.#limit = limit;
    this.#maxValueLength = slab.maxValueLength;
    this.cells = new CellLookup(slab.region.words, slab.region.doubles, new SeriesTable(slab.maxValueLength));
    this.#lookups = [this.cells];
  }

  /** Number of the stream in its slab; -1 while the region has no room for its record. */
  get id(): number {
    return this.#id;
  }

  /**
   * A lookup in which only attributes count whose keys `keeps` takes. It is the same lookup for the same
   * function, whose answer for a key must never change. Undefined: all attributes count.
   */
  lookupFor(keeps: ((key: string) => boolean) | undefined): CellLookup {
    const known = this.#lookups.find((lookup) => lookup.keeps === keeps);
    if (known !== undefined) return known;
    const { words, doubles, unattributedCell, table } = this.cells;
    const cells = new CellLookup(
      words,
      doubles,
      (table ?? new SeriesTable(this.#maxValueLength)).lookupFor(keeps),
    );
    cells.unattributedCell = unattributedCell;
    this.#lookups.push(cells);
    return cells;
  }

  /**
   * Attribute sets the stream may have, besides the overflow series. The larger wins where readers differ.
   */
  raiseLimit(limit: number): void {
    if (limit > this.#limit) {
      this.#limit = limit;
      this.#isAtLimit = false;
    }
  }

  /**
   * Enters the stream in the slab's directory, goes on with what a dead owner left of it there, and reserves
   * the overflow series, so that what exceeds a limit later has a place to go. A series whose cell was never
   * written to is not reported. False where the region has no room for that now: call again then.
   */
  register(): boolean {
    if (this.#overflow !== 0) return true;
    if (this.#id < 0) {
      const { id, series, exemplars } = this.#slab.register(this.description);
      this.#id = id;
      if (series.length > 0 || exemplars.length > 0) this.restore(series, exemplars);
    }
    if (this.#id >= 0 && this.#overflow === 0)
      this.#overflow = this.#newCell(OVERFLOW_ATTRIBUTES, OVERFLOW_KEY_SET, {
        moreWords: this.#sharedWords,
      });
    if (this.#overflow === 0) return false;
    if (!this.#isRegistered) this.registered(this.#overflow);
    this.#isRegistered = true;
    return true;
  }

  /** Called once, when the stream has its overflow series; `overflow` is that one's cell. */
  protected registered(_overflow: number): void {}

  /** Takes over what a dead owner of the slab left of this stream, before anything is recorded here. */
  protected restore(series: readonly RestoredSeries[], exemplars: readonly ExemplarsRecord[]): void {
    this.#refresh();
    this.exemplars.restore(exemplars);
    for (const { attributes, cell, overflow, over, standing } of series) {
      if (over) continue;
      this.#parts.add(cell, standing);
      this.#carrier?.finishCarry(this.cells.words, this.cells.doubles, cell);
      if (overflow) this.#overflow = cell;
      else if (this.cells.table!.get(attributes) === ABSENT) this.#enter(attributes, cell);
    }
  }

  /**
   * Ends the series of an attribute set, of all threads. It is exported no more. If it is recorded to again,
   * it begins anew, from zero. Other threads let go of it when their event loops turn or they make a series;
   * what they record to it until then is not exported. Never throws. `cells`: as for a record call.
   */
  remove(attributes: unknown, cells: CellLookup = this.cells): void {
    try {
      const { region } = this.#slab;
      const canonical = canonicalAttributes(attributes, () => {}, cells.keeps, this.#maxValueLength);
      const cell = this.cells.table?.get(canonical) ?? ABSENT;
      const removal = region.takeEnding();
      let isTold = false;
      if (cell !== ABSENT) {
        isTold = end(region.words, this.#parts.standingOf(cell)!, REMOVED, false, removal);
        this.#letGo([cell], canonical);
      }
      if (!isTold && slabsUsed(region) > 1) this.#tellOfEnd(canonical);
      region.takeEnding();
    } catch (error) {
      this.#warnOfEnd(shortText(error));
    }
  }

  /** Ends all series of the stream, of all threads, as `remove` ends one. */
  clear(): void {
    try {
      if (!this.register()) return;
      const { region } = this.#slab;
      const before = this.#overflow;
      const isUnused = (cell: number): boolean => Atomics.load(region.words, cell << 1) === 0;
      // Where nobody else is to be told, what was never recorded to can stay.
      const isAlone = slabsUsed(region) <= 1 && isUnused(before);
      const next = isAlone
        ? before
        : this.#newCell(OVERFLOW_ATTRIBUTES, OVERFLOW_KEY_SET, { moreWords: this.#sharedWords });
      if (next === 0) {
        this.#warnOfEnd(region.refusal.reason);
        return;
      }
      this.#overflow = next;
      const removal = region.takeEnding();
      const cells: number[] = [];
      this.#parts.forEach((cell, standing) => {
        if (cell === next || (isAlone && isUnused(cell))) return;
        end(region.words, standing, cell === before ? CLEARED : REMOVED, true, removal);
        cells.push(cell);
      });
      this.#letGo(cells);
      region.takeEnding();
    } catch (error) {
      this.#warnOfEnd(shortText(error));
    }
  }

  /** Lets go of series that other threads have removed. */
  followEndings(): void {
    const { words } = this.#slab.region;
    const cells: number[] = [];
    this.#parts.forEach((cell, standing) => {
      if (finish(words, standing, ENDING)) cells.push(cell);
    });
    if (cells.length === 0) return;
    const isOverflowOver = cells.includes(this.#overflow);
    this.#letGo(cells);
    if (!isOverflowOver) return;
    this.#overflow = 0;
    this.register();
  }

  /** Of a series that only others have: a part that nobody records to tells of its end. */
  #tellOfEnd(attributes: CanonicalAttributes): void {
    const keySet = this.register() ? this.#slab.keySetId(attributes.keys) : -1;
    if (keySet < 0 || this.#newCell(attributes, keySet, { state: REMOVED }) === 0)
      this.#warnOfEnd(this.#slab.region.refusal.reason);
  }

  #warnOfEnd(reason: string): void {
    this.warn(
      'removal',
      `a series could not be removed: ${reason}. It is still exported. ${this.#slab.region.refusal.fix}`,
    );
  }

  /** From now on these cells are found no more. `attributes`: of the series, if it is one. */
  #letGo(cells: readonly number[], attributes?: CanonicalAttributes): void {
    this.hasEnded = true;
    this.#isAtLimit = false;
    const { table } = this.cells;
    if (attributes !== undefined) table?.remove(attributes);
    else {
      const over = new Set(cells);
      table?.removeWhere((cell) => over.has(cell));
    }
    this.#sets = table?.size ?? 0;
    for (const cell of cells) {
      for (const lookup of this.#lookups)
        if (lookup.unattributedCell === cell) lookup.unattributedCell = UNKNOWN;
      this.#parts.remove(cell);
      for (const holder of this.#holders.get(cell) ?? []) holder.deref()?.end();
      this.#holders.delete(cell);
      this.forget(cell);
    }
  }

  /** Called for each cell that is found no more. */
  protected forget(_cell: number): void {}

  /** Tells `holder` when the series of its cell has ended. */
  hold(cell: number, holder: CellHolder): void {
    let holders = this.#holders.get(cell);
    if (holders === undefined) this.#holders.set(cell, (holders = []));
    // Those that are gone are left out when their number has doubled.
    if (holders.length >= 8 && (holders.length & (holders.length - 1)) === 0)
      this.#holders.set(cell, (holders = holders.filter((one) => one.deref() !== undefined)));
    holders.push(new WeakRef(holder));
  }

  /** From now on keeps exemplars; see `StreamExemplars.keep`. */
  keepExemplars(
    gate: ExemplarGate,
    choice: ReservoirChoice,
    filters: boolean,
    makeChooser?: () => ExemplarChooser,
  ): void {
    const { aggregation } = this.description;
    this.exemplars.keep(this.#slab, this, aggregation, gate, choice, filters, makeChooser);
    this.untilNextOffer = 0;
  }

  /**
   * The cell of an attribute set that `cells.find` did not find; `found` is what it said. 0 when there is
   * none, and a measurement is to be lost. Never throws, whatever is passed.
   */
  protected admit(attributes: unknown, found: number, cells: CellLookup): number {
    if (found === ABSENT && this.#isAtLimit) return this.#overflow;
    try {
      return this.#admit(attributes, cells);
    } catch (error) {
      // The heap or the stack is used up. The app that records must not feel more of it than it does anyway.
      this.warn(
        'failed',
        `could not make a series (${shortText(error)}); its measurements go to the series {otel.metric.overflow: true}`,
      );
      return this.#overflow;
    }
  }

  /**
   * As `admit`, for a measurement: where it has no cell to go to, it is lost. Apart from the record calls,
   * which are to be small.
   */
  protected admitOrLose(attributes: unknown, found: number, cells: CellLookup): number {
    const at = this.admit(attributes, found, cells);
    if (at === 0) this.lose();
    return at;
  }

  /**
   * Ends the interval of a cell, where a reader has reported all of it as deltas (carried.ts). The record
   * calls ask for it where the cell's link is not 0: cells that nobody reads as deltas have none.
   */
  endInterval(at: number): void {
    const { words } = this.cells;
    if (isReported(words, at) && (words[(at << 1) + 1]! > 0 || this.#makeBlock(at)))
      this.#carrier!.carry(this.cells.words, this.cells.doubles, at);
  }

  /** Offers a measurement that was just recorded, if `untilNextOffer` says so. */
  protected offer(
    at: number,
    bucket: number,
    value: number,
    context: unknown,
    attributes: unknown,
    { keeps }: CellLookup,
    measured: unknown,
  ): void {
    this.untilNextOffer = this.exemplars.offer(at, bucket, value, context, { attributes, measured, keeps });
  }

  /** The cell of an attribute set; 0 when there is none. */
  protected locate(attributes: unknown, cells: CellLookup = this.cells): number {
    const at = cells.find(attributes);
    return at > 0 ? at : this.admit(attributes, at, cells);
  }

  /** What a bound series is made of. */
  protected place(attributes: unknown, cells: CellLookup = this.cells, measured?: unknown): SeriesPlace {
    const at = this.locate(attributes, cells);
    const { words, doubles, keeps } = cells;
    const carried = this.exemplars.bound(at, { attributes, measured, keeps });
    return { words, doubles, at, attributes: carried, again: this.#copyOf(attributes, keeps) };
  }

  #copyOf(attributes: unknown, keeps: CellLookup['keeps']): CanonicalAttributes {
    try {
      return canonicalAttributes(attributes, () => {}, keeps, this.#maxValueLength);
    } catch {
      return NO_ATTRIBUTES; // the heap or the stack is used up
    }
  }

  /**
   * The cell with which a bound series goes on when its series has ended, or when there was none for it; 0 if
   * there is none now, and the measurement is lost. Never throws.
   */
  bindAgain(attributes: CanonicalAttributes): number {
    try {
      this.#slab.followEndings();
      if (this.cells.table === undefined) this.#setTables(new SeriesTable(this.#maxValueLength));
      const at = this.#cellOf(attributes);
      if (at !== 0) return at;
    } catch {
      // the heap or the stack is used up
    }
    this.lose();
    return 0;
  }

  /** The slow way: may allocate. */
  #admit(attributes: unknown, cells: CellLookup): number {
    this.#slab.followEndings();
    // Anew and empty: sets that come again get another cell, which readers add up, and the limit still counts
    // all.
    if (this.cells.table === undefined) this.#setTables(new SeriesTable(this.#maxValueLength));
    const table = cells.table!;
    const warn = (cause: string, message: string): void => this.warn('attributes', message, cause);
    const canonical = canonicalAttributes(attributes, warn, cells.keeps, this.#maxValueLength);
    const cell = this.#cellOf(canonical);
    if (cell !== this.#overflow) this.#learn(table, attributes, canonical);
    return cell;
  }

  /** The cell of a set, which is made if there is none. That of the overflow series if it cannot be. */
  #cellOf(attributes: CanonicalAttributes): number {
    const known = this.cells.table!.get(attributes);
    if (known !== ABSENT) return known;
    const isRegistered = this.register();
    if (this.#isAtLimit) return this.#overflow;
    if (this.#sets >= this.#limit) {
      this.#isAtLimit = true;
      this.warn(
        'limit',
        `has reached its cardinality limit of ${this.#limit} attribute sets. Measurements with further ones go to the series {otel.metric.overflow: true}. Raise the limit with the reader's cardinalitySelector, or record fewer attributes`,
      );
      return this.#overflow;
    }
    const keySet = isRegistered ? this.#slab.keySetId(attributes.keys) : -1;
    const cell = keySet < 0 ? 0 : this.#newCell(attributes, keySet);
    if (cell === 0) {
      this.#warnOfMemory(
        'memory',
        'the store has no memory for a new attribute set',
        'Measurements of such sets go to the series {otel.metric.overflow: true} for as long as that lasts',
      );
      return this.#overflow;
    }
    this.#enter(attributes, cell);
    return cell;
  }

  /** Tells once of a stream, the kind of what is lost, and its cause. */
  warn(kind: string, message: string, cause = ''): void {
    const { name, scope } = this.description;
    this.#slab.warnings.loss(
      kind,
      `${scope.name}/${name} ${cause}`,
      `metric ${name} of meter ${scope.name || '(unnamed)'}: ${message}`,
    );
  }

  /** Prepares a new cell's zeroed memory; the default leaves it zero. */
  protected initCell(_doubles: Float64Array, _at: number): void {}

  /** Counts a measurement that has no cell to go to, and says so once. */
  lose(): void {
    this.#slab.region.countLost();
    this.#warnOfMemory(
      'lost',
      'the store has no memory left for this metric, not even for an overflow series',
      'Its measurements are lost (seqlock.lost.measurements counts them)',
    );
  }

  /** Each cause is told once. */
  #warnOfMemory(kind: string, what: string, meaning: string): void {
    const { reason, fix } = this.#slab.region.refusal;
    this.warn(kind, `${what}: ${reason}. ${meaning}. ${fix}`, reason);
  }

  /** Start time of a series made now, in milliseconds since the epoch. */
  protected startTime(): number {
    return this.#slab.region.takeTime();
  }

  /** Cell of the overflow series; 0 while there is no room for it. */
  get overflowCell(): number {
    return this.#overflow;
  }

  #newCell(
    attributes: CanonicalAttributes,
    keySet: number,
    { moreWords = 0, state = UNDECIDED }: { readonly moreWords?: number; readonly state?: number } = {},
  ): number {
    const { log, region, texts } = this.#slab;
    if (log === undefined) return 0;
    const series = { stream: this.#id, keySet, cell: 0, startTime: this.startTime() };
    const payload = encodeSeries(series, attributes, texts, standingOf(region, state));
    const cell = log.place(payload.length, this.#cellWords + moreWords);
    if (cell < 0) return 0;
    this.initCell(region.doubles, cell);
    setSeriesCell(payload, cell);
    const at = log.append(SERIES_RECORD, payload, this.#cellWords + moreWords);
    if (state === UNDECIDED) this.#parts.add(cell, (at + RECORD_HEADER_BYTES) >> 2);
    texts.publish();
    this.#refresh();
    return cell;
  }

  /** False where there is no room for one: the interval goes on. */
  #makeBlock(at: number): boolean {
    const { log, region } = this.#slab;
    const { blockWords } = this.#carrier!;
    try {
      const payload = encodeBlock();
      const block = log!.place(payload.length, blockWords);
      if (block < 0) {
        this.#warnOfMemory(
          'intervals',
          "the store's memory is used up",
          'The deltas of this metric are complete but coarser: min and max may be of earlier intervals, and sums and exponential buckets have the resolution of the totals',
        );
        return false;
      }
      setBlock(payload, block);
      this.#carrier!.initBlock(region.doubles, block);
      log!.append(BLOCK_RECORD, payload, blockWords);
      this.#refresh();
      linkBlock(this.cells.words, at, block);
      return true;
    } catch {
      return false; // the heap or the stack is used up
    }
  }

  #enter(attributes: CanonicalAttributes, cell: number): void {
    this.#sets++;
    const { table } = this.cells;
    const tables = this.#lookups.map((lookup) => lookup.table);
    for (const lookup of this.#lookups) lookup.table = undefined;
    table!.add(attributes, cell);
    this.#lookups.forEach((lookup, i) => {
      lookup.table = tables[i];
      if (attributes.keys.length === 0) lookup.unattributedCell = cell;
    });
  }

  #setTables(table: SeriesTable): void {
    for (const lookup of this.#lookups) lookup.table = table.lookupFor(lookup.keeps);
  }

  #learn(table: SeriesTable, attributes: unknown, canonical: CanonicalAttributes): void {
    if (canonical === NO_ATTRIBUTES && table.keeps === undefined) return;
    try {
      table.learnShape(attributes as object, canonical);
    } catch {
      // A proxy that answers differently each time has no shape to learn.
    }
  }

  #refresh(): void {
    this.#slab.region.refresh();
    for (const lookup of this.#lookups) {
      lookup.words = this.#slab.region.words;
      lookup.doubles = this.#slab.region.doubles;
    }
  }
}
