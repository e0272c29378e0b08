import type { Attributes, HrTime } from '@opentelemetry/api';
import { OVERFLOW_ATTRIBUTES, type CanonicalAttributes } from '../state/attributes.ts';
import type { StreamDescription } from '../state/records.ts';
import type { ExemplarBlock } from './exemplar-block.ts';
import { isEarlier } from './hr-time.ts';
import { IntervalExtremes } from './interval-extremes.ts';
import { SeriesIndex } from './series-index.ts';

/** No further contribution. */
export const NONE: number = -1;

/** One writer's part of a series. */
export interface Contribution {
  /** Where its cell is: float64 index in the region. */
  readonly cell: number;
  readonly slab: number;
  /** Whether the cell is one of interval-histogram-cell.ts. */
  readonly intervals: boolean;
}

/**
 * One stream of the store, over all writers that have it. Its series are numbered from 0 in the order in which they were found; the
 * cells a series is made of (its contributions, one per writer) form a list:
 *
 *   series   attributes[i]  starts[i]  first[i] -> last[i]
 *                                        |
 *   node                    cells[n]  slabs[n]  intervals[n]  next[n] -> ...
 *
 * Arrays of numbers and no object per series: a store has a hundred thousand of them.
 *
 * Contributions are only ever appended. Sums are added up in this order, so that a total of terms that never fall never falls
 * either: rounding is monotone as long as the order stays.
 */
export class MergedStream {
  readonly description: StreamDescription;
  /** The longest description that any writer gave. */
  text: string;
  /** When the first of the writers known made the stream, in milliseconds since the epoch. */
  created: number;
  /** Whether some contribution's cell keeps the extremes of intervals. */
  hasIntervals = false;
  readonly attributes: Attributes[] = [];
  /** The earliest start among the writers known when the series was first reported; it never moves after that. */
  readonly starts: HrTime[] = [];
  /** Exemplars by the cell of the series they belong to; undefined while no series has any. */
  exemplars: Map<number, ExemplarBlock> | undefined;
  readonly #index = new SeriesIndex((series) => this.attributes[series]!);
  #first = new Int32Array(8);
  #last = new Int32Array(8);
  #live = new Uint8Array(8);
  #cells = new Int32Array(8);
  #slabs = new Int16Array(8);
  #intervals = new Uint8Array(8);
  #next = new Int32Array(8);
  #nodes = 0;
  #sets = 0; // attribute sets, the overflow series not counted
  #overflow = NONE;
  #extremes: IntervalExtremes | undefined;

  constructor(description: StreamDescription) {
    this.description = description;
    this.text = description.description;
    this.created = description.created;
  }

  /** Number of series. */
  get size(): number {
    return this.attributes.length;
  }

  /** The number of the series with these attributes, or NONE. */
  seriesOf(attributes: CanonicalAttributes): number {
    return this.#index.find(this.#index.hashOf(attributes), attributes);
  }

  /** Number of the overflow series, or NONE. */
  get overflow(): number {
    return this.#overflow;
  }

  /** The first contribution of a series; there is always one. */
  firstOf(series: number): number {
    return this.#first[series]!;
  }

  /** The contribution after another, or NONE. */
  nextOf(node: number): number {
    return this.#next[node]!;
  }

  /** Where a contribution's cell is: float64 index in the region. */
  cellOf(node: number): number {
    return this.#cells[node]!;
  }

  /** Whose it is. */
  slabOf(node: number): number {
    return this.#slabs[node]!;
  }

  /** Whether a contribution's cell keeps the extremes of intervals. */
  intervalsOf(node: number): boolean {
    return this.#intervals[node] === 1;
  }

  /** Of each contribution its cell, and the series it is a part of. */
  contributions(): { readonly cells: Int32Array; readonly series: Int32Array } {
    const series = new Int32Array(this.#nodes);
    for (let i = 0; i < this.size; i++)
      for (let node = this.firstOf(i); node !== NONE; node = this.nextOf(node)) series[node] = i;
    return { cells: this.#cells.slice(0, this.#nodes), series };
  }

  /** Extremes between collections, for the readers of this thread with delta temporality. */
  get extremes(): IntervalExtremes {
    return (this.#extremes ??= new IntervalExtremes());
  }

  /** Whether such a reader has asked for them. */
  get isFollowed(): boolean {
    return this.#extremes !== undefined;
  }

  /** Number of contributions, of all series together. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Sum of the versions of a series' cells, wrapping: it changes with every measurement. */
  updatesOf(series: number, words: Int32Array): number {
    let updates = 0;
    for (let node = this.firstOf(series); node !== NONE; node = this.nextOf(node))
      updates = (updates + Atomics.load(words, this.cellOf(node) << 1)) | 0;
    return updates;
  }

  /**
   * True once some writer has recorded to the series: bound and reserved series exist before that. A cell's version is 0 until its
   * first update; that it comes round to 0 again matters no more once this was true.
   */
  isLive(series: number, words: Int32Array): boolean {
    if (this.#live[series] === 1) return true;
    for (let node = this.firstOf(series); node !== NONE; node = this.nextOf(node)) {
      if (Atomics.load(words, this.cellOf(node) << 1) === 0) continue;
      this.#live[series] = 1;
      return true;
    }
    return false;
  }

  /**
   * Adds a writer's series. Attribute sets beyond `limit` are counted in the overflow series, from their first to their last
   * measurement: each writer keeps the limit by itself, this keeps it over all of them.
   */
  add(attributes: CanonicalAttributes, start: HrTime, contribution: Contribution, limit: number): void {
    const isOverflow = attributes === OVERFLOW_ATTRIBUTES;
    const hash = this.#index.hashOf(attributes);
    const series = this.#index.find(hash, attributes);
    if (series !== NONE) {
      this.#append(series, contribution);
      if (this.#live[series] === 0 && isEarlier(start, this.starts[series]!)) this.starts[series] = start;
    } else if (!isOverflow && this.#sets >= limit) {
      this.add(OVERFLOW_ATTRIBUTES, start, contribution, limit);
    } else {
      if (isOverflow) this.#overflow = this.size;
      else this.#sets++;
      this.#create(attributes, hash, start, contribution);
    }
  }

  #create(attributes: CanonicalAttributes, hash: number, start: HrTime, contribution: Contribution): void {
    const series = this.attributes.length;
    if (series === this.#first.length) {
      this.#first = grown(this.#first, new Int32Array(2 * series));
      this.#last = grown(this.#last, new Int32Array(2 * series));
      this.#live = grown(this.#live, new Uint8Array(2 * series));
    }
    this.attributes.push(objectOf(attributes));
    this.starts.push(start);
    this.#first[series] = this.#last[series] = this.#node(contribution);
    this.#index.add(hash, series);
  }

  #append(series: number, contribution: Contribution): void {
    const node = this.#node(contribution);
    this.#next[this.#last[series]!] = node;
    this.#last[series] = node;
  }

  #node({ cell, slab, intervals }: Contribution): number {
    const node = this.#nodes++;
    if (node === this.#cells.length) {
      this.#cells = grown(this.#cells, new Int32Array(2 * node));
      this.#slabs = grown(this.#slabs, new Int16Array(2 * node));
      this.#intervals = grown(this.#intervals, new Uint8Array(2 * node));
      this.#next = grown(this.#next, new Int32Array(2 * node));
    }
    this.#cells[node] = cell;
    this.#slabs[node] = slab;
    this.#next[node] = NONE;
    this.#intervals[node] = intervals ? 1 : 0;
    this.hasIntervals ||= intervals;
    return node;
  }
}

function grown<T extends Int32Array | Int16Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function objectOf({ keys, values }: CanonicalAttributes): Attributes {
  const attributes: Record<string, unknown> = {};
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const value = values[i];
    if (key !== '__proto__') attributes[key] = value;
    else
      Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return attributes as Attributes;
}
