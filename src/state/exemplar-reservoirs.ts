import type { Warnings } from '../base/warnings.ts';
import type { DirectoryLog } from '../memory/directory-log.ts';
import type { Refusal } from '../memory/refusal.ts';
import type { Region } from '../memory/region.ts';
import {
  exemplarCellWords,
  exemplarTextBytes,
  writeExemplar,
  type ExemplarSpan,
} from './cells/exemplar-cell.ts';
import { canonicalAttributes } from './attributes.ts';
import {
  encodeExemplars,
  exemplarBlockWords,
  setExemplarBlock,
  type ExemplarsRecord,
} from './exemplar-record.ts';
import { EXEMPLARS_RECORD, type Aggregation } from './records.ts';
import type { ReservoirChoice } from './stream-choices.ts';

const MAX_OF_EXPONENTIAL = 20;

/** The reservoir of a stream when no view chose one (specification, exemplar defaults). */
export function defaultReservoir(aggregation: Aggregation): ReservoirChoice {
  switch (aggregation.type) {
    case 'explicit-bucket-histogram':
      return aggregation.boundaries.length > 0
        ? { type: 'aligned-buckets' }
        : { type: 'fixed-size', size: 1 };
    case 'exponential-histogram':
      return { type: 'fixed-size', size: Math.min(MAX_OF_EXPONENTIAL, aggregation.maxSize) };
    default:
      return { type: 'fixed-size', size: 1 };
  }
}

/**
 * Says whether a measurement may be an exemplar. Each stream has its own, which may remember what it found.
 */
export interface ExemplarGate {
  /**
   * The span of a measurement that is to be offered; undefined when it is not. `context`: what the caller
   * passed. Never throws.
   */
  spanOf(context: unknown): ExemplarSpan | undefined;
  /** How many of the next measurements need no question, unless the caller passes a context. Below 2^30. */
  readonly untilNextOffer: number;
}

/** Attributes of a measurement, and what a view did to them. */
export interface MeasuredAttributes {
  /** As they came to the stream. */
  readonly attributes: unknown;
  /** The attributes before code of a view changed them. */
  readonly measured: unknown;
  /** Which keys of `attributes` count, if a view chooses by keys. */
  readonly keeps: ((key: string) => boolean) | undefined;
}

/** What the reservoirs of one slab share. */
export interface ExemplarMemory {
  readonly region: Region;
  readonly log: DirectoryLog | undefined;
  readonly warnings: Warnings;
}

/** Room for filtered attributes: 126 bytes, the most that OpenMetrics allows in an exemplar. */
const TEXT_WORDS = 21;

function shareUsed({ maxBytes }: Region): Refusal {
  return {
    reason: `they have taken the quarter of maxBytes ${maxBytes} that they may have`,
    fix: 'Raise maxBytes of MetricStore.open',
  };
}

interface Reservoir {
  /** First cell; float64 index. */
  readonly block: number;
  /** Measurements offered since the last collection: in all, or by bucket. */
  readonly seen: Float64Array;
  /** ... which had this number. */
  collection: number;
}

/**
 * The exemplars of one stream in one slab. Each series has a reservoir, which is made for the first
 * measurement that is offered.
 *
 * Both kinds choose with equal chance among all measurements since the last collection (of each bucket, or of
 * all): the n-th replaces a kept one with chance 1/n, or size/n. So a busy series writes few exemplars
 * between two collections. "Keep the last", which the specification allows for buckets, would write every
 * measurement. A collection empties no cell: an exemplar stays, with its time, until a measurement replaces
 * it. The counts belong to this thread; the next owner of the slab starts new ones over the same cells.
 */
export class ExemplarReservoirs {
  /** True if a view may drop attributes: exemplars then carry them. */
  readonly filters: boolean;
  readonly #memory: ExemplarMemory;
  readonly #stream: { readonly id: number };
  readonly #places: number;
  readonly #aligned: boolean;
  readonly #textWords: number;
  readonly #reservoirs = new Map<number, Reservoir>(); // by the series' cell
  #full = false;

  /**
   * `stream`: its id in the slab may come later. `buckets`: of a histogram with explicit ones, else 0.
   * `filters`: whether a view may drop attributes, which exemplars then carry.
   */
  constructor(
    memory: ExemplarMemory,
    stream: { readonly id: number },
    choice: ReservoirChoice,
    buckets: number,
    filters: boolean,
  ) {
    this.#memory = memory;
    this.#stream = stream;
    this.#aligned = choice.type === 'aligned-buckets' && buckets > 0;
    this.#places = choice.type === 'fixed-size' ? choice.size : Math.max(1, buckets);
    this.filters = filters;
    this.#textWords = filters ? TEXT_WORDS : 0;
  }

  /**
   * Continues in the block that a dead owner of the slab had for a series. A block of another shape is left
   * alone.
   */
  restore({ cell, block, places, textWords }: ExemplarsRecord): void {
    if (places === this.#places && textWords === this.#textWords)
      this.#reservoirs.set(cell, this.#reservoir(block));
  }

  /**
   * Offers a measurement of the series of `cell`; `bucket`: the bucket it fell into, if the stream has
   * buckets. Never throws.
   */
  offer(
    cell: number,
    bucket: number,
    value: number,
    span: ExemplarSpan,
    attributes: MeasuredAttributes,
  ): void {
    try {
      const reservoir = this.#reservoirs.get(cell) ?? this.#make(cell);
      if (reservoir === undefined) return;
      const { region } = this.#memory;
      const { collections } = region;
      if (reservoir.collection !== collections) {
        reservoir.seen.fill(0);
        reservoir.collection = collections;
      }
      const place = this.#aligned ? oneOf(reservoir.seen, bucket) : someOf(reservoir.seen, this.#places);
      if (place < 0) return;
      const at = reservoir.block + place * exemplarCellWords(this.#textWords);
      const text = this.#textWords === 0 ? '' : filteredText(attributes, exemplarTextBytes(this.#textWords));
      writeExemplar(region.words, region.doubles, at, this.#textWords, {
        value,
        time: region.takeTime(),
        span,
        text,
      });
    } catch {
      // Attributes or a span that cannot be read, or a full heap: the measurement is recorded and does not
      // become an exemplar.
    }
  }

  #make(cell: number): Reservoir | undefined {
    const { region, log } = this.#memory;
    const { id } = this.#stream;
    if (this.#full || log === undefined || id < 0) return undefined;
    const words = exemplarBlockWords(this.#places, this.#textWords);
    const payload = encodeExemplars({
      stream: id,
      cell,
      block: 0,
      places: this.#places,
      textWords: this.#textWords,
    });
    this.#full = !region.takeExemplarBytes(words * 8);
    const block = this.#full ? -1 : log.place(payload.length, words);
    if (block < 0) {
      if (!this.#full) region.giveExemplarBytes(words * 8); // a later series may find room
      const { reason, fix } = this.#full ? shareUsed(region) : region.refusal;
      this.#memory.warnings.loss(
        'memory',
        `exemplars ${reason}`,
        `seqlock-metrics: there is no memory for the exemplars of further series, which are recorded without: ${reason}. Measurements are not affected. ${fix}, or set exemplarFilter to always_off`,
      );
      return undefined;
    }
    setExemplarBlock(payload, block);
    log.append(EXEMPLARS_RECORD, payload, words);
    const reservoir = this.#reservoir(block);
    this.#reservoirs.set(cell, reservoir);
    return reservoir;
  }

  #reservoir(block: number): Reservoir {
    return {
      block,
      seen: new Float64Array(this.#aligned ? this.#places : 1),
      collection: this.#memory.region.collections,
    };
  }
}

/** JSON of the attributes that a view dropped, of as many of them as fit in `most` bytes. */
function filteredText({ attributes, measured, keeps }: MeasuredAttributes, maxBytes: number): string {
  const all = canonicalAttributes(measured ?? attributes, () => {});
  const left = Object(attributes) as object; // nothing for a value that is no object
  const isKept = (key: string): boolean =>
    measured === undefined ? (keeps?.(key) ?? true) : Object.hasOwn(left, key);
  let text = '';
  all.keys.forEach((key, i) => {
    const value = JSON.stringify(all.values[i]) as string | undefined;
    if (value === undefined || isKept(key)) return;
    const longer = `${text === '' ? '{' : `${text},`}${JSON.stringify(key)}:${value}`;
    if (Buffer.byteLength(longer) + 1 <= maxBytes) text = longer;
  });
  return text === '' ? '' : `${text}}`;
}

/** The place of a measurement in its bucket's reservoir of one, or -1. */
function oneOf(seen: Float64Array, bucket: number): number {
  return Math.random() * ++seen[bucket]! < 1 ? bucket : -1;
}

/**
 * The place of a measurement in a reservoir of `places` (Algorithm R, Vitter, "Random Sampling with a
 * Reservoir", 1985), or -1.
 */
function someOf(seen: Float64Array, places: number): number {
  const count = ++seen[0]!;
  const place = count <= places ? count - 1 : Math.floor(Math.random() * count);
  return place < places ? place : -1;
}
