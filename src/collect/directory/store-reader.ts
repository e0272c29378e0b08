import { RegionError, shortText } from '../../base/errors.ts';
import { performance } from '../../base/platform.ts';
import { Warnings } from '../../base/warnings.ts';
import { readRecord } from '../../memory/directory-log.ts';
import { EXTENTS_OFFSET } from '../../memory/layout.ts';
import { askForPulses } from '../../memory/pulse.ts';
import type { Extent, Region } from '../../memory/region.ts';
import { OVERFLOW_ATTRIBUTES } from '../../state/attributes.ts';
import { decodeConfiguration } from '../../state/directory-checks.ts';
import { DirectoryReader, type DirectoryVisitor, type SeriesEntry } from '../../state/directory-reader.ts';
import type { ExemplarsRecord } from '../../state/exemplar-record.ts';
import * as records from '../../state/records.ts';
import {
  BEYOND,
  decide,
  end as endPart,
  ENDED,
  ENDING,
  isState,
  stateAt,
  UNDECIDED,
} from '../../state/standing.ts';
import type { GaugeMerge } from '../../state/stream-choices.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { ExemplarBlock } from './exemplar-block.ts';
import { MergedStream } from './merged-stream.ts';
import { StringCache } from './string-cache.ts';
import { SerialQueue } from '../../base/event-loop.ts';

/** The directory of one slab, as far as it was decoded. */
interface SlabDirectory {
  readonly slab: number;
  readonly reader: DirectoryReader;
  readonly visitor: DirectoryVisitor;
  /** Set when a record was damaged: nothing more is read. What was decoded stays in use. */
  broken: boolean;
}

/** How many parts are decided between two looks at the clock. */
const PARTS_BETWEEN_LOOKS = 64;

/** What one writer has of one series. */
interface Part {
  readonly slab: number;
  readonly stream: MergedStream;
  readonly entry: SeriesEntry;
}

/** The streams of one scope, in the order in which they were found. */
export interface ScopeStreams {
  readonly scope: records.Scope;
  readonly streams: MergedStream[];
}

/**
 * What a store contains: all directories, decoded and merged. It decodes only what it has not seen before.
 * One per thread and region (`readerOf`), shared by all readers of the thread.
 */
export class StoreReader {
  readonly region: Region;
  readonly scopes: ScopeStreams[] = [];
  /**
   * Collections of this thread, one at a time: each gets the observations that were made for it
   * (specification, asynchronous instruments).
   */
  readonly turns: SerialQueue = new SerialQueue();
  readonly #slabs = new Map<number, SlabDirectory>();
  readonly #streams = new Map<string, MergedStream>();
  readonly #scopes = new Map<string, ScopeStreams>();
  readonly #merges = new Map<string, GaugeMerge>();
  readonly #warnings = new Warnings();
  readonly #strings = new StringCache();
  readonly #textOf = (bytes: Buffer, start: number, end: number): string =>
    this.#strings.text(bytes, start, end);
  readonly #watch: DirectoryWatch;
  #undecided: Part[] = [];
  #settled = 0; // of these
  #walkedTo = EXTENTS_OFFSET;
  #endings = -1; // of the region, when they were followed last
  #hasExemplars = false;
  #configurationOffset = 0;
  #configuration: records.StoreConfiguration | undefined;

  constructor(region: Region) {
    this.region = region;
    this.#watch = new DirectoryWatch(region);
  }

  /** `refresh`, if anything was added since the last call. Costs a few loads if nothing was. */
  refreshIfChanged(): void {
    if (this.#watch.hasNews() || this.region.endings !== this.#endings) this.refresh();
  }

  /**
   * Decodes what was added since the last call, until `performance.now()` is past `until`. False when there
   * is more: then the store is known in part, and the next call continues.
   */
  refresh(until: number = Infinity): boolean {
    this.refreshConfiguration();
    // First all extents, then their records: see `DirectoryReader.add`.
    for (let extent; (extent = this.#nextExtent()) !== undefined; this.#walkedTo += extent.bytes)
      this.#directoryOf(extent.slab).reader.add(extent);
    const directories = [...this.#slabs.values()].filter(({ broken }) => !broken);
    const isAll = directories.every((directory) => this.#readDirectory(directory, until));
    this.region.refresh();
    if (!isAll) return false;
    if (!this.#settle(until)) return false;
    this.#watch.note(
      this.#walkedTo,
      [...this.#slabs.values()].map(({ reader }) => reader.cursor!),
    );
    return true;
  }

  /** The publisher's configuration; undefined until it was written. */
  get configuration(): records.StoreConfiguration | undefined {
    return this.#configuration;
  }

  /** True once any series has exemplars. */
  get hasExemplars(): boolean {
    return this.#hasExemplars;
  }

  /** Reads the configuration only: a thread that joins does not need to know all series. */
  refreshConfiguration(): void {
    const offset = this.region.configurationOffset;
    if (offset === this.#configurationOffset) return;
    this.#configurationOffset = offset;
    try {
      this.#configuration = decodeConfiguration(readRecord(this.region, offset, Infinity).payload);
    } catch (error) {
      this.#warnings.loss(
        'damage',
        'configuration',
        `seqlock-metrics: the configuration in the store's memory is damaged (${shortText(error)}). Metrics are still exported, but without the resource, views and limits it held. Restart the app`,
      );
    }
  }

  /** Nothing can be found behind a damaged extent. */
  #nextExtent(): Extent | undefined {
    try {
      return this.region.extentAt(this.#walkedTo);
    } catch (error) {
      this.#warnings.loss(
        'damage',
        'extents',
        `seqlock-metrics: the store's memory is damaged (${shortText(error)}). New series are not exported; those known before still are. Restart the app`,
      );
      return undefined;
    }
  }

  #directoryOf(slab: number): SlabDirectory {
    let directory = this.#slabs.get(slab);
    if (directory === undefined) {
      const reader = new DirectoryReader(this.region, this.#textOf);
      this.#slabs.set(slab, (directory = { slab, reader, visitor: this.#visitorOf(slab), broken: false }));
    }
    return directory;
  }

  #visitorOf(slab: number): DirectoryVisitor {
    const streams: MergedStream[] = []; // by the numbers they have in the slab
    return {
      stream: (description) => void streams.push(this.#streamOf(description)),
      description: (stream, text) => streams[stream]!.describe(text),
      series: (entry) => this.#meet({ slab, stream: streams[entry.stream]!, entry }),
      exemplars: (record) => this.#addExemplars(streams[record.stream]!, record),
      block: () => {},
    };
  }

  /**
   * Takes a part of a series as it stands. What is undecided waits until all that is decided is known: a
   * directory that is read later may have sets that were within the limit before.
   */
  #meet(part: Part): void {
    const { stream, entry } = part;
    const state = stateAt(this.region.words, entry.standing);
    const isOpen = state === UNDECIDED && !entry.isOverflow;
    if (isOpen || stream.wasRemoved(entry.attributes, entry.standing, this.region))
      this.#undecided.push(part);
    else add(part, state);
  }

  /**
   * Follows what writers removed, and decides what is undecided; in this order, since what ended makes room.
   * Tells the owners of parts that end by it. False when it was not done by `until`.
   */
  #settle(until: number): boolean {
    const { region } = this;
    const { endings } = region;
    let told = false;
    if (endings !== this.#endings)
      for (const stream of this.#streams.values()) told = stream.followEndings(region) || told;
    this.#endings = endings;
    let isDone = true;
    while (isDone && this.#settled < this.#undecided.length) {
      told = this.#decide(this.#undecided[this.#settled++]!) || told;
      isDone = this.#settled % PARTS_BETWEEN_LOOKS !== 0 || performance.now() <= until;
    }
    if (isDone) {
      this.#undecided = [];
      this.#settled = 0;
    }
    if (told) {
      region.takeEnding();
      askForPulses(region);
    }
    return isDone;
  }

  /** Returns whether the part's owner has to be woken. */
  #decide(part: Part): boolean {
    const { region } = this;
    const { words } = region;
    const { stream, entry } = part;
    const { attributes, standing, isOverflow } = entry;
    const wasRemoved = stream.wasRemoved(attributes, standing, region);
    if (wasRemoved && endPart(words, standing, ENDING, isOverflow)) return true;
    const decided = isOverflow
      ? stateAt(words, standing)
      : decide(words, standing, stream.hasRoomFor(attributes, this.#limitOf(stream)));
    if (isState(decided)) add(part, decided);
    return false;
  }

  #limitOf({ description: { kind, cardinalityLimit } }: MergedStream): number {
    return cardinalityLimit ?? this.#configuration?.cardinalityLimits[kind] ?? Infinity;
  }

  #addExemplars(stream: MergedStream, record: ExemplarsRecord): void {
    stream.exemplars ??= new Map();
    stream.exemplars.set(record.cell, new ExemplarBlock(record));
    this.#hasExemplars = true;
  }

  /** False when it was not done by `until`. */
  #readDirectory(directory: SlabDirectory, until: number): boolean {
    try {
      return directory.reader.read(directory.visitor, until);
    } catch (error) {
      directory.broken = true;
      for (const stream of this.#streams.values()) stream.isDamaged = true;
      this.#warnings.loss(
        'damage',
        `slab ${directory.slab}`,
        `seqlock-metrics: part of the store's memory is damaged: the list of series of writer ${directory.slab} (${shortText(error)}). New series of this writer are not exported; all others are. Restart the app`,
      );
      return true;
    }
  }

  #streamOf(description: records.StreamDescription): MergedStream {
    const key = records.streamKey(description);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new MergedStream(description);
      this.#streams.set(key, stream);
      this.#scopeOf(description.scope).push(stream);
      if (description.aggregation.type === 'last-value') this.#checkMerge(description);
    }
    stream.describe(description.description);
    stream.created = Math.min(stream.created, description.created);
    return stream;
  }

  /** Threads may disagree about the merge of a gauge: then there are two metrics of one name. */
  #checkMerge(description: records.StreamDescription): void {
    const { name, scope, merge = 'most-recent' } = description;
    const key = records.streamKey({ ...description, merge: 'most-recent' });
    const first = this.#merges.get(key);
    if (first === undefined) this.#merges.set(key, merge);
    else if (first !== merge)
      this.#warnings.once(
        'merge',
        key,
        `gauge ${name} of meter ${scope.name || '(unnamed)'} has merge ${first} in one thread and ${merge} in another. Two metrics of one name are exported, which backends may refuse. Give the gauge the same merge in all threads, for example by a view`,
      );
  }

  #scopeOf(scope: records.Scope): MergedStream[] {
    const key = records.scopeKey(scope);
    let found = this.#scopes.get(key);
    if (found === undefined) {
      const { name, version, schemaUrl, attributes } = scope; // JSON leaves out a schemaUrl that is undefined
      found = { scope: { name, version, schemaUrl, ...(attributes && { attributes }) }, streams: [] };
      this.#scopes.set(key, found);
      this.scopes.push(found);
    }
    return found.streams;
  }
}

/**
 * Adds a part to its series. One that was removed, and that its owner waits to be told of, is added too: the
 * series ends afterwards. Throws a `RegionError` if nobody can have written such a standing.
 */
function add({ slab, stream, entry }: Part, state: number): void {
  const { attributes, startTime, cell, standing } = entry;
  if (!isState(state)) throw new RegionError('E_RANGE', `the series at ${standing} has a state ${state}`);
  if (state === ENDING || state === ENDED) return;
  stream.add(state === BEYOND ? OVERFLOW_ATTRIBUTES : attributes, startTime, { cell, slab, standing });
}

const readers = new WeakMap<Region, StoreReader>();

/** This thread's reader of a region, made on first use. */
export function readerOf(region: Region): StoreReader {
  let reader = readers.get(region);
  if (reader === undefined) readers.set(region, (reader = new StoreReader(region)));
  return reader;
}
