/**
 * Checks what a directory says before it is used (R9). The CRC of a record shows that somebody wrote it so.
 * In a store of several processes that may be any process of the same user. A cell outside of its extent
 * would be read, or written, where there is no memory.
 */
import { RegionError, shortText } from '../base/errors.ts';
import type { Extent } from '../memory/region.ts';
import { ExponentialShape } from './cells/exponential-histogram-cell.ts';
import { LARGEST_MAX_SIZE, MAX_SCALE, MIN_SCALE } from './cells/exponential-index.ts';
import { histogramCellWords } from './cells/histogram-cell.ts';
import { LAST_VALUE_CELL_WORDS } from './cells/last-value-cell.ts';
import { SHARED_VALUE_CELL_WORDS } from './cells/shared-value-cell.ts';
import { SUM_CELL_WORDS } from './cells/sum-cell.ts';
import { GAUGE_MERGES, INSTRUMENT_KINDS, isObserved } from './stream-choices.ts';
import { decodeJson, type StoreConfiguration, type StreamDescription } from './records.ts';

/** The description in a STREAM record. Throws a `RegionError` where it is none. */
export function decodeStream(payload: Buffer): StreamDescription {
  const stream = decodeJson(payload) as StreamDescription;
  const { scope, name, description, unit, kind, created, aggregation } = fieldsOf(stream);
  const { name: scopeName, version, schemaUrl = '', attributes = {} } = fieldsOf(scope);
  const texts = [name, description, unit, scopeName, version, schemaUrl];
  if (
    !texts.every((text) => typeof text === 'string') ||
    !isObject(attributes) ||
    !isObject(aggregation) ||
    !(INSTRUMENT_KINDS as readonly unknown[]).includes(kind) ||
    typeof created !== 'number' ||
    !(cellWordsOf(stream).cell > 0)
  )
    throw new RegionError(
      'E_RANGE',
      `the directory describes a stream in a way unknown: ${shortText(stream)}`,
    );
  return stream;
}

/** The keys in a KEY_SET record. Throws a `RegionError` where they are none. */
export function decodeKeySet(payload: Buffer): string[] {
  const keys = decodeJson(payload);
  if (Array.isArray(keys) && keys.every((key) => typeof key === 'string')) return keys;
  throw new RegionError('E_RANGE', `the directory has keys that are none: ${shortText(keys)}`);
}

/** What a DESCRIPTION record says of one of `streams` streams. Throws a `RegionError` where it is of none. */
export function decodeDescription(payload: Buffer, streams: number): [stream: number, text: string] {
  const [stream, text] = Object.values(fieldsOf(decodeJson(payload)));
  if (isWholeWithin(stream, 0, streams - 1) && typeof text === 'string') return [stream as number, text];
  throw new RegionError('E_RANGE', `the directory describes a stream that is none: ${shortText(stream)}`);
}

/** The configuration in its record. Throws a `RegionError` where it is none. */
export function decodeConfiguration(payload: Buffer): StoreConfiguration {
  const configuration = decodeJson(payload) as StoreConfiguration;
  const { resource, cardinalityLimits, selections, views, maxValueLength = 1 } = fieldsOf(configuration);
  const isWhole =
    isObject(resource) &&
    Array.isArray(views) &&
    (maxValueLength === null || isWholeWithin(maxValueLength, 1, Infinity)) &&
    INSTRUMENT_KINDS.every(
      (kind) =>
        typeof fieldsOf(cardinalityLimits)[kind] === 'number' && Array.isArray(fieldsOf(selections)[kind]),
    );
  if (!isWhole)
    throw new RegionError('E_RANGE', `the configuration of the store is none: ${shortText(configuration)}`);
  return configuration;
}

/**
 * Throws a `RegionError` unless `words` float64 words at `at` lie in the extent, behind the directory, which
 * is read to `readTo`, and before `lowestCell`.
 */
export function checkCell(
  at: number,
  words: number,
  extent: Extent,
  { readTo, lowestCell }: { readonly readTo: number; readonly lowestCell: number },
): void {
  // Stated so that what is no number fails.
  if (at * 8 >= extent.offset + readTo && at + words <= lowestCell) return;
  throw new RegionError(
    'E_RANGE',
    `the directory names ${words} words at ${at} that are not free in the extent at ${extent.offset}`,
  );
}

/**
 * Float64 words of a stream's cells, and those that they share, which are behind the overflow series. NaN for
 * a stream that nobody can have written.
 */
export function cellWordsOf({ kind, merge = 'most-recent', aggregation }: StreamDescription): {
  readonly cell: number;
  readonly shared: number;
} {
  const observed = isObserved(kind);
  switch (aggregation.type) {
    case 'sum':
      return { cell: observed ? LAST_VALUE_CELL_WORDS : SUM_CELL_WORDS, shared: 0 };
    case 'last-value':
      if (merge === 'shared') return observed ? NONE : { cell: SHARED_VALUE_CELL_WORDS, shared: 0 };
      return GAUGE_MERGES.includes(merge) ? { cell: LAST_VALUE_CELL_WORDS, shared: 0 } : NONE;
    case 'explicit-bucket-histogram': {
      const { boundaries } = aggregation;
      return !observed && isAscending(boundaries)
        ? { cell: histogramCellWords(boundaries.length + 1), shared: 0 }
        : NONE;
    }
    case 'exponential-histogram': {
      const { maxSize, maxScale, negative } = aggregation;
      const isShape =
        isWholeWithin(maxSize, 2, LARGEST_MAX_SIZE) && isWholeWithin(maxScale, MIN_SCALE, MAX_SCALE);
      if (observed || !isShape) return NONE;
      const { cellWords, arrayWords } = new ExponentialShape(maxSize, maxScale, negative);
      return { cell: cellWords, shared: arrayWords };
    }
    default:
      return NONE;
  }
}

const NONE = { cell: NaN, shared: NaN };

function isAscending(bounds: readonly unknown[]): boolean {
  return (
    Array.isArray(bounds) &&
    bounds.every((bound, i) => typeof bound === 'number' && !(i > 0 && bound <= (bounds[i - 1] as number)))
  );
}

function isWholeWithin(value: unknown, least: number, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Record<string, unknown>) : {};
}
