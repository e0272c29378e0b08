import type { Warnings } from '../base/warnings.ts';
import type { DirectoryLog } from '../memory/directory-log.ts';
import type { Refusal } from '../memory/refusal.ts';
import type { Region } from '../memory/region.ts';
import {
  exemplarCellWords,
  exemplarCopyWords,
  exemplarTextBytes,
  exemplarTextWords,
  readExemplar,
  writeExemplar,
  type ExemplarSpan,
} from './cells/exemplar-cell.ts';
import { canonicalAttributes, jsonOfValue } from './attributes.ts';
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
  /** At what length values of attributes are cut. */
  readonly maxValueLength: number;
}

/** The stream that exemplars are of. */
export interface ExemplarStream {
  /** Its number in the slab; below 0 while it has none. */
  readonly id: number;
  /** Cell of the overflow series, none of whose measurements keeps its attributes. */
  readonly overflowCell: number;
}

function shareUsed({ maxBytes }: Region): Refusal {
  return {
    reason: `they have taken the quarter of maxBytes ${maxBytes} that they may have`,
    fix: 'Raise maxBytes of MetricStore.open',
  };
}

/** A measurement as it is offered to a reservoir of the app's own. */
export interface ExemplarMeasurement {
  readonly value: number;
  /** All attributes that the call had. Do not keep or change the object: it is the caller's. */
  readonly attributes: unknown;
  /** What the caller passed; undefined: the active context counts. */
  readonly context: unknown;
}

/** Chooses the exemplars of one series, in place of the reservoirs here. */
export interface ExemplarChooser {
  /** The place that keeps the measurement, from 0; anything else: none. May throw. */
  offer(measurement: ExemplarMeasurement): unknown;
  /** Called before the first offer after a collection, if it is there. */
  collected?(): void;
}

interface Reservoir {
  /** First cell; float64 index. */
  readonly block: number;
  /** Room for filtered attributes in each cell. */
  readonly textWords: number;
  /** Chooses instead of this class; undefined where no view has one. */
  readonly chooser: ExemplarChooser | undefined;
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
 *
 * Exemplars carry all attributes that the series does not have (specification, exemplar). If a text needs
 * more room than the cells have, the series gets a larger block, and what was kept is copied into it.
 */
export class ExemplarReservoirs {
  /** True if a view may drop attributes: exemplars then carry them. */
  readonly filters: boolean;
  readonly #memory: ExemplarMemory;
  readonly #stream: ExemplarStream;
  readonly #places: number;
  readonly #aligned: boolean;
  readonly #makeChooser: (() => ExemplarChooser) | undefined;
  readonly #reservoirs = new Map<number, Reservoir>(); // by the series' cell
  #full = false;

  /**
   * `stream`: its id in the slab may come later. `buckets`: of a histogram with explicit ones, else 0.
   * `filters`: whether a view may drop attributes, which exemplars then carry. `makeChooser`: of a custom
   * choice, for each series.
   */
  constructor(
    memory: ExemplarMemory,
    stream: ExemplarStream,
    choice: ReservoirChoice,
    buckets: number,
    filters: boolean,
    makeChooser?: () => ExemplarChooser,
  ) {
    this.#makeChooser = makeChooser;
    this.#memory = memory;
    this.#stream = stream;
    this.#aligned = choice.type === 'aligned-buckets' && buckets > 0;
    this.#places = choice.type === 'aligned-buckets' ? Math.max(1, buckets) : choice.size;
    this.filters = filters;
  }

  /**
   * Continues in the block that a dead owner of the slab had for a series. A block of another shape is left
   * alone.
   */
  restore({ cell, block, places, textWords }: ExemplarsRecord): void {
    if (places === this.#places) this.#reservoirs.set(cell, this.#reservoir(block, textWords));
  }

  /** Whether attributes of measurements to the series of `cell` are needed later. */
  needsAttributes(cell: number): boolean {
    return this.#makeChooser !== undefined || this.#carries(cell);
  }

  #carries(cell: number): boolean {
    return this.filters || cell === this.#stream.overflowCell;
  }

  /**
   * Offers a measurement of the series of `cell`; `bucket`: the bucket it fell into, if the stream has
   * buckets; `context`: what the caller passed. Never throws.
   */
  offer(
    cell: number,
    bucket: number,
    value: number,
    span: ExemplarSpan,
    attributes: MeasuredAttributes,
    context?: unknown,
  ): void {
    try {
      const reservoir =
        this.#reservoirs.get(cell) ?? this.#make(cell, wordsOf(this.#filtered(cell, attributes)));
      if (reservoir === undefined) return;
      const { region } = this.#memory;
      const { collections } = region;
      if (reservoir.collection !== collections) {
        reservoir.seen.fill(0);
        reservoir.collection = collections;
        reservoir.chooser?.collected?.();
      }
      const place = this.#placeFor(reservoir, bucket, value, attributes, context);
      if (place < 0) return;
      const entries = this.#filtered(cell, attributes);
      const { block, textWords } = this.#withRoom(cell, reservoir, wordsOf(entries));
      const text = fitting(entries, exemplarTextBytes(textWords));
      const at = block + place * exemplarCellWords(textWords);
      writeExemplar(region.words, region.doubles, at, textWords, {
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

  #placeFor(
    { seen, chooser }: Reservoir,
    bucket: number,
    value: number,
    { attributes, measured }: MeasuredAttributes,
    context: unknown,
  ): number {
    if (chooser === undefined) return this.#aligned ? oneOf(seen, bucket) : someOf(seen, this.#places);
    const place = chooser.offer({ value, attributes: measured ?? attributes, context }) as number;
    return Number.isInteger(place) && place < this.#places ? place : -1;
  }

  /** The reservoir, or a larger one that holds the text too. Without memory for that it stays. */
  #withRoom(cell: number, reservoir: Reservoir, needed: number): Reservoir {
    if (needed <= reservoir.textWords) return reservoir;
    return this.#make(cell, Math.max(needed, 2 * reservoir.textWords), reservoir) ?? reservoir;
  }

  /** A reservoir that goes on with what `from` has. */
  #make(cell: number, textWords: number, from?: Reservoir): Reservoir | undefined {
    const { region, log } = this.#memory;
    const { id } = this.#stream;
    if (this.#full || log === undefined || id < 0) return undefined;
    const words = exemplarBlockWords(this.#places, textWords);
    const payload = encodeExemplars({ stream: id, cell, block: 0, places: this.#places, textWords });
    const isWithinShare = region.takeExemplarBytes(words * 8);
    this.#full = !isWithinShare && from === undefined;
    const block = isWithinShare ? log.place(payload.length, words) : -1;
    if (block < 0) {
      if (isWithinShare) region.giveExemplarBytes(words * 8); // a later series may find room
      const { reason, fix } = isWithinShare ? region.refusal : shareUsed(region);
      this.#memory.warnings.loss(
        'memory',
        `exemplars ${reason}`,
        `seqlock-metrics: there is no memory for further exemplars: ${reason}. Further series are recorded without, and exemplars leave out attributes that have no room. Measurements are not affected. ${fix}, or set exemplarFilter to always_off`,
      );
      return undefined;
    }
    setExemplarBlock(payload, block);
    if (from !== undefined) this.#copy(from, block, textWords);
    log.append(EXEMPLARS_RECORD, payload, words);
    const reservoir = this.#reservoir(block, textWords, from);
    this.#reservoirs.set(cell, reservoir);
    return reservoir;
  }

  #copy(from: Reservoir, block: number, textWords: number): void {
    const { words, doubles } = this.#memory.region;
    const copy = new Float64Array(exemplarCopyWords(from.textWords));
    for (let place = 0; place < this.#places; place++) {
      const at = from.block + place * exemplarCellWords(from.textWords);
      if (words[at << 1] === 0) continue;
      const exemplar = readExemplar(words, doubles, at, from.textWords, copy);
      if (exemplar !== undefined)
        writeExemplar(words, doubles, block + place * exemplarCellWords(textWords), textWords, exemplar);
    }
  }

  #reservoir(block: number, textWords: number, from?: Reservoir): Reservoir {
    return {
      block,
      textWords,
      chooser: from === undefined ? this.#makeChooser?.() : from.chooser,
      seen: from?.seen ?? new Float64Array(this.#aligned ? this.#places : 1),
      collection: from?.collection ?? this.#memory.region.collections,
    };
  }

  /** The attributes of a measurement that its series does not have, as members of a JSON object. */
  #filtered(cell: number, { attributes, measured, keeps }: MeasuredAttributes): string[] {
    if (!this.#carries(cell)) return [];
    const { maxValueLength } = this.#memory;
    const { keys, values } = canonicalAttributes(measured ?? attributes, () => {}, undefined, maxValueLength);
    const left = Object(attributes) as object; // nothing for a value that is no object
    const isKept = (key: string): boolean =>
      cell !== this.#stream.overflowCell &&
      (measured === undefined ? (keeps?.(key) ?? true) : Object.hasOwn(left, key));
    return keys.flatMap((key, i) =>
      isKept(key) ? [] : [`${JSON.stringify(key)}:${jsonOfValue(values[i]!)}`],
    );
  }
}

function textOf(entries: readonly string[]): string {
  return entries.length === 0 ? '' : `{${entries.join()}}`;
}

function wordsOf(entries: readonly string[]): number {
  return exemplarTextWords(Buffer.byteLength(textOf(entries)));
}

/** The text of as many members as fit. */
function fitting(entries: readonly string[], maxBytes: number): string {
  const all = textOf(entries);
  if (Buffer.byteLength(all) <= maxBytes) return all;
  const kept: string[] = [];
  for (const entry of entries) if (Buffer.byteLength(textOf([...kept, entry])) <= maxBytes) kept.push(entry);
  return textOf(kept);
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
