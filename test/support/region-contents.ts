/**
 * What a region holds, decoded anew each time and independent of src/collect: directories walked record by record, cells
 * read one by one. For tests that ask whether what was recorded is there, exactly.
 */
import { ExtentCursor } from '../../src/memory/directory-log.ts';
import { EXTENTS_OFFSET } from '../../src/memory/layout.ts';
import type { Extent, Region } from '../../src/memory/region.ts';
import type { CanonicalAttributes } from '../../src/state/attributes.ts';
import {
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_RANGES,
  ExponentialShape,
  readExponentialInto,
} from '../../src/state/cells/exponential-histogram-cell.ts';
import {
  HISTOGRAM_BUCKETS,
  histogramCopyWords,
  readHistogramInto,
} from '../../src/state/cells/histogram-cell.ts';
import { readLastValueInto } from '../../src/state/cells/last-value-cell.ts';
import { readSumInto, SUM_COPY_WORDS } from '../../src/state/cells/sum-cell.ts';
import { DirectoryTexts } from '../../src/state/directory-texts.ts';
import * as records from '../../src/state/records.ts';

export interface SeriesContents {
  readonly slab: number;
  readonly stream: records.StreamDescription;
  readonly attributes: CanonicalAttributes;
  readonly overflow: boolean;
  readonly cell: number;
  /** False until something was recorded. */
  readonly live: boolean;
  /** The cell's words: total; value and tick; count, sum, min, max and bucket counts; or a row, and another of what was carried. */
  readonly values: readonly number[];
}

export function extentsOf(region: Region): Extent[] {
  const extents: Extent[] = [];
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes)
    extents.push(extent);
  return extents;
}

/** Records of all extents, in memory order. */
export function recordsOf(region: Region): { slab: number; kind: number; payload: Buffer }[] {
  return extentsOf(region).flatMap((extent) => {
    const cursor = new ExtentCursor(region, extent);
    const records = [];
    for (let record; (record = cursor.next()) !== undefined;) {
      const { kind, payload } = record;
      records.push({ slab: extent.slab, kind, payload });
    }
    return records;
  });
}

export function seriesOf(region: Region): SeriesContents[] {
  const streams = new Map<number, records.StreamDescription[]>();
  const keySets = new Map<number, string[][]>();
  const texts = new Map<number, DirectoryTexts>();
  const series: SeriesContents[] = [];
  for (const { slab, kind, payload } of recordsOf(region)) {
    if (!streams.has(slab)) {
      streams.set(slab, []);
      keySets.set(slab, []);
      texts.set(slab, new DirectoryTexts());
    }
    if (kind === records.STREAM_RECORD)
      streams.get(slab)!.push(records.decodeJson(payload) as records.StreamDescription);
    if (kind === records.KEY_SET_RECORD) keySets.get(slab)!.push(records.decodeJson(payload) as string[]);
    if (kind !== records.SERIES_RECORD) continue;
    const decoded = records.decodeSeries(payload);
    const { stream: id, keySet, cell } = decoded;
    const stream = streams.get(slab)![id]!;
    series.push({
      slab,
      stream,
      attributes: records.decodeSeriesAttributes(decoded, keySets.get(slab)![keySet] ?? [], texts.get(slab)!),
      overflow: keySet === records.OVERFLOW_KEY_SET,
      cell,
      live: Atomics.load(region.words, cell << 1) !== 0,
      values: valuesOf(region, stream.aggregation, cell),
    });
  }
  return series;
}

function valuesOf({ words, doubles }: Region, aggregation: records.Aggregation, cell: number): number[] {
  if (aggregation.type === 'sum') {
    const into = new Float64Array(SUM_COPY_WORDS);
    readSumInto(words, doubles, cell, into);
    return [into[0]!];
  }
  if (aggregation.type === 'last-value') {
    const into = new Float64Array(2);
    readLastValueInto(words, doubles, cell, into);
    return [...into];
  }
  if (aggregation.type === 'exponential-histogram') {
    const { maxSize, maxScale, negative } = aggregation;
    const shape = new ExponentialShape(maxSize, maxScale, negative);
    const into = new Float64Array(shape.copyWords);
    readExponentialInto(words, doubles, cell, shape, into);
    const row = (at: number): number[] => {
      const used = (range: number): number[] => {
        const from = at + EXPONENTIAL_COUNTS + range * maxSize;
        return [...into.subarray(from, from + into[at + EXPONENTIAL_RANGES + 2 * range + 1]!)];
      };
      return [...into.subarray(at, at + EXPONENTIAL_COUNTS), ...used(0), ...used(1)];
    };
    return into[shape.copiedCarried] === 0 ? row(0) : [...row(0), ...row(shape.copiedCarried)];
  }
  const buckets = aggregation.boundaries.length + 1;
  const into = new Float64Array(histogramCopyWords(buckets));
  readHistogramInto(words, doubles, cell, buckets, into);
  return [...into.subarray(0, 4), ...into.subarray(HISTOGRAM_BUCKETS, HISTOGRAM_BUCKETS + buckets)];
}

/** Sum over all writers, by the attributes as JSON (keys sorted); what was never recorded to is left out. */
export function sumsOf(region: Region, name?: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { stream, attributes, live, values } of seriesOf(region)) {
    if (!live || (name !== undefined && stream.name !== name)) continue;
    const key = JSON.stringify(attributes.keys.map((k, i) => [k, attributes.values[i]]));
    sums[key] = (sums[key] ?? 0) + values[0]!;
  }
  return sums;
}

export function totalOf(region: Region, name?: string): number {
  return Object.values(sumsOf(region, name)).reduce((total, sum) => total + sum, 0);
}
