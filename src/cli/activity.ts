import { performance } from '../base/platform.ts';
import { readerOf, type StoreReader } from '../collect/directory/store-reader.ts';
import { NONE, type MergedStream } from '../collect/directory/merged-stream.ts';
import { PulseReader } from '../memory/pulse.ts';
import { PULSE_INDEX } from '../memory/layout.ts';
import type { Region } from '../memory/region.ts';
import { writersOf, type Writer } from './writers.ts';

/** A thread that writes to the store, and what it does. */
export interface ThreadActivity extends Writer {
  readonly recordsPerSecond: number;
  /** For how long its event loop has not turned; undefined where nobody looks. */
  readonly blockedSeconds: number | undefined;
}

export interface SeriesActivity {
  readonly stream: MergedStream;
  readonly series: number;
  readonly recordsPerSecond: number;
}

export interface StreamActivity {
  readonly stream: MergedStream;
  readonly recordsPerSecond: number;
  /** Series that were found since the sample before. */
  readonly newSeries: number;
  readonly series: number;
}

export interface Sample {
  readonly seconds: number;
  readonly threads: readonly ThreadActivity[];
  readonly streams: readonly StreamActivity[];
  /** Of each stream, by number of the series: updates a second. */
  readonly ratesOf: (stream: MergedStream) => Float64Array;
}

/** Looks of others at threads are older than this: nobody looks. */
const LOOKED_MILLIS = 3000;

/**
 * What happens in a copied store, from one sample to the next. A record is an update of a cell, and cells
 * count their updates.
 */
export class Activity {
  readonly #region: Region;
  readonly #store: StoreReader;
  readonly #pulses: PulseReader;
  /** Versions of the cells, by contribution. */
  readonly #versions = new Map<MergedStream, Int32Array>();
  readonly #sizes = new Map<MergedStream, number>();
  #sampledAt: number | undefined;
  #look = 0;
  #lookSeenAt = -Infinity;

  constructor(region: Region) {
    this.#region = region;
    this.#store = readerOf(region);
    this.#pulses = new PulseReader(region);
  }

  /** Takes the copy anew and compares it with the one before. Throws a `RegionError`. */
  sample(): Sample {
    const region = this.#region;
    region.takeCopy();
    this.#store.refresh();
    const now = performance.now();
    const isFirst = this.#sampledAt === undefined;
    const seconds = isFirst ? 0 : (now - this.#sampledAt!) / 1000;
    this.#sampledAt = now;
    const bySlab = new Map<number, number>();
    const rates = new Map<MergedStream, Float64Array>();
    const streams: StreamActivity[] = [];
    for (const { streams: ofScope } of this.#store.scopes)
      for (const stream of ofScope) {
        const updates = this.#updatesOf(stream, bySlab);
        const perSecond = updates.map((count) => (isFirst ? 0 : count / seconds));
        rates.set(stream, perSecond);
        streams.push({
          stream,
          recordsPerSecond: perSecond.reduce((sum, rate) => sum + rate, 0),
          newSeries: isFirst ? 0 : stream.size - (this.#sizes.get(stream) ?? 0),
          series: stream.size,
        });
        this.#sizes.set(stream, stream.size);
      }
    const blocked = this.#blockedBySlab(now);
    const threads = writersOf(region).map((writer) => ({
      ...writer,
      recordsPerSecond: isFirst ? 0 : (bySlab.get(writer.slab) ?? 0) / seconds,
      blockedSeconds: writer.state === 'dead' ? undefined : blocked?.get(writer.slab),
    }));
    return { seconds, threads, streams, ratesOf: (stream) => rates.get(stream) ?? new Float64Array() };
  }

  /** Updates of each series since the sample before. Adds them to those of the writers. */
  #updatesOf(stream: MergedStream, bySlab: Map<number, number>): Float64Array {
    const { words } = this.#region;
    const before = this.#versions.get(stream) ?? new Int32Array();
    const versions = new Int32Array(stream.contributionCount);
    const updates = new Float64Array(stream.size);
    for (let series = 0; series < stream.size; series++)
      for (let part = stream.firstOf(series); part !== NONE; part = stream.nextOf(part)) {
        const version = Atomics.load(words, stream.cellOf(part) << 1);
        versions[part] = version;
        const more = (version - (before[part] ?? 0)) >>> 0; // versions wrap
        updates[series]! += more;
        const slab = stream.slabOf(part);
        bySlab.set(slab, (bySlab.get(slab) ?? 0) + more);
      }
    this.#versions.set(stream, versions);
    return updates;
  }

  /** Undefined if no exporter of the app looks at threads. A passive reader cannot look itself. */
  #blockedBySlab(now: number): ReadonlyMap<number, number> | undefined {
    const look = Atomics.load(this.#region.words, PULSE_INDEX);
    const isFirst = this.#look === 0;
    if (look !== this.#look && !isFirst) this.#lookSeenAt = now;
    this.#look = look;
    this.#pulses.look(now);
    if (now - this.#lookSeenAt > LOOKED_MILLIS) return undefined;
    return new Map(this.#pulses.read(now).map(({ slab, silentMillis }) => [slab, silentMillis / 1000]));
  }
}
