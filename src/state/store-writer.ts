import { crc32 } from 'node:zlib';
import { shortText } from '../base/errors.ts';
import { Warnings } from '../base/warnings.ts';
import * as doorbell from '../memory/doorbell.ts';
import { DEFAULT_VALUE_LENGTH } from './attributes.ts';
import { DirectoryLog } from '../memory/directory-log.ts';
import { SLAB_CAPACITY } from '../memory/layout.ts';
import type { Refusal } from '../memory/refusal.ts';
import type { Region } from '../memory/region.ts';
import { RegionClock } from '../memory/region-clock.ts';
import { answerPulses } from '../memory/pulse.ts';
import { acquireSlab, giveUpDamagedSlab } from '../memory/slab.ts';
import { TextNumbers } from './directory-texts.ts';
import { ExponentialHistogramStream } from './exponential-histogram-stream.ts';
import { HistogramStream } from './histogram-stream.ts';
import { readInheritance, type Inheritance } from './inheritance.ts';
import { LastValueStream } from './last-value-stream.ts';
import { ObservedStream } from './observed-stream.ts';
import { setOwnCallbacks, type CallbackRunner } from './own-callbacks.ts';
import * as records from './records.ts';
import { isObserved } from './stream-choices.ts';
import { SharedValueStream } from './shared-value-stream.ts';
import type { Registration, SlabAccess } from './slab-access.ts';
import type { RecordedStream, StreamWriter } from './stream-writer.ts';
import { SumStream } from './sum-stream.ts';

const ALL_IN_USE: Refusal = {
  reason: `${SLAB_CAPACITY} threads already record to the store`,
  fix: 'Run fewer threads, or give some a store of their own',
};

/**
 * When no slab was free, so many further attempts to record come before the table is searched again: a search
 * takes a system call for each slab.
 */
const ATTEMPTS_A_SEARCH = 1024;

/**
 * This thread as a writer of one store: its slab, and the streams it records there. A thread has one for each
 * region, however many providers it makes; get it from `writerOf`.
 *
 * It takes a slab when it first has something to write. A thread that only reads needs none. The first stream
 * also tells what kind of thread this is, so that it inherits the slab of a dead thread of the same kind.
 */
export class StoreWriter implements SlabAccess {
  readonly region: Region;
  readonly warnings: Warnings = new Warnings();
  readonly clock: RegionClock;
  readonly texts: TextNumbers = new TextNumbers();
  /** For streams that are made from now on. */
  maxValueLength: number = DEFAULT_VALUE_LENGTH;
  #untilSearch = 0;
  #slab: number | undefined;
  #log: DirectoryLog | undefined;
  #isAdopted = false;
  /** Runs this thread's observable callbacks; undefined if it has none. */
  #listener: doorbell.RingListener | undefined;
  readonly #streams = new Map<string, StreamWriter>();
  #inheritance: Inheritance | undefined;
  /**
   * Observed counters that a dead owner left: every round has them, whether this thread observes them or not.
   */
  readonly #inherited = new Set<ObservedStream>();
  /** Byte offset of the configuration this thread wrote; 0 when it wrote none. */
  #configurationAt = 0;
  #keySets = new Map<string, number>();
  /** Length of the longest description in the directory, by stream. */
  #described: number[] = [];
  #endings = 0; // of the region, when they were followed last

  constructor(region: Region) {
    this.region = region;
    this.clock = new RegionClock(region.words);
  }

  /** Number of the slab; undefined when this thread has written nothing yet, or all slabs were in use. */
  get slab(): number | undefined {
    return this.#slab;
  }

  /** Whether this thread has registered a stream. */
  get hasStreams(): boolean {
    return this.#streams.size > 0;
  }

  get log(): DirectoryLog | undefined {
    return this.#log;
  }

  /** True when the slab and its counts were a dead thread's before. */
  get adopted(): boolean {
    return this.#isAdopted;
  }

  /**
   * Takes a slab, unless this thread has one. `first`: what the thread writes first; threads of one kind
   * inherit from each other by it. If no slab is free, a later call may find one.
   */
  acquire(first = ''): void {
    if (this.#log !== undefined || --this.#untilSearch > 0) return;
    this.#untilSearch = ATTEMPTS_A_SEARCH;
    const { region } = this;
    this.#endings = region.endings; // before the slab of a dead thread is read
    for (let owned; (owned = acquireSlab(region, affinityOf(first))) !== undefined;) {
      const inheritance = owned.adopted ? this.#readInheritance(owned.slab) : undefined;
      if (owned.adopted && inheritance === undefined) continue;
      this.#slab = owned.slab;
      this.#isAdopted = owned.adopted;
      this.#log = new DirectoryLog(region, owned.slab);
      if (inheritance !== undefined) this.#inherit(inheritance);
      const self = new WeakRef(this); // a wait that is never answered must not hold the store's memory
      answerPulses(region, owned.slab, () => self.deref()?.followEndings());
      return;
    }
    const { reason, fix } = region.ownership.obstacle ?? ALL_IN_USE;
    this.warnings.loss(
      'memory',
      `slabs ${reason}`,
      `seqlock-metrics: the store has no room for another writing thread: ${reason}. Until that changes, what this thread records is lost (seqlock.lost.measurements counts it). ${fix}`,
    );
  }

  /**
   * The writer of a synchronous instrument's stream, the same for equal descriptions. `limit`: attribute sets
   * besides the overflow series.
   */
  stream(description: records.StreamDescription, limit: number): RecordedStream {
    return this.#streamFor(description, limit) as RecordedStream;
  }

  /**
   * The writer of a gauge that all writers set and add to (`merge: 'shared'`), the same for equal
   * descriptions.
   */
  sharedValueStream(
    description: records.StreamDescription & { readonly merge: 'shared' },
    limit: number,
  ): SharedValueStream {
    return this.#streamFor(description, limit) as SharedValueStream;
  }

  /** The writer of an asynchronous instrument's stream, the same for equal descriptions. */
  observedStream(description: records.StreamDescription, limit: number): ObservedStream {
    return this.#streamFor(description, limit) as ObservedStream;
  }

  /**
   * Gives a stream a longer description than it was registered with. Nothing is written when it has one as
   * long.
   */
  describe(stream: StreamWriter, text: string): void {
    if (stream.id >= 0) this.#describe(stream.id, text);
  }

  #describe(stream: number, text: string): void {
    if (text.length <= this.#described[stream]!) return;
    if (this.#append(records.DESCRIPTION_RECORD, records.encodeJson([stream, text])))
      this.#described[stream] = text.length;
  }

  keySetId(keys: readonly string[]): number {
    const json = JSON.stringify(keys);
    let id = this.#keySets.get(json);
    if (id === undefined) {
      if (!this.#append(records.KEY_SET_RECORD, Buffer.from(json, 'utf8'))) return -1;
      id = this.#keySets.size;
      this.#keySets.set(json, id);
    }
    return id;
  }

  followEndings(): void {
    const { endings } = this.region;
    if (endings === this.#endings) return;
    this.#endings = endings;
    for (const stream of this.#streams.values()) stream.followEndings();
  }

  /**
   * Tells readers that this thread has observable callbacks. Readers of other threads ring; those of this
   * thread ask `runner`.
   */
  answerRequests(runner: CallbackRunner): void {
    if (this.slab === undefined) return;
    this.#listener = runner;
    setOwnCallbacks(this.region, { slab: this.slab, runner });
    this.setAnswering(true);
    doorbell.answerRings(this.region, runner);
  }

  /** Runs this thread's callbacks without a turn of the event loop, which may have no turns left. */
  observeNow(): void {
    this.#listener?.onRing(doorbell.ring(this.region), doorbell.CALLBACK_MILLIS);
  }

  /** Readers do not wait for the callbacks of a thread that answers none, and report its last values. */
  setAnswering(answers: boolean): void {
    if (this.#listener !== undefined) doorbell.setObserves(this.region, this.slab!, answers);
  }

  /**
   * Writes a round of observations and answers the request for it. `streams`: all streams that callbacks of
   * this thread may observe.
   */
  writeRound(
    request: number,
    streams: Iterable<ObservedStream>,
    valuesOf: (stream: ObservedStream) => ReadonlyMap<number, number>,
  ): void {
    const tick = this.clock.take();
    for (const stream of new Set([...this.#inherited, ...streams])) stream.writeRound(valuesOf(stream), tick);
    if (this.slab === undefined) return;
    doorbell.publishRound(this.region, this.slab, tick);
    doorbell.answer(this.region, this.slab, request);
  }

  #streamFor(description: records.StreamDescription, limit: number): StreamWriter {
    const key = records.streamKey(description);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = this.#make(description, limit);
      this.#streams.set(key, stream);
      stream.register();
    } else stream.raiseLimit(limit);
    return stream;
  }

  register(description: records.StreamDescription): Registration {
    const key = records.streamKey(description);
    this.acquire(key);
    const restored = this.#inheritance?.streams.get(key);
    if (restored === undefined) return { id: this.#newStreamId(description), series: [], exemplars: [] };
    this.#inheritance!.streams.delete(key);
    this.#describe(restored.id, description.description);
    return restored;
  }

  #make(description: records.StreamDescription, limit: number): StreamWriter {
    const { aggregation, kind, merge } = description;
    if (isObserved(kind)) return new ObservedStream(this, description, limit);
    if (merge === 'shared') return new SharedValueStream(this, description, limit);
    switch (aggregation.type) {
      case 'sum':
        return new SumStream(this, description, limit);
      case 'last-value':
        return new LastValueStream(this, description, limit);
      case 'explicit-bucket-histogram':
        return new HistogramStream(this, description, limit, aggregation.boundaries);
      case 'exponential-histogram':
        return new ExponentialHistogramStream(this, description, limit, aggregation);
    }
  }

  #newStreamId(description: records.StreamDescription): number {
    if (!this.#append(records.STREAM_RECORD, records.encodeJson(description))) return -1;
    return this.#described.push(description.description.length) - 1;
  }

  /** Undefined when the directory is damaged: then the slab is given up, with a warning. */
  #readInheritance(slab: number): Inheritance | undefined {
    try {
      return readInheritance(this.region, slab);
    } catch (error) {
      giveUpDamagedSlab(this.region, slab);
      this.warnings.loss(
        'damage',
        `slab ${slab}`,
        `seqlock-metrics: part of the store's memory is damaged: the list of series of writer ${slab}, a thread that has ended (${shortText(error)}). What it counted is exported as far as it can be read. This thread records to another part of the store`,
      );
      return undefined;
    }
  }

  /** Continues where a dead owner stopped. */
  #inherit(inheritance: Inheritance): void {
    const { end } = inheritance;
    this.#inheritance = inheritance;
    this.#keySets = inheritance.keySets;
    this.#described = inheritance.described;
    if (end !== undefined) this.#log!.resume(end.extent, end.used, end.lowestCell, end.held);
    // Limit 0: whoever registers the stream here raises it.
    for (const description of inheritance.observedCounters)
      this.#inherited.add(this.observedStream(description, 0));
  }

  #append(kind: number, payload: Buffer): boolean {
    if (this.log === undefined || this.log.place(payload.length, 0) < 0) return false;
    this.log.append(kind, payload, 0);
    return true;
  }

  /**
   * Writes the store's configuration into the region: the first one, or in place of this writer's own. False
   * when another thread's configuration is there, or the region is full.
   */
  configure(configuration: records.StoreConfiguration): boolean {
    this.acquire();
    const payload = records.encodeJson(configuration);
    if (this.log === undefined || this.log.place(payload.length, 0) < 0) return false;
    const at = this.log.append(records.CONFIGURATION_RECORD, payload, 0);
    const isFirst = this.region.pointToConfiguration(at, this.#configurationAt);
    if (isFirst) this.#configurationAt = at;
    return isFirst;
  }
}

/** The kind of this thread, as far as it can be told: the script it runs, and what it writes first. */
function affinityOf(first: string): number {
  return crc32(`${process.argv[1] ?? ''}\n${first}`) | 0;
}

const writers = new WeakMap<Region, StoreWriter>();

/** This thread's writer of a region, made on first use. */
export function writerOf(region: Region): StoreWriter {
  let writer = writers.get(region);
  if (writer === undefined) writers.set(region, (writer = new StoreWriter(region)));
  return writer;
}
