/**
 * What the directory says: streams, attribute key sets, series, and the store's configuration. Writer and
 * reader of each record side by side. Numbers are little-endian; ids count from 0 within a slab.
 *
 *   STREAM          JSON of a StreamDescription                     id = number of STREAM records before it
 *   KEY_SET         JSON array of attribute keys, sorted            id = number of KEY_SET records before it
 *   SERIES          0          4           12       16
 *                   +----------+-----------+--------+--------+---------+----------------+
 *                   | standing | start f64 | cell   | stream | key set | value, value.. |
 *                   +----------+-----------+--------+--------+---------+----------------+
 *                   standing: see `standing.ts`; start: milliseconds since the epoch;
 *                   cell: float64 index in the region;
 *                   stream: varint; key set: varint, its id + 1, and 0 for the overflow series
 *   CONFIGURATION   JSON of a StoreConfiguration; the region's header points to the newest one
 *   DESCRIPTION     JSON of [stream, text]: the stream was registered again, with a longer description
 *   EXEMPLARS       see `exemplar-record.ts`
 *   BLOCK           float64 index of a block that a cell's link names (`cells/carried.ts`): for the slab's
 *                   next owner, whose cells begin below it
 *   varint, value   see `attribute-bytes.ts`
 */
import type { Attributes } from '@opentelemetry/api';
import type { Selections, GaugeMerge, InstrumentKind, ViewDescription } from './stream-choices.ts';
import { type CanonicalAttributes, OVERFLOW_ATTRIBUTES } from './attributes.ts';
import { ValueReader, ValueWriter } from './attribute-bytes.ts';
import { CHANGING_BYTES, CHANGING_KINDS } from '../memory/directory-log.ts';
import type { DirectoryTexts, TextNumbers } from './directory-texts.ts';

export const STREAM_RECORD = 1;
export const KEY_SET_RECORD = 2;
export const SERIES_RECORD: number = CHANGING_KINDS | 3;
export const CONFIGURATION_RECORD = 4;
export const DESCRIPTION_RECORD = 5;
export const EXEMPLARS_RECORD = 6;
export const BLOCK_RECORD = 7;

/** Key set of the overflow series; it has no values in the record. */
export const OVERFLOW_KEY_SET = 0xffff_ffff;

export type Aggregation =
  | { readonly type: 'sum'; readonly monotonic: boolean }
  | { readonly type: 'last-value' }
  | {
      readonly type: 'explicit-bucket-histogram';
      /** Upper inclusive bounds, ascending and finite. */
      readonly boundaries: readonly number[];
      readonly recordMinMax: boolean;
      /** False where measurements may be negative (specification, data model: sum is then left out). */
      readonly hasSum: boolean;
    }
  | {
      readonly type: 'exponential-histogram';
      /** Buckets of each range, from 2. */
      readonly maxSize: number;
      /** -10 to 20. */
      readonly maxScale: number;
      readonly recordMinMax: boolean;
      readonly hasSum: boolean;
      /** True where measurements may be negative: they have buckets of their own. */
      readonly negative: boolean;
    };

/** What makes instruments (specification, instrumentation scope). */
export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string | undefined;
  /** As JSON holds them, keys sorted; left out where there are none. */
  readonly attributes?: Attributes;
}

/** The identity of a scope: all its fields. */
export function scopeKey({ name, version, schemaUrl, attributes }: Scope): string {
  return JSON.stringify([name, version, schemaUrl ?? null, attributes ?? null]);
}

/** A metric stream as its writer registers it. */
export interface StreamDescription {
  readonly scope: Scope;
  readonly name: string;
  /**
   * Not part of the identity. Of several descriptions the longest is shown (specification, duplicate
   * registration).
   */
  readonly description: string;
  readonly unit: string;
  readonly kind: InstrumentKind;
  readonly integer: boolean;
  readonly aggregation: Aggregation;
  /** When the writer registered it, in milliseconds since the epoch. Not part of the identity. */
  readonly created: number;
  /**
   * Who chose the aggregation. Undefined: a view, for every reader. Otherwise the key of the readers' choice
   * that the stream was made for (`stream-choices.ts`): only readers with that choice show it.
   */
  readonly selection: string | undefined;
  /** Distinguishes streams that views made of one instrument and that are otherwise alike; 0 is left out. */
  readonly viewIndex?: number;
  /** The cardinality limit that a view set. Not part of the identity; of several the largest counts. */
  readonly cardinalityLimit?: number;
  /** Of gauges only. Default `most-recent`. */
  readonly merge?: GaugeMerge;
}

/**
 * The identity of a stream: the streams of two writers are one if their keys are equal. The case of letters
 * in names does not matter (specification, instrument name).
 */
export function streamKey(stream: StreamDescription): string {
  const {
    scope,
    name,
    unit,
    kind,
    integer,
    aggregation,
    selection,
    viewIndex,
    merge = 'most-recent',
  } = stream;
  const fields = [
    scopeKey(scope),
    name.toLowerCase(),
    unit,
    kind,
    integer,
    selection ?? null,
    viewIndex ?? 0,
  ];
  switch (aggregation.type) {
    case 'sum':
      return JSON.stringify([...fields, 'sum', aggregation.monotonic]);
    case 'last-value':
      return JSON.stringify([...fields, 'last-value', merge]);
    case 'explicit-bucket-histogram':
      return JSON.stringify([
        ...fields,
        'explicit-bucket-histogram',
        aggregation.boundaries,
        aggregation.recordMinMax,
        aggregation.hasSum,
      ]);
    case 'exponential-histogram':
      return JSON.stringify([
        ...fields,
        'exponential-histogram',
        aggregation.maxSize,
        aggregation.maxScale,
        aggregation.recordMinMax,
        aggregation.hasSum,
        aggregation.negative,
      ]);
  }
}

/** Which measurements may become exemplars (specification, ExemplarFilter). */
export type ExemplarFilter = 'trace_based' | 'always_on' | 'always_off';

/** What a store says of itself to threads that join or read it. */
export interface StoreConfiguration {
  /** Attributes of the resource, as far as JSON can express them. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly resourceSchemaUrl: string | undefined;
  /** Cardinality limit by instrument kind: the largest that any reader of the publisher wants. */
  readonly cardinalityLimits: Readonly<Record<InstrumentKind, number>>;
  /**
   * Aggregations that the publisher's readers want, by instrument kind: an instrument has a stream for each.
   * Never empty.
   */
  readonly selections: Selections;
  /** The publisher's views. Threads without views of their own follow them. */
  readonly views: readonly ViewDescription[];
  /** Left out: `trace_based`. */
  readonly exemplarFilter?: ExemplarFilter;
  /** At what length values of attributes are cut. Left out: `DEFAULT_VALUE_LENGTH`; null: never. */
  readonly maxValueLength?: number | null;
}

/** One series as its record describes it. */
export interface SeriesRecord {
  readonly stream: number;
  readonly keySet: number;
  readonly cell: number;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
}

export function encodeJson(value: object): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** Reads a JSON payload without the zeros that pad the record. */
export function decodeJson(payload: Buffer): unknown {
  const end = payload.indexOf(0);
  return JSON.parse(payload.toString('utf8', 0, end === -1 ? payload.length : end));
}

const START_OFFSET: number = CHANGING_BYTES;
const CELL_OFFSET: number = START_OFFSET + 8;
const STREAM_OFFSET: number = CELL_OFFSET + 4;

/** `texts`: those of the slab. Tell it when the record is published. `standing`: see `standing.ts`. */
export function encodeSeries(
  series: SeriesRecord,
  attributes: CanonicalAttributes,
  texts: TextNumbers,
  standing = 0,
): Buffer {
  texts.begin();
  const writer = new ValueWriter();
  writer.uint32(standing >>> 0);
  writer.double(series.startTime);
  writer.uint32(series.cell);
  writer.varint(series.stream);
  if (series.keySet === OVERFLOW_KEY_SET) writer.varint(0);
  else {
    writer.varint(series.keySet + 1);
    for (const value of attributes.values) writer.value(value, texts);
  }
  return writer.written;
}

/** The start in the record of a series. `word`: int32 index of its payload in the region. */
export function startAt({ bytes }: { readonly bytes: Uint8Array }, word: number): number {
  return new DataView(bytes.buffer, 4 * word + START_OFFSET, 8).getFloat64(0, true);
}

/** Writes the cell's place into an encoded series. It is known only after room was found for both. */
export function setSeriesCell(payload: Buffer, cell: number): void {
  payload.writeUInt32LE(cell, CELL_OFFSET);
}

const BLOCK_BYTES = 4;

/** A record whose block is set later, with `setBlock`. */
export function encodeBlock(): Buffer {
  return Buffer.alloc(BLOCK_BYTES);
}

export function setBlock(payload: Buffer, block: number): void {
  payload.writeUInt32LE(block, 0);
}

export function decodeBlock(payload: Buffer): number {
  return payload.readUInt32LE(0);
}

/** A series whose attributes are not read yet. */
export interface DecodedSeries extends SeriesRecord {
  readonly values: ValueReader;
}

/**
 * The series whose payload is the bytes from `start` to `end`. Throws a `RegionError` when it goes on behind
 * the end.
 */
export function decodeSeries(bytes: Buffer, start: number = 0, end: number = bytes.length): DecodedSeries {
  const values = new ValueReader(bytes, Math.min(start + STREAM_OFFSET, end), end);
  const stream = values.varint();
  const keySet = values.varint();
  return {
    stream,
    keySet: keySet === 0 ? OVERFLOW_KEY_SET : keySet - 1,
    cell: bytes.readUInt32LE(start + CELL_OFFSET),
    startTime: bytes.readDoubleLE(start + START_OFFSET),
    values,
  };
}

/**
 * The attributes of a series, once, given the keys of its key set (unused for the overflow series) and the
 * texts of its directory. Of each directory all records are to be read, in order. Throws a `RegionError` when
 * they go on behind the record's end.
 */
export function decodeSeriesAttributes(
  { keySet, values }: DecodedSeries,
  keys: readonly string[],
  texts: DirectoryTexts,
): CanonicalAttributes {
  if (keySet === OVERFLOW_KEY_SET) return OVERFLOW_ATTRIBUTES;
  return { keys, values: keys.map(() => values.value(texts)) };
}
