import type { Attributes } from '@opentelemetry/api';
import { OVERFLOW_ATTRIBUTES, type CanonicalAttributes } from '../../state/attributes.ts';
import type { StreamDescription } from '../../state/records.ts';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { attributesObject } from './attribute-objects.ts';
import { Contributions, NONE, type Contribution } from './contributions.ts';
import type { Region } from '../../memory/region.ts';
import { hrTimeOf, isEarlier } from '../hr-time.ts';
import type { Exemplar } from '../metric-data.ts';
import type { ExemplarBlock } from './exemplar-block.ts';
import { SeriesIndex } from './series-index.ts';

export { NONE } from './contributions.ts';

/**
 * One stream of the store, over all writers that have it. Its series are numbered from 0 in the order in
 * which they were found, and so are their contributions (contributions.ts). A series has one object, its
 * attributes. Everything else is in arrays of numbers, since a store has a hundred thousand series.
 *
 * Contributions are only ever appended. Sums are added up in this order. So a total of terms that never fall
 * never falls either: rounding is monotone as long as the order stays.
 */
export class MergedStream {
  readonly description: StreamDescription;
  /** The longest description that any writer gave. */
  text: string;
  /** When the first of the known writers made the stream, in milliseconds since the epoch. */
  created: number;
  readonly attributes: Attributes[] = [];
  /** Exemplars by the cell of the series they belong to; undefined while no series has any. */
  exemplars: Map<number, ExemplarBlock> | undefined;
  readonly #index = new SeriesIndex((series) => this.attributes[series]!);
  readonly #contributions = new Contributions();
  #starts = new Float64Array(8); // milliseconds since the epoch
  #live = new Uint8Array(8);
  #sets = 0; // attribute sets without the overflow series
  #overflow = NONE;

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
    return this.#index.find(this.#index.hashOf(attributes), attributes);
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

  /** For each contribution, its cell and the number of its series. */
  contributions(): { readonly cells: Int32Array; readonly series: Int32Array } {
    const series = new Int32Array(this.contributionCount);
    for (let i = 0; i < this.size; i++)
      for (
        let contribution = this.firstOf(i);
        contribution !== NONE;
        contribution = this.nextOf(contribution)
      )
        series[contribution] = i;
    return { cells: this.#contributions.cells(), series };
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
    if (this.#live[series] === 1) return true;
    for (
      let contribution = this.firstOf(series);
      contribution !== NONE;
      contribution = this.nextOf(contribution)
    ) {
      if (Atomics.load(words, this.cellOf(contribution) << 1) === 0) continue;
      this.#live[series] = 1;
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
    if (series !== NONE) {
      this.#contributions.append(series, contribution);
      if (this.#live[series] === 0) this.#starts[series] = Math.min(this.#starts[series]!, start);
    } else {
      if (isOverflow) this.#overflow = this.size;
      else this.#sets++;
      this.#create(attributes, hash, start, contribution);
    }
  }

  #create(attributes: CanonicalAttributes, hash: number, start: number, contribution: Contribution): void {
    const series = this.attributes.length;
    if (series === this.#starts.length) {
      this.#starts = lengthened(this.#starts, roomFor(series));
      this.#live = lengthened(this.#live, this.#starts.length);
    }
    this.attributes.push(attributesObject(attributes));
    this.#starts[series] = start;
    this.#contributions.begin(series, contribution);
    this.#index.add(hash, series);
  }
}
