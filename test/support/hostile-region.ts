/** Regions that somebody has written to who should not have, or whose memory was damaged. */
import { context, trace } from '@opentelemetry/api';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { crc32 } from 'node:zlib';
import { RegionError } from '../../src/base/errors.ts';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import * as layout from '../../src/memory/layout.ts';
import { isSlabDead, slabsUsed } from '../../src/memory/slab.ts';
import { MetricStore } from '../../src/state/store.ts';

/** A region in which streams of all kinds have series, exemplars too. */
export function sampleRegion(): Uint8Array {
  const store = MetricStore.create({ maxBytes: 2 ** 20 });
  recordAll(store, 12);
  const bytes = store.region.bytes.slice(0, store.usedBytes);
  store.close();
  return bytes;
}

function recordAll(store: MetricStore, series: number): SeqlockMetricReader {
  const reader = new SeqlockMetricReader();
  const provider = new SeqlockMeterProvider({
    store,
    readers: [reader],
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
  for (let i = 0; i < series; i++) {
    const attributes = { name: `series ${i}`, flag: i % 2 === 0, i };
    counter.add(1, attributes, span);
    histogram.record(i, attributes, span);
    wide.record(i ** 3, attributes);
    for (const gauge of gauges) gauge.record(i, attributes);
  }
  return reader;
}

/**
 * Uses a region as a process would that finds it: reads all of it, adopts what is dead, records. Returns the code of the error where it is
 * refused as a whole; anything else that is thrown is a fault.
 */
export function useRegion(bytes: Uint8Array): string | undefined {
  const buffer = new SharedArrayBuffer(bytes.length, { maxByteLength: 2 ** 20 });
  new Uint8Array(buffer).set(bytes);
  let store: MetricStore;
  try {
    store = MetricStore.of({ region: { buffer } });
  } catch (error) {
    if (error instanceof RegionError) return error.code;
    throw error;
  }
  if (store.closed) return 'E_CLOSED';
  const reader = recordAll(store, 3);
  reader.snapshot();
  reader.exportPrometheus();
  reader.exportJson();
  for (let slab = 0; slab < slabsUsed(store.region); slab++) isSlabDead(store.region, slab);
  store.close();
  return undefined;
}

/** Damages a copy of a region in one of the ways there are. `random`: gives numbers from 0 to below 1. */
export function damaged(sample: Uint8Array, random: () => number): Uint8Array {
  const bytes = sample.slice();
  const below = (limit: number): number => Math.floor(random() * limit);
  const view = new DataView(bytes.buffer);
  const anyNumber = (): number =>
    [0, 1, -1, 0x7fffffff, -0x80000000, below(2 ** 20), below(2 ** 31), -below(2 ** 31)][below(8)]!;
  switch (below(4)) {
    case 0: // bytes anywhere
      for (let i = below(8); i >= 0; i--) bytes[below(bytes.length)] = below(256);
      break;
    case 1: // words of the header and of slab entries
      view.setInt32(4 * (32 + below(24)), anyNumber(), true);
      view.setInt32(layout.SLAB_TABLE_OFFSET + 4 * below(48), anyNumber(), true);
      break;
    case 2: // words of an extent's header
      view.setInt32(anyOf(extentsOf(bytes), below) + 4 * below(3), anyNumber(), true);
      break;
    default: {
      // What a record says, with the right CRC.
      const { at, length } = anyOf(recordsOf(bytes), below);
      for (let i = below(4); i >= 0; i--) {
        const where = at + 8 + below(length - 8);
        if (below(2) === 0) bytes[where] = below(256);
        else view.setInt32(Math.min(where, at + length - 4), anyNumber(), true);
      }
      const head = crc32(bytes.subarray(at, at + 4));
      view.setUint32(at + 4, crc32(bytes.subarray(at + 8, at + length), head), true);
    }
  }
  return bytes;
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
