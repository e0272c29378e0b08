/**
 * The `seqlock.*` metrics of a store and of one reader of it. Names, units and meanings: docs/operations.md.
 */
import { isSlabDead, slabEpoch, slabOwner, slabsUsed } from '../memory/slab.ts';
import type { Region } from '../memory/region.ts';
import type { CellReader } from './rows/cell-reader.ts';
import { NONE, type MergedStream } from './directory/merged-stream.ts';
import { observationStats } from './observation.ts';
import type { SelfMetric, SelfPoint } from './self-metrics.ts';
import type { StoreReader } from './directory/store-reader.ts';

const LIVE = { 'seqlock.writer.state': 'live' };
const DEAD = { 'seqlock.writer.state': 'dead' };
const FIRST_TRY = { 'seqlock.read.outcome': 'first_try' };
const RETRIED = { 'seqlock.read.outcome': 'retried' };
const STALE = { 'seqlock.read.outcome': 'stale' };

/** All of them, for a reader that reads `store` with `cells`. */
export function storeMetrics(store: StoreReader, cells: CellReader): SelfMetric[] {
  return [...readerMetrics(store.region, cells), ...memoryMetrics(store.region), ...overflowMetrics(store)];
}

function readerMetrics(region: Region, cells: CellReader): SelfMetric[] {
  const start = region.takeTime();
  return [
    {
      name: 'seqlock.reader.reads',
      description:
        'Cells this reader has read: at the first try, again because the writer was faster, or not at all (stale: the previous value was reported).',
      unit: '{read}',
      kind: 'counter',
      start,
      read: () => {
        const { fastPathReads, retryReads, staleReads } = cells.stats();
        return [
          { value: fastPathReads, attributes: FIRST_TRY },
          { value: retryReads, attributes: RETRIED },
          { value: staleReads, attributes: STALE },
        ];
      },
    },
    {
      name: 'seqlock.reader.time',
      description: 'Time this reader has spent in snapshots.',
      unit: 's',
      kind: 'counter',
      start,
      read: () => [{ value: cells.stats().totalReadNanos / 1e9 }],
    },
    {
      name: 'seqlock.observation.timeouts',
      description:
        'Times that a thread did not run its observable callbacks in time and the values of its last round were used.',
      unit: '{timeout}',
      kind: 'counter',
      start,
      read: () => [{ value: observationStats(region).missed }],
    },
    {
      name: 'seqlock.observation.silent_writers',
      description: 'Threads that did not answer the latest request to run their observable callbacks.',
      unit: '{writer}',
      kind: 'level',
      start,
      read: () => [{ value: observationStats(region).silent }],
    },
  ];
}

function memoryMetrics(region: Region): SelfMetric[] {
  const start = Math.floor(region.created);
  const level = (name: string, description: string, value: () => number): SelfMetric => ({
    name,
    description,
    unit: 'By',
    kind: 'level',
    start,
    read: () => [{ value: value() }],
  });
  return [
    level('seqlock.memory.used', 'Memory of the store that holds metrics.', () => region.usedBytes),
    level('seqlock.memory.reserved', 'Memory the store has taken so far.', () => region.byteLength),
    level('seqlock.memory.limit', 'Memory the store may take (maxBytes).', () => region.maxBytes),
    {
      name: 'seqlock.writers',
      description:
        'Slabs of the store by whether the thread that records there is alive; a new thread takes over a dead one.',
      unit: '{writer}',
      kind: 'level',
      start,
      read: () => writersOf(region),
    },
    {
      name: 'seqlock.writer.adoptions',
      description: 'Times that a new thread has taken over the slab of a dead one.',
      unit: '{adoption}',
      kind: 'counter',
      start,
      read: () => [{ value: adoptionsOf(region) }],
    },
    {
      name: 'seqlock.lost.measurements',
      description: 'Measurements for which the store had no memory at all, not even an overflow series.',
      unit: '{measurement}',
      kind: 'counter',
      start,
      read: () => [{ value: region.lostMeasurements }],
    },
  ];
}

function writersOf(region: Region): readonly SelfPoint[] {
  let live = 0;
  let dead = 0;
  for (let slab = 0; slab < slabsUsed(region); slab++) {
    if (slabOwner(region, slab) === 0) continue; // its first owner is just coming
    if (isSlabDead(region, slab)) dead++;
    else live++;
  }
  return [
    { value: live, attributes: LIVE },
    { value: dead, attributes: DEAD },
  ];
}

function adoptionsOf(region: Region): number {
  let adoptions = 0;
  for (let slab = 0; slab < slabsUsed(region); slab++) adoptions += Math.max(0, slabEpoch(region, slab) - 1);
  return adoptions;
}

/** By metric name, for streams that have recorded something to their overflow series. */
function overflowMetrics(store: StoreReader): SelfMetric[] {
  const counters = new Map<MergedStream, UpdateCount>();
  const byName = (valueOf: (stream: MergedStream) => number): SelfPoint[] => {
    const values = new Map<string, number>();
    for (const { streams } of store.scopes)
      for (const stream of streams) {
        if (stream.overflow === NONE || !stream.isLive(stream.overflow, store.region.words)) continue;
        const { name } = stream.description;
        values.set(name, (values.get(name) ?? 0) + valueOf(stream));
      }
    return [...values].map(([name, value]) => ({ value, attributes: { 'seqlock.metric.name': name } }));
  };
  const start = Math.floor(store.region.created);
  return [
    {
      name: 'seqlock.overflow.measurements',
      description:
        'Measurements that went to the overflow series of a metric. Of observable instruments: rounds in which some did.',
      unit: '{measurement}',
      kind: 'counter',
      start,
      read: () =>
        byName((stream) => {
          let counter = counters.get(stream);
          if (counter === undefined) counters.set(stream, (counter = new UpdateCount()));
          return counter.of(stream, store.region.words);
        }),
    },
    {
      name: 'seqlock.overflow.series',
      description:
        'Overflow series in use: streams that have reached their cardinality limit, or found no memory.',
      unit: '{series}',
      kind: 'level',
      start,
      read: () => byName(() => 1),
    },
  ];
}

/**
 * A cell's version counts its updates modulo 2^32. This continues the count, if it is asked again before 2^32
 * more.
 */
class UpdateCount {
  #total = 0;
  #seen = 0;

  of(stream: MergedStream, words: Int32Array): number {
    const versions = stream.updatesOf(stream.overflow, words);
    this.#total += (versions - this.#seen) >>> 0;
    this.#seen = versions;
    return this.#total;
  }
}
