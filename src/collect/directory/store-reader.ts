import { shortText } from '../../base/errors.ts';
import { Warnings } from '../../base/warnings.ts';
import { ExtentCursor, readRecord, type LogRecord } from '../../memory/directory-log.ts';
import { EXTENTS_OFFSET } from '../../memory/layout.ts';
import type { Extent, Region } from '../../memory/region.ts';
import {
  checkCell,
  checkExemplars,
  decodeConfiguration,
  decodeStream,
} from '../../state/directory-checks.ts';
import { DirectoryTexts } from '../../state/directory-texts.ts';
import { decodeExemplars } from '../../state/exemplar-record.ts';
import * as R from '../../state/records.ts';
import { DirectoryWatch } from './directory-watch.ts';
import { ExemplarBlock } from './exemplar-block.ts';
import { MergedStream } from './merged-stream.ts';
import { StringCache } from './string-cache.ts';
import { SerialQueue } from '../../base/serial-queue.ts';
import { performance } from '../../base/platform.ts';

/** Records decoded between two looks at the time. */
const RECORDS_BETWEEN_LOOKS = 64;

/** What of one slab's directory was decoded so far. Ids count records, so they are indices here. */
interface SlabDirectory {
  readonly slab: number;
  readonly cursors: ExtentCursor[];
  readonly streams: MergedStream[];
  readonly keySets: (readonly string[])[];
  readonly texts: DirectoryTexts;
  /** Set when a record was damaged: what was decoded stays in use, nothing more is read. */
  broken: boolean;
}

/** The streams of one scope, in the order in which they were found. */
export interface ScopeStreams {
  readonly scope: R.Scope;
  readonly streams: MergedStream[];
}

/**
 * What a store contains: all directories, decoded and merged. It decodes only what it has not seen before. One per thread
 * and region (`readerOf`), shared by all readers of the thread.
 */
export class StoreReader {
  readonly region: Region;
  readonly scopes: ScopeStreams[] = [];
  /** Collections of this thread, one at a time: each has the observations that were made for it (specification, asynchronous instruments). */
  readonly turns: SerialQueue = new SerialQueue();
  readonly #slabs = new Map<number, SlabDirectory>();
  readonly #streams = new Map<string, MergedStream>();
  readonly #scopes = new Map<string, ScopeStreams>();
  readonly #merges = new Map<string, R.GaugeMerge>();
  readonly #warnings = new Warnings();
  readonly #strings = new StringCache();
  readonly #textOf = (bytes: Buffer, start: number, end: number): string =>
    this.#strings.text(bytes, start, end);
  readonly #watch: DirectoryWatch;
  #walkedTo = EXTENTS_OFFSET;
  #taken = 0;
  #hasExemplars = false;
  #configurationOffset = 0;
  #configuration: R.StoreConfiguration | undefined;

  constructor(region: Region) {
    this.region = region;
    this.#watch = new DirectoryWatch(region);
  }

  /** `refresh`, if anything was added since the last call. A few loads where nothing was. */
  refreshIfChanged(): void {
    if (this.#watch.hasNews()) this.refresh();
  }

  /**
   * Decodes what was added since the last call, until `performance.now()` is past `until`. False when there is more: the store is known in
   * part then, and the next call goes on.
   */
  refresh(until: number = Infinity): boolean {
    this.refreshConfiguration();
    // First the extents, then their records: a writer never goes back to an extent after it claimed the next, so all
    // but the last extent of a slab are then complete, and records are met in the order in which they were written.
    for (let extent; (extent = this.#nextExtent()) !== undefined; this.#walkedTo += extent.bytes) {
      let directory = this.#slabs.get(extent.slab);
      if (directory === undefined) {
        directory = {
          slab: extent.slab,
          cursors: [],
          streams: [],
          keySets: [],
          texts: new DirectoryTexts(this.#textOf),
          broken: false,
        };
        this.#slabs.set(extent.slab, directory);
      }
      directory.cursors.push(new ExtentCursor(this.region, extent));
    }
    const directories = [...this.#slabs.values()].filter(({ broken }) => !broken);
    const isAll = directories.every((directory) => this.#readDirectory(directory, until));
    this.region.refresh();
    if (!isAll) return false;
    this.#watch.note(
      this.#walkedTo,
      [...this.#slabs.values()].map(({ cursors }) => cursors.at(-1)!),
    );
    return true;
  }

  /** The publisher's configuration; undefined until it was written. */
  get configuration(): R.StoreConfiguration | undefined {
    return this.#configuration;
  }

  /** True once any series has exemplars. */
  get hasExemplars(): boolean {
    return this.#hasExemplars;
  }

  /** Reads the configuration alone: a thread that joins does not need to know of every series there is. */
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
        `seqlock-metrics: the configuration of the store is damaged and not used: ${shortText(error)}`,
      );
    }
  }

  /** Past a damaged extent nothing can be found any more. */
  #nextExtent(): Extent | undefined {
    try {
      return this.region.extentAt(this.#walkedTo);
    } catch (error) {
      this.#warnings.loss(
        'damage',
        'extents',
        `seqlock-metrics: the store's memory is damaged, new series behind the damage are not reported: ${shortText(error)}`,
      );
      return undefined;
    }
  }

  /** False when it was not done by `until`. */
  #readDirectory(directory: SlabDirectory, until: number): boolean {
    const { cursors } = directory;
    try {
      for (;;) {
        for (let record; (record = cursors[0]!.next()) !== undefined;) {
          this.#take(record, directory);
          if (++this.#taken % RECORDS_BETWEEN_LOOKS === 0 && performance.now() > until) return false;
        }
        if (cursors.length === 1) return true;
        cursors.shift(); // complete, see `refresh`
      }
    } catch (error) {
      directory.broken = true;
      this.#warnings.loss(
        'damage',
        `slab ${directory.slab}`,
        `seqlock-metrics: the directory of writer ${directory.slab} is damaged, new series of it are not reported: ${shortText(error)}`,
      );
      return true;
    }
  }

  #take(log: LogRecord, directory: SlabDirectory): void {
    switch (log.kind) {
      case R.STREAM_RECORD:
        directory.streams.push(this.#streamOf(decodeStream(log.payload)));
        return;
      case R.KEY_SET_RECORD:
        directory.keySets.push(R.decodeJson(log.payload) as string[]);
        return;
      case R.SERIES_RECORD:
        this.#takeSeries(log, directory);
        return;
      case R.DESCRIPTION_RECORD: {
        const [id, text] = R.decodeJson(log.payload) as [number, string];
        const stream = directory.streams[id]!;
        if (text.length > stream.text.length) stream.text = text;
        return;
      }
      case R.EXEMPLARS_RECORD: {
        const record = decodeExemplars(log.payload);
        checkExemplars(record, directory.cursors[0]!);
        const stream = directory.streams[record.stream]!;
        stream.exemplars ??= new Map();
        stream.exemplars.set(record.cell, new ExemplarBlock(record));
        this.#hasExemplars = true;
        return;
      }
      default: // of a later minor version
    }
  }

  #takeSeries({ bytes, start, end }: LogRecord, directory: SlabDirectory): void {
    const decoded = R.decodeSeries(bytes, start, end);
    const { stream: id, keySet, cell, startTime } = decoded;
    const stream = directory.streams[id]!;
    checkCell(cell, stream.cellWords, directory.cursors[0]!);
    const keys = directory.keySets[keySet] ?? [];
    const attributes = R.decodeSeriesAttributes(decoded, keys, directory.texts);
    const { kind, cardinalityLimit } = stream.description;
    const limit = cardinalityLimit ?? this.#configuration?.cardinalityLimits[kind] ?? Infinity;
    stream.add(attributes, startTime, { cell, slab: directory.slab }, limit);
  }

  #streamOf(description: R.StreamDescription): MergedStream {
    const key = R.streamKey(description);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new MergedStream(description);
      this.#streams.set(key, stream);
      this.#scopeOf(description.scope).push(stream);
      if (description.aggregation.type === 'last-value') this.#checkMerge(description);
    }
    if (description.description.length > stream.text.length) stream.text = description.description;
    stream.created = Math.min(stream.created, description.created);
    return stream;
  }

  /** Threads may disagree about how a gauge is merged: that makes two metrics of one name. */
  #checkMerge(description: R.StreamDescription): void {
    const { name, scope, merge = 'most-recent' } = description;
    const key = R.streamKey({ ...description, merge: 'most-recent' });
    const first = this.#merges.get(key);
    if (first === undefined) this.#merges.set(key, merge);
    else if (first !== merge)
      this.#warnings.once(
        'merge',
        key,
        `gauge ${name} of meter ${scope.name || '(unnamed)'} is merged by ${first} in one thread and by ${merge} in another; both are exported under one name, which backends may refuse. Give all threads the same, best by a view`,
      );
  }

  #scopeOf(scope: R.Scope): MergedStream[] {
    const key = R.scopeKey(scope);
    let found = this.#scopes.get(key);
    if (found === undefined) {
      const { name, version, schemaUrl, attributes } = scope; // JSON leaves a schemaUrl out that is undefined
      found = { scope: { name, version, schemaUrl, ...(attributes && { attributes }) }, streams: [] };
      this.#scopes.set(key, found);
      this.scopes.push(found);
    }
    return found.streams;
  }
}

const readers = new WeakMap<Region, StoreReader>();

/** This thread's reader of a region, made on first use. */
export function readerOf(region: Region): StoreReader {
  let reader = readers.get(region);
  if (reader === undefined) readers.set(region, (reader = new StoreReader(region)));
  return reader;
}
