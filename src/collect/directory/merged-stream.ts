import type { Attributes } from '@opentelemetry/api';
import {
  OVERFLOW_ATTRIBUTES,
  type AttributeValue,
  type CanonicalAttributes,
} from '../../state/attributes.ts';
import {
  CLEARED,
  end,
  ENDING,
  finish,
  isOver,
  REMOVED,
  removalAt,
  stateAt,
  wasBefore,
} from '../../state/standing.ts';
import { startAt, type StreamDescription } from '../../state/records.ts';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { attributesObject } from './attribute-objects.ts';
import { Contributions, NONE, type Contribution } from './contributions.ts';
import type { Region } from '../../memory/region.ts';
import { hrTimeOf, isEarlier } from '../hr-time.ts';
import type { Exemplar } from '../metric-data.ts';
import type { ExemplarBlock } from './exemplar-block.ts';
import { SeriesIndex } from './series-index.ts';

export { NONE } from './contributions.ts';

// What is known of a series.
const NOT_YET = 0; // nobody was seen to have recorded to it
const LIVE = 1;
const OVER = 2;

/**
 * One stream of the store, over all writers that have it. Its series are numbered from 0 in the order in
 * which they were found, and so are their contributions (contributions.ts). A series has one object, its
 * attributes. Everything else is in arrays of numbers, since a store has a hundred thousand series.
 *
 * Contributions are only ever appended. Sums are added up in this order. So a total of terms that never fall
 * never falls either: rounding is monotone as long as the order stays.
 *
 * A series that was removed has ended: it is found and reported no more. If the set comes back, it is another
 * series, with another number.
 */
export class MergedStream {
  readonly description: StreamDescription;
  /** The longest description that any writer gave. */
  text: string;
  /** When the first of the known writers made the stream, in milliseconds since the epoch. */
  created: number;
  readonly attributes: Attributes[] = [];
  /** Whether a directory that may have parts of the stream could not be read to its end. */
  isDamaged = false;
  /** Exemplars by the cell of the series they belong to; undefined while no series has any. */
  exemplars: Map<number, ExemplarBlock> | undefined;
  readonly #index = new SeriesIndex((series) => this.attributes[series]!);
  readonly #contributions = new Contributions();
  #starts = new Float64Array(8); // milliseconds since the epoch
  #live = new Uint8Array(8); // what of a series is known: NOT_YET, LIVE or OVER
  #over = new Uint8Array(8); // 1 for contributions that count in their series no more
  #sets = 0; // attribute sets of series that have not ended, without the overflow series
  #overflow = NONE;
  #endings = 0;
  readonly #removals = new Map<number, number>(); // their numbers, by series that have ended
  #cleared: number | undefined; // the number of the last removal of all series

  constructor(description: StreamDescription) {
    this.description = description;
    this.text = description.description;
    this.created = description.created;
  }

  /** Of several descriptions, the longest is shown (specification, duplicate registration). */
  describe(text: string): void {
    if (text.length > this.text.length) this.text = text;
  }

  /** Number of series. */
  get size(): number {
    return this.attributes.length;
  }

  /** The number of the series with these attributes, or NONE. */
  seriesOf(attributes: CanonicalAttributes): number {
    const series = this.#index.find(this.#index.hashOf(attributes), attributes);
    return series === NONE || this.hasEnded(series) ? NONE : series;
  }

  /** How many series have ended. */
  get endings(): number {
    return this.#endings;
  }

  /**
   * Whether a part that is met now was made before its series was removed, as far as that is known here.
   * `standing`: int32 index in the region.
   */
  wasRemoved(attributes: CanonicalAttributes, standing: number, { words }: Region): boolean {
    if (this.#removals.size === 0 && this.#cleared === undefined) return false;
    const series = this.#index.find(this.#index.hashOf(attributes), attributes);
    return [this.#removals.get(series), this.#cleared].some(
      (removal) => removal !== undefined && wasBefore(words, standing, removal),
    );
  }

  /** Whether a series was removed. */
  hasEnded(series: number): boolean {
    return this.#live[series] === OVER;
  }

  /** Number of the overflow series, or NONE. */
  get overflow(): number {
    return this.#overflow;
  }

  /**
   * The earliest start among the writers known when the series was first reported, in milliseconds since the
   * epoch. It never moves after that.
   */
  startOf(series: number): number {
    return this.#starts[series]!;
  }

  /** The first contribution of a series; there is always one. */
  firstOf(series: number): number {
    return this.#contributions.firstOf(series);
  }

  /** The contribution after another, or NONE. */
  nextOf(contribution: number): number {
    return this.#contributions.nextOf(contribution);
  }

  /** Where a contribution's cell is: float64 index in the region. */
  cellOf(contribution: number): number {
    return this.#contributions.cellOf(contribution);
  }

  /** The slab it lies in, which tells its writer. */
  slabOf(contribution: number): number {
    return this.#contributions.slabOf(contribution);
  }

  /** For each contribution, its cell, or -1 if it has ended, and the number of its series. */
  contributions(): { readonly cells: Int32Array; readonly series: Int32Array } {
    const series = new Int32Array(this.contributionCount);
    for (let i = 0; i < this.size; i++)
      for (
        let contribution = this.firstOf(i);
        contribution !== NONE;
        contribution = this.nextOf(contribution)
      )
        series[contribution] = i;
    const cells = this.#contributions.cells();
    for (let part = 0; part < cells.length; part++) if (this.#over[part] === 1) cells[part] = NONE;
    return { cells, series };
  }

  /** Number of contributions, of all series together. */
  get contributionCount(): number {
    return this.#contributions.size;
  }

  /** Sum of the versions of a series' cells, wrapping: it changes with every measurement. */
  updatesOf(series: number, words: Int32Array): number {
    let updates = 0;
    for (
      let contribution = this.firstOf(series);
      contribution !== NONE;
      contribution = this.nextOf(contribution)
    )
      updates = (updates + Atomics.load(words, this.cellOf(contribution) << 1)) | 0;
    return updates;
  }

  /**
   * True once some writer has recorded to the series. Bound and reserved series exist before that. A cell's
   * version is 0 until its first update; when it wraps to 0 later, this is already true.
   */
  isLive(series: number, words: Int32Array): boolean {
    const known = this.#live[series];
    if (known !== NOT_YET) return known === LIVE;
    for (
      let contribution = this.firstOf(series);
      contribution !== NONE;
      contribution = this.nextOf(contribution)
    ) {
      if (Atomics.load(words, this.cellOf(contribution) << 1) === 0) continue;
      this.#live[series] = LIVE;
      return true;
    }
    return false;
  }

  /**
   * The exemplars of a series, over all writers, that were not made before `since`, in milliseconds since the
   * epoch. Of each place of the reservoir it has the newest, so there are no more than one writer may keep.
   * Undefined if there are none.
   */
  exemplarsOf(series: number, region: Region, since: number): readonly Exemplar[] | undefined {
    const blocks = this.exemplars;
    if (blocks === undefined) return undefined;
    const start = hrTimeOf(since);
    let newest: Exemplar[] | undefined; // by place, with holes
    for (
      let contribution = this.firstOf(series);
      contribution !== NONE;
      contribution = this.nextOf(contribution)
    ) {
      const block = blocks.get(this.cellOf(contribution));
      if (block === undefined) continue;
      for (let place = 0; place < block.places; place++) {
        const exemplar = block.read(place, region);
        if (exemplar === undefined || isEarlier(exemplar.timestamp, start)) continue;
        newest ??= [];
        const other = newest[place];
        if (other === undefined || !isEarlier(exemplar.timestamp, other.timestamp)) newest[place] = exemplar;
      }
    }
    return newest?.filter(() => true);
  }

  /** Whether one more set, with these attributes, is within a cardinality limit. */
  hasRoomFor(attributes: CanonicalAttributes, limit: number): boolean {
    return this.#sets < limit || this.seriesOf(attributes) !== NONE;
  }

  /**
   * Adds a writer's part of a series. Parts of sets beyond the cardinality limit are added to the overflow
   * series (`OVERFLOW_ATTRIBUTES`), from their first to their last measurement.
   */
  add(attributes: CanonicalAttributes, start: number, contribution: Contribution): void {
    const isOverflow = attributes === OVERFLOW_ATTRIBUTES;
    const hash = this.#index.hashOf(attributes);
    const series = this.#index.find(hash, attributes);
    if (series !== NONE && !this.hasEnded(series)) {
      this.#contributions.append(series, contribution);
      if (this.#live[series] === NOT_YET) this.#starts[series] = Math.min(this.#starts[series]!, start);
    } else {
      if (isOverflow) this.#overflow = this.size;
      else this.#sets++;
      if (series === NONE) this.#index.add(hash, this.size);
      else this.#index.replace(hash, series, this.size);
      this.#create(attributesObject(attributes), start, contribution);
    }
  }

  /**
   * Follows what was removed since the last call. Tells the owners of all parts of a removed series, and ends
   * the series here. Parts that began later go on as a new series. Returns whether an owner has to be woken.
   */
  followEndings(region: Region): boolean {
    const over = this.#newlyOver(region.words);
    if (over.length === 0) return false;
    const { series } = this.contributions();
    let told = false;
    // Again until there are no more: another reader may tell owners meanwhile, and a series ends as a whole.
    for (let found = over; found.length > 0; over.push(...(found = this.#newlyOver(region.words))))
      for (const part of found) told = this.#tellOwners(part, series[part]!, region) || told;
    const ended = new Set(over.map((part) => series[part]!));
    for (const one of ended) if (!this.hasEnded(one)) this.#endSeries(one, region);
    return told;
  }

  /** The contributions that are over, and were not when they were asked for before. */
  #newlyOver(words: Int32Array): number[] {
    const { size } = this.#contributions;
    const newly: number[] = [];
    if (this.#over.length < size) this.#over = lengthened(this.#over, roomFor(size));
    for (let part = 0; part < size; part++) {
      if (this.#over[part] === 1 || !isOver(this.#stateOf(part, words))) continue;
      this.#over[part] = 1;
      newly.push(part);
    }
    return newly;
  }

  /** For a part whose owner has removed the series, or all of the stream. */
  #tellOwners(part: number, of: number, region: Region): boolean {
    const word = this.#contributions.standingOf(part);
    const state = stateAt(region.words, word);
    if (state !== REMOVED && state !== CLEARED) return false;
    const removal = removalAt(region.words, word);
    let told = false;
    if (state === REMOVED) {
      this.#removals.set(of, removal);
      told = this.#endParts(of, removal, region);
    } else {
      this.#cleared = removal;
      for (let series = 0; series < this.size; series++)
        told = this.#endParts(series, removal, region) || told;
    }
    // last: a reader that finds it ended finds the others ended too
    finish(region.words, word, state);
    return told;
  }

  /** Ends the parts of a series that began before it was removed. */
  #endParts(series: number, removal: number, { words }: Region): boolean {
    if (this.hasEnded(series)) return false;
    let told = false;
    for (const part of this.#parts(series)) {
      const word = this.#contributions.standingOf(part);
      if (wasBefore(words, word, removal)) told = end(words, word, ENDING, series === this.#overflow) || told;
    }
    return told;
  }

  /** Ends a series of which parts are over. */
  #endSeries(series: number, region: Region): void {
    const isOverflow = series === this.#overflow;
    const attributes = isOverflow ? OVERFLOW_ATTRIBUTES : this.#canonicalOf(series);
    this.#live[series] = OVER;
    this.#endings++;
    if (isOverflow) this.#overflow = NONE;
    else this.#sets--;
    for (const part of this.#parts(series)) {
      if (this.#over[part] === 1) continue;
      this.#over[part] = 1; // as a part of this series
      const standing = this.#contributions.standingOf(part);
      const contribution = { cell: this.cellOf(part), slab: this.slabOf(part), standing };
      this.add(attributes, startAt(region, standing), contribution);
    }
  }

  #canonicalOf(series: number): CanonicalAttributes {
    const attributes = this.attributes[series]!;
    return { keys: Object.keys(attributes), values: Object.values(attributes) as AttributeValue[] };
  }

  #stateOf(contribution: number, words: Int32Array): number {
    return stateAt(words, this.#contributions.standingOf(contribution));
  }

  #parts(series: number): number[] {
    const parts: number[] = [];
    for (
      let contribution = this.firstOf(series);
      contribution !== NONE;
      contribution = this.nextOf(contribution)
    )
      parts.push(contribution);
    return parts;
  }

  #create(attributes: Attributes, start: number, contribution: Contribution): void {
    const series = this.attributes.length;
    if (series === this.#starts.length) {
      this.#starts = lengthened(this.#starts, roomFor(series));
      this.#live = lengthened(this.#live, this.#starts.length);
    }
    this.attributes.push(attributes);
    this.#starts[series] = start;
    this.#contributions.begin(series, contribution);
  }
}
