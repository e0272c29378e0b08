/**
 * A metric stream as one writer records it: the way from attributes to a cell, and the cells' memory.
 *
 * A subclass per aggregation has the record call: `locate` the cell, write it. A hit allocates nothing; a miss makes a
 * series or falls to the overflow series. Cell 0 is no cell: the region is so full that the stream has not even an
 * overflow series, and the measurement is counted as lost, and said so once.
 */
import type { Warnings } from '../base/warnings.ts';
import type { DirectoryLog } from '../memory/directory-log.ts';
import type { Region } from '../memory/region.ts';
import type { RegionClock } from '../memory/region-clock.ts';
import { canonicalAttributes, NO_ATTRIBUTES, OVERFLOW_ATTRIBUTES, type CanonicalAttributes } from './attributes.ts';
import { OVERFLOW_KEY_SET, SERIES_RECORD, encodeSeries, setSeriesCell, type StreamDescription } from './records.ts';
import { ABSENT, SeriesTable, UNKNOWN } from './series-table.ts';

/** What the streams of one slab share. */
export interface SlabAccess {
  readonly region: Region;
  /** Undefined where the thread got no slab: every measurement is then lost, and said so. */
  readonly log: DirectoryLog | undefined;
  readonly warnings: Warnings;
  readonly clock: RegionClock;
  /** The id of a key set in this slab's directory, written there if need be. -1 when the region is full. */
  keySetId(keys: readonly string[]): number;
}

/** A series an earlier owner of the slab left. */
export interface RestoredSeries {
  readonly attributes: CanonicalAttributes;
  readonly cell: number;
  readonly overflow: boolean;
}

export abstract class StreamWriter {
  readonly description: StreamDescription;
  /** Number of the stream in its slab; -1 where the region had no room for its record. */
  readonly id: number;
  /** Views that reach every cell of this stream. */
  protected words: Int32Array;
  protected doubles: Float64Array;
  /** Cell of the series without attributes; 0 until it is recorded to. */
  protected bare = 0;
  protected readonly table: SeriesTable = new SeriesTable();
  readonly #slab: SlabAccess;
  readonly #cellWords: number;
  #limit: number;
  #overflow = 0;
  #full = false;

  constructor(slab: SlabAccess, description: StreamDescription, id: number, cellWords: number, limit: number) {
    this.description = description;
    this.id = id;
    this.#slab = slab;
    this.#cellWords = cellWords;
    this.#limit = limit;
    this.words = slab.region.words;
    this.doubles = slab.region.doubles;
  }

  /** Attribute sets the stream may have, besides the overflow series. The larger wins where readers differ. */
  raiseLimit(limit: number): void {
    if (limit > this.#limit) {
      this.#limit = limit;
      this.#full = false;
    }
  }

  /** Takes over what a dead owner of the slab left of this stream. Call before anything is recorded. */
  restore(series: readonly RestoredSeries[]): void {
    this.#refresh();
    for (const { attributes, cell, overflow } of series) {
      if (overflow) this.#overflow = cell;
      else if (this.table.get(attributes) === ABSENT) this.#enter(attributes, cell);
    }
  }

  /**
   * Reserves the overflow series while there is room, so that what exceeds a limit later has a place to go. A series
   * whose cell was never written to is not reported. Call once, after `restore`.
   */
  reserveOverflow(): void {
    if (this.#overflow === 0 && this.id >= 0) this.#overflow = this.#newCell(OVERFLOW_ATTRIBUTES, OVERFLOW_KEY_SET);
  }

  /** The cell of an attribute set; 0 when there is none, and the measurement is lost. Never throws, whatever is passed. */
  protected locate(attributes: unknown): number {
    if (attributes === undefined) return this.bare !== 0 ? this.bare : this.#admit(attributes);
    let at: number;
    try {
      at = this.table.find(attributes as object);
    } catch {
      at = UNKNOWN; // null, or an object whose getter or proxy throws
    }
    if (at > 0) return at;
    return at === ABSENT && this.#full ? this.#spill() : this.#admit(attributes);
  }

  /** The slow way: may allocate. */
  #admit(attributes: unknown): number {
    const canonical = canonicalAttributes(attributes, (cause, message) => this.warn(cause, message));
    const known = this.table.get(canonical);
    if (known !== ABSENT) {
      this.#learn(attributes, canonical);
      return known;
    }
    if (this.#full) return this.#spill();
    if (this.table.size >= this.#limit) {
      this.#full = true;
      this.warn(
        'limit',
        `has reached its cardinality limit of ${this.#limit} attribute sets; further ones go to the series {otel.metric.overflow: true}. Raise the limit with the reader's cardinalitySelector, or record fewer attributes`,
      );
      return this.#spill();
    }
    const keySet = this.#slab.keySetId(canonical.keys);
    const cell = keySet < 0 ? 0 : this.#newCell(canonical, keySet);
    if (cell === 0) {
      this.#full = true;
      this.warn(
        'memory',
        `found the store's memory used up (maxBytes ${this.#slab.region.maxBytes}); new attribute sets go to the series {otel.metric.overflow: true}. Raise maxBytes of MetricStore.open, or record fewer attributes`,
      );
      return this.#spill();
    }
    this.#enter(canonical, cell);
    this.#learn(attributes, canonical);
    return cell;
  }

  /** Warns once per stream and cause. */
  warn(cause: string, message: string): void {
    const { name, scope } = this.description;
    this.#slab.warnings.once(`${scope.name}/${name}: ${cause}`, `metric ${name} of meter ${scope.name || '(unnamed)'}: ${message}`);
  }

  /** Prepares a new cell's zeroed memory; the default leaves it zero. */
  protected initCell(_doubles: Float64Array, _at: number): void {}

  /** Counts a measurement that has no cell to go to, and says so once. */
  lose(): void {
    this.#slab.region.countLost();
    this.warn(
      'lost',
      'the store has no memory left for this metric, not even for an overflow series; its measurements are lost (and counted). Raise maxBytes of MetricStore.open',
    );
  }

  /** Cell of the overflow series; 0 when there was no room for it. */
  get overflowCell(): number {
    return this.#overflow;
  }

  /** Start time of a series made now, in milliseconds since the epoch. */
  protected startTime(): number {
    return Date.now();
  }

  #spill(): number {
    if (this.#overflow === 0) this.lose();
    return this.#overflow;
  }

  #newCell(attributes: CanonicalAttributes, keySet: number): number {
    const { log, region } = this.#slab;
    if (log === undefined || this.id < 0) return 0;
    const payload = encodeSeries({ stream: this.id, keySet, cell: 0, startTime: this.startTime() }, attributes);
    const cell = log.place(payload.length, this.#cellWords);
    if (cell < 0) return 0;
    this.initCell(region.doubles, cell);
    setSeriesCell(payload, cell);
    log.append(SERIES_RECORD, payload, this.#cellWords);
    this.#refresh();
    return cell;
  }

  #enter(attributes: CanonicalAttributes, cell: number): void {
    this.table.add(attributes, cell);
    if (attributes.keys.length === 0) this.bare = cell;
  }

  #learn(attributes: unknown, canonical: CanonicalAttributes): void {
    if (canonical === NO_ATTRIBUTES) return;
    try {
      this.table.learnShape(attributes as object, canonical);
    } catch {
      // A proxy that answers differently each time has no shape to learn.
    }
  }

  #refresh(): void {
    this.#slab.region.refresh();
    this.words = this.#slab.region.words;
    this.doubles = this.#slab.region.doubles;
  }
}
