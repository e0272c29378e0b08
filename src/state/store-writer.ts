import { Warnings } from '../base/warnings.ts';
import { adoptCell } from '../memory/cell.ts';
import * as doorbell from '../memory/doorbell.ts';
import { DirectoryLog, ExtentCursor } from '../memory/directory-log.ts';
import { EXTENTS_OFFSET } from '../memory/layout.ts';
import type { Region } from '../memory/region.ts';
import { RegionClock } from '../memory/region-clock.ts';
import { answerPulses } from '../memory/pulse.ts';
import { acquireSlab } from '../memory/slab.ts';
import { ExponentialHistogramStream } from './exponential-histogram-stream.ts';
import { HistogramStream } from './histogram-stream.ts';
import { IntervalHistogramStream } from './interval-histogram-stream.ts';
import { LastValueStream } from './last-value-stream.ts';
import { ObservedStream } from './observed-stream.ts';
import * as R from './records.ts';
import { SharedValueStream } from './shared-value-stream.ts';
import type { RecordedStream, RestoredSeries, SlabAccess, StreamWriter } from './stream-writer.ts';
import { SumStream } from './sum-stream.ts';

/** What a dead owner left of one stream. */
interface RestoredStream {
  readonly id: number;
  readonly series: RestoredSeries[];
}

/**
 * This thread as a writer of one store: its slab, and the streams it records there. One per thread and region, however many
 * providers the thread makes; get it from `writerOf`.
 */
export class StoreWriter implements SlabAccess {
  readonly region: Region;
  /** Number of the slab; undefined when all were in use. */
  readonly slab: number | undefined;
  readonly log: DirectoryLog | undefined;
  readonly warnings: Warnings = new Warnings();
  readonly clock: RegionClock;
  /** True when the slab and its counts were a dead thread's before. */
  readonly adopted: boolean;
  readonly #streams = new Map<string, StreamWriter>();
  readonly #restored = new Map<string, RestoredStream>();
  /** Observed counters a dead owner left: they stay in every round, whether this thread observes them or not. */
  readonly #inherited = new Set<ObservedStream>();
  readonly #keySets = new Map<string, number>();
  /** Length of the longest description in the directory, by stream. */
  readonly #described: number[] = [];

  constructor(region: Region) {
    this.region = region;
    this.clock = new RegionClock(region.words);
    const owned = acquireSlab(region);
    this.slab = owned?.slab;
    this.adopted = owned?.adopted ?? false;
    this.log = owned && new DirectoryLog(region, owned.slab);
    if (owned === undefined)
      this.warnings.once(
        'slabs',
        'seqlock-metrics: the store has no room for another writing thread (1024 at once); what this thread records is lost (and counted)',
      );
    else if (owned.adopted) this.#adopt(owned.slab);
    if (owned !== undefined) answerPulses(region, owned.slab);
  }

  /** The writer of a synchronous instrument's stream, the same for equal descriptions. `limit`: attribute sets besides the overflow series. */
  stream(description: R.StreamDescription, limit: number): RecordedStream {
    return this.#streamFor(description, limit) as RecordedStream;
  }

  /** The writer of a gauge that all writers set and add to (`merge: 'shared'`), the same for equal descriptions. */
  sharedValueStream(
    description: R.StreamDescription & { readonly merge: 'shared' },
    limit: number,
  ): SharedValueStream {
    return this.#streamFor(description, limit) as SharedValueStream;
  }

  /** The writer of an asynchronous instrument's stream, the same for equal descriptions. */
  observedStream(description: R.StreamDescription, limit: number): ObservedStream {
    return this.#streamFor(description, limit) as ObservedStream;
  }

  /** Gives a stream a longer description than it was registered with. Nothing is written when it has one as long. */
  describe(stream: StreamWriter, text: string): void {
    if (stream.id < 0 || text.length <= this.#described[stream.id]!) return;
    if (this.#append(R.DESCRIPTION_RECORD, R.encodeJson([stream.id, text])))
      this.#described[stream.id] = text.length;
  }

  keySetId(keys: readonly string[]): number {
    const json = JSON.stringify(keys);
    let id = this.#keySets.get(json);
    if (id === undefined) {
      if (!this.#append(R.KEY_SET_RECORD, Buffer.from(json, 'utf8'))) return -1;
      id = this.#keySets.size;
      this.#keySets.set(json, id);
    }
    return id;
  }

  /** Lets readers know that this thread has observable callbacks, and calls `onRequest` for each round one asks for. */
  answerRequests(onRequest: (request: number) => void): void {
    const { region, slab } = this;
    if (slab === undefined) return;
    doorbell.setObserves(region, slab, true);
    const listen = (seen: number): void =>
      doorbell.awaitRing(region, seen, () => {
        const request = doorbell.latestRequest(region);
        listen(request);
        onRequest(request);
      });
    listen(doorbell.latestRequest(region));
  }

  /** Writes a round of observations and answers the request for it. `streams`: all that callbacks of this thread may observe. */
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

  #streamFor(description: R.StreamDescription, limit: number): StreamWriter {
    const key = R.slabStreamKey(description);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = this.#open(description, key, limit);
      this.#streams.set(key, stream);
    } else stream.raiseLimit(limit);
    return stream;
  }

  #open(description: R.StreamDescription, key: string, limit: number): StreamWriter {
    const restored = this.#restored.get(key);
    this.#restored.delete(key);
    const id = restored?.id ?? this.#newStreamId(description);
    const stream = this.#make(description, id, limit);
    if (restored !== undefined) {
      stream.restore(restored.series);
      this.describe(stream, description.description);
    }
    stream.reserveOverflow();
    return stream;
  }

  #make(description: R.StreamDescription, id: number, limit: number): StreamWriter {
    const { aggregation, kind, merge } = description;
    if (R.isObserved(kind)) return new ObservedStream(this, description, id, limit);
    if (merge === 'shared') return new SharedValueStream(this, description, id, limit);
    switch (aggregation.type) {
      case 'sum':
        return new SumStream(this, description, id, limit);
      case 'last-value':
        return new LastValueStream(this, description, id, limit);
      case 'explicit-bucket-histogram':
        return R.hasIntervals(aggregation)
          ? new IntervalHistogramStream(this, description, id, limit, aggregation.boundaries)
          : new HistogramStream(this, description, id, limit, aggregation.boundaries);
      case 'exponential-histogram':
        return new ExponentialHistogramStream(this, description, id, limit, aggregation);
    }
  }

  #newStreamId(description: R.StreamDescription): number {
    if (!this.#append(R.STREAM_RECORD, R.encodeJson(description))) return -1;
    return this.#described.push(description.description.length) - 1;
  }

  #append(kind: number, payload: Buffer): boolean {
    if (this.log === undefined || this.log.place(payload.length, 0) < 0) return false;
    this.log.append(kind, payload, 0);
    return true;
  }

  /** Reads the directory a dead owner left, so that this thread goes on counting in its cells. */
  #adopt(slab: number): void {
    const streams: RestoredStream[] = [];
    const observed: R.StreamDescription[] = [];
    const keySets: string[][] = [];
    let last: { cursor: ExtentCursor; lowestCell: number | undefined } | undefined;
    for (
      let at = EXTENTS_OFFSET, extent;
      (extent = this.region.extentAt(at)) !== undefined;
      at += extent.bytes
    ) {
      if (extent.slab !== slab) continue;
      last = { cursor: new ExtentCursor(this.region, extent), lowestCell: undefined };
      for (let record; (record = last.cursor.next()) !== undefined;) {
        const { kind, payload } = record;
        if (kind === R.STREAM_RECORD) {
          const restored = { id: streams.length, series: [] };
          const description = R.decodeJson(payload) as R.StreamDescription;
          streams.push(restored);
          if (description.kind === 'OBSERVABLE_COUNTER') observed.push(description);
          this.#described.push(description.description.length);
          this.#restored.set(R.slabStreamKey(description), restored);
        } else if (kind === R.KEY_SET_RECORD) {
          const keys = R.decodeJson(payload) as string[];
          this.#keySets.set(JSON.stringify(keys), keySets.length);
          keySets.push(keys);
        } else if (kind === R.DESCRIPTION_RECORD) {
          const [stream, text] = R.decodeJson(payload) as [number, string];
          this.#described[stream] = Math.max(this.#described[stream]!, text.length);
        } else if (kind === R.SERIES_RECORD) {
          const { stream, keySet, cell } = R.decodeSeries(payload);
          adoptCell(this.region.words, cell);
          last.lowestCell = Math.min(last.lowestCell ?? cell, cell);
          streams[stream]!.series.push({
            attributes: R.decodeSeriesAttributes(payload, keySet, keySets[keySet] ?? []),
            cell,
            overflow: keySet === R.OVERFLOW_KEY_SET,
          });
        }
      }
    }
    if (last !== undefined) this.log!.resume(last.cursor.extent, last.cursor.readTo, last.lowestCell);
    // No limit yet: whoever registers the stream here raises it.
    for (const description of observed) this.#inherited.add(this.observedStream(description, 0));
  }

  /** Writes the store's configuration into the region; the newest one counts. False when the region is full. */
  configure(configuration: R.StoreConfiguration): boolean {
    const payload = R.encodeJson(configuration);
    if (this.log === undefined || this.log.place(payload.length, 0) < 0) return false;
    this.region.pointToConfiguration(this.log.append(R.CONFIGURATION_RECORD, payload, 0));
    return true;
  }
}

const writers = new WeakMap<Region, StoreWriter>();

/** This thread's writer of a region, made on first use. */
export function writerOf(region: Region): StoreWriter {
  let writer = writers.get(region);
  if (writer === undefined) writers.set(region, (writer = new StoreWriter(region)));
  return writer;
}
