/** Regions that somebody has written to who should not have, or whose memory was damaged. */
import { context, trace } from '@opentelemetry/api';
import { AggregationTemporality, AggregationType } from '@opentelemetry/sdk-metrics';
import { crc32 } from 'node:zlib';
import { RegionError } from '../../src/base/errors.ts';
import { readerOf } from '../../src/collect/directory/store-reader.ts';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import * as layout from '../../src/memory/layout.ts';
import type { Region } from '../../src/memory/region.ts';
import { isSlabDead, slabsUsed } from '../../src/memory/slab.ts';
import { blockOf } from '../../src/state/cells/carried.ts';
import type { Aggregation } from '../../src/state/records.ts';
import { isObserved } from '../../src/state/stream-choices.ts';
import { writerOf } from '../../src/state/store-writer.ts';
import { MetricStore } from '../../src/state/store.ts';

/** A region, and where its cells say what readers and writers go by. */
export interface Sample {
  readonly bytes: Uint8Array;
  /** Byte offsets of int32 words: a cell's link to its block. */
  readonly links: readonly number[];
  /** Byte offsets of float64 words: where arrays and buckets are, scales, first buckets. */
  readonly places: readonly number[];
  /** Byte offsets of the cells of two streams. */
  readonly cells: Readonly<Record<'histogram' | 'wide', readonly number[]>>;
  /** Begin and end of memory that no thread of the app reads or writes. */
  readonly foreign: readonly [number, number];
  /** Where extents begin. */
  readonly extents: readonly number[];
  readonly records: readonly { readonly at: number; readonly length: number }[];
}

const NOBODYS_SLAB = 900;
const deltaOptions = { aggregationTemporalitySelector: () => AggregationTemporality.DELTA };

/**
 * A region in which streams of all kinds have series, with exemplars and with intervals that were reported as deltas. The thread
 * that wrote it has given it up.
 */
export async function sampleRegion(): Promise<Sample> {
  const store = MetricStore.create({ maxBytes: 2 ** 20 });
  const { region } = store;
  const deltas = new SeqlockMetricReader(deltaOptions);
  const record = recorderOf(store, [deltas]);
  record(12);
  await deltas.collect();
  record(12); // ends all intervals: each cell has a block now
  const { offset, bytes: length } = region.claimExtent(NOBODYS_SLAB, 16_384)!;
  region.bytes.fill(0x5a, offset + layout.EXTENT_HEADER_BYTES, offset + length);
  await deltas.collect();
  record(9);
  const bytes = region.bytes.slice(0, store.usedBytes);
  const entry = new Int32Array(bytes.buffer, layout.SLAB_TABLE_OFFSET, layout.SLAB_BYTES / 4);
  entry[layout.SLAB_OWNER_WORD] = layout.ABANDONED;
  entry[layout.SLAB_AFFINITY_WORD] = 0; // threads of all kinds take it
  const foreign = [offset + layout.EXTENT_HEADER_BYTES, offset + length] as const;
  const sample = {
    bytes,
    ...pointersIn(region),
    foreign,
    extents: extentsOf(bytes),
    records: recordsOf(bytes),
  };
  store.close();
  return sample;
}

/** Words of a cell or block besides arrays and buckets' counts, by aggregation. */
const HEADS: Partial<Record<Aggregation['type'], readonly [cell: number, block: number]>> = {
  sum: [1, 5],
  'explicit-bucket-histogram': [13, 9],
  'exponential-histogram': [17 + 5, 15 + 5],
};

function pointersIn(region: Region): Pick<Sample, 'links' | 'places' | 'cells'> {
  const links: number[] = [];
  const places: number[] = [];
  const cells: Record<string, number[]> & Sample['cells'] = { histogram: [], wide: [] };
  for (const { streams } of readerOf(region).scopes)
    for (const stream of streams)
      for (let series = 0; series < stream.size; series++) {
        const [cellWords, blockWords] = HEADS[stream.description.aggregation.type] ?? [0, 0];
        const cell = stream.cellOf(stream.firstOf(series));
        if (cellWords === 0 || isObserved(stream.description.kind)) continue;
        cells[stream.description.name]?.push(8 * cell);
        links.push(8 * cell + 4);
        const block = blockOf(region.words, cell);
        for (let i = 1; i < cellWords; i++) places.push(8 * (cell + i));
        for (let i = 1; i < blockWords && block > 0; i++) places.push(8 * (block + i));
      }
  return { links, places, cells };
}

/** Gives a function that records to so many series of streams of all kinds. */
function recorderOf(store: MetricStore, readers: SeqlockMetricReader[]): (series: number) => void {
  const provider = new SeqlockMeterProvider({
    store,
    readers,
    exemplarFilter: 'always_on',
    views: [
      {
        instrumentName: 'wide',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
      },
    ],
  });
  const meter = provider.getMeter('sample');
  const gauges = (['most-recent', 'sum', 'per-writer'] as const).map((merge) =>
    meter.createGauge(`gauge.${merge}`, { merge }),
  );
  const seen = meter.createObservableCounter('seen');
  seen.addCallback((result) => result.observe(3, { a: 'seen' }));
  const [counter, histogram, wide] = [
    meter.createCounter('counter'),
    meter.createHistogram('histogram'),
    meter.createHistogram('wide'),
  ];
  const span = trace.setSpanContext(context.active(), {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    traceFlags: 1,
  });
  return (series) => {
    for (let i = 0; i < series; i++) {
      const attributes = { name: `series ${i}`, flag: i % 2 === 0, i };
      counter.add(1, attributes, span);
      histogram.record(i, attributes, span);
      for (const value of [i ** 3, 1 / (i + 1)]) wide.record(value, attributes);
      for (const gauge of gauges) gauge.record(i, attributes);
    }
  };
}

export interface Used {
  /** Of the error where the region is refused as a whole. */
  readonly code?: string;
  /** Whether the dead thread's slab was found sound, and written to. */
  readonly isAdopted?: boolean;
  readonly bytes?: Uint8Array;
}

/** Uses a region as a process would that finds it: adopts what is dead, records, reads all of it in all ways. What is thrown is a fault. */
export async function useRegion(bytes: Uint8Array): Promise<Used> {
  const buffer = new SharedArrayBuffer(bytes.length, { maxByteLength: 2 ** 20 });
  new Uint8Array(buffer).set(bytes);
  let store: MetricStore;
  try {
    store = MetricStore.of({ region: { buffer } });
  } catch (error) {
    if (error instanceof RegionError) return { code: error.code };
    throw error;
  }
  if (store.closed) return { code: 'E_CLOSED' };
  const { region } = store;
  const [reader, deltas] = [new SeqlockMetricReader(), new SeqlockMetricReader(deltaOptions)];
  const record = recorderOf(store, [reader, deltas]);
  record(3);
  await deltas.collect();
  record(3);
  await deltas.collect();
  reader.exportPrometheus();
  reader.exportJson();
  for (let slab = 0; slab < slabsUsed(region); slab++) isSlabDead(region, slab);
  store.close();
  return { isAdopted: writerOf(region).adopted, bytes: region.bytes };
}

/** One of the ways in which a region may be damaged, at a place of its own. `random`: gives numbers from 0 to below 1. */
export function damage(bytes: Uint8Array, sample: Sample, random: () => number): void {
  const below = (limit: number): number => Math.floor(random() * limit);
  const view = new DataView(bytes.buffer);
  const anyNumber = (): number =>
    [0, 1, -1, 0x7fffffff, -0x80000000, below(2 ** 20), below(2 ** 31), -below(2 ** 31)][below(8)]!;
  switch (below(6)) {
    case 0: // bytes anywhere
      for (let i = below(8); i >= 0; i--) bytes[below(bytes.length)] = below(256);
      break;
    case 1: // words of the header and of slab entries
      view.setInt32(4 * (32 + below(24)), anyNumber(), true);
      view.setInt32(layout.SLAB_TABLE_OFFSET + 4 * below(48), anyNumber(), true);
      break;
    case 2: // words of an extent's header
      view.setInt32(anyOf(sample.extents, below) + 4 * below(3), anyNumber(), true);
      break;
    case 3: // where a block is
      view.setInt32(anyOf(sample.links, below), anyOf([anyNumber(), below(bytes.length / 4)], below), true);
      break;
    case 4: {
      // Where arrays and buckets are, and what they are of.
      const at = anyOf(sample.places, below);
      const own = view.getFloat64(at, true);
      const other = view.getFloat64(anyOf(sample.places, below), true);
      const numbers = [anyNumber(), below(bytes.length / 8), own + below(9) - 4, other];
      view.setFloat64(at, anyOf([...numbers, 2 ** below(1024), NaN, -0.5], below), true);
      break;
    }
    default: {
      // What a record says, with the right CRC.
      const { at, length } = anyOf(sample.records, below);
      for (let i = below(4); i >= 0; i--) {
        const where = at + 8 + below(length - 8);
        if (below(2) === 0) bytes[where] = below(256);
        else view.setInt32(Math.min(where, at + length - 4), anyNumber(), true);
      }
      const head = crc32(bytes.subarray(at, at + 4));
      view.setUint32(at + 4, crc32(bytes.subarray(at + 8, at + length), head), true);
    }
  }
}

/** Whether what no thread has to do with is as it was in `before`, wherever that still says where extents are. */
export function isForeignUntouched(sample: Sample, before: Uint8Array, after: Uint8Array): boolean {
  const { foreign } = sample;
  const claims = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer);
    return [4 * layout.EXTENTS_END_INDEX, ...sample.extents].map((at) => view.getInt32(at, true));
  };
  if (claims(sample.bytes).join() !== claims(before).join()) return true;
  return Buffer.compare(before.subarray(...foreign), after.subarray(...foreign)) === 0;
}

function anyOf<T>(values: readonly T[], below: (limit: number) => number): T {
  return values[below(values.length)]!;
}

function extentsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer);
  const extents: number[] = [];
  for (let at = layout.EXTENTS_OFFSET; at < bytes.length;) {
    extents.push(at);
    at += (view.getInt32(at, true) & layout.CLAIM_UNITS_MASK) * layout.UNIT_BYTES;
  }
  return extents;
}

function recordsOf(bytes: Uint8Array): { at: number; length: number }[] {
  const view = new DataView(bytes.buffer);
  return extentsOf(bytes).flatMap((extent) => {
    const records: { at: number; length: number }[] = [];
    const end = extent + view.getInt32(extent + 4 * layout.EXTENT_USED_WORD, true);
    for (let at = extent + layout.EXTENT_HEADER_BYTES; at < end;) {
      const length = 4 * (view.getUint32(at, true) & 0xffffff);
      records.push({ at, length });
      at += length;
    }
    return records;
  });
}
