/**
 * Checks what a directory says before it is used (R9). The CRC of a record shows that somebody wrote it so.
 * In a store of several processes that may be any process of the same user. A cell outside of its extent
 * would be read, or written, where there is no memory.
 */
import { RegionError, shortText } from '../base/errors.ts';
import type { Extent } from '../memory/region.ts';
import { ExponentialShape } from './cells/exponential-histogram-cell.ts';
import { histogramCellWords } from './cells/histogram-cell.ts';
import { LAST_VALUE_CELL_WORDS } from './cells/last-value-cell.ts';
import { SHARED_VALUE_CELL_WORDS } from './cells/shared-value-cell.ts';
import { SUM_CELL_WORDS } from './cells/sum-cell.ts';
import { exemplarBlockWords, type ExemplarsRecord } from './exemplar-record.ts';
import { INSTRUMENT_KINDS, isObserved } from './stream-choices.ts';
import { decodeJson, type StoreConfiguration, type StreamDescription } from './records.ts';

/**
 * Where a directory names a cell: its extent, and how far the directory was read there, in bytes from the
 * extent's start.
 */
export interface DirectoryPlace {
  readonly extent: Extent;
  readonly readTo: number;
}

/** The description in a STREAM record. Throws a `RegionError` where it is none. */
export function decodeStream(payload: Buffer): StreamDescription {
  const stream = decodeJson(payload) as StreamDescription;
  const { scope, name, description, unit, kind, created } = fieldsOf(stream);
  const texts = [name, description, unit, fieldsOf(scope)['name'], fieldsOf(scope)['version']];
  if (
    !texts.every((text) => typeof text === 'string') ||
    !(INSTRUMENT_KINDS as readonly unknown[]).includes(kind) ||
    typeof created !== 'number' ||
    !(cellWordsOf(stream) > 0)
  )
    throw new RegionError(
      'E_RANGE',
      `the directory describes a stream in a way unknown: ${shortText(stream)}`,
    );
  return stream;
}

/** The configuration in its record. Throws a `RegionError` where it is none. */
export function decodeConfiguration(payload: Buffer): StoreConfiguration {
  const configuration = decodeJson(payload) as StoreConfiguration;
  const { resource, cardinalityLimits, selections, views } = fieldsOf(configuration);
  const isWhole =
    isObject(resource) &&
    Array.isArray(views) &&
    INSTRUMENT_KINDS.every(
      (kind) =>
        typeof fieldsOf(cardinalityLimits)[kind] === 'number' && Array.isArray(fieldsOf(selections)[kind]),
    );
  if (!isWhole)
    throw new RegionError('E_RANGE', `the configuration of the store is none: ${shortText(configuration)}`);
  return configuration;
}

/** Throws a `RegionError` unless a block of exemplars lies in the extent that names it. */
export function checkExemplars({ block, places, textWords }: ExemplarsRecord, place: DirectoryPlace): void {
  checkCell(block, exemplarBlockWords(places, textWords), place);
}

/** Throws a `RegionError` unless `words` float64 words at `at` lie in the extent that names them. */
export function checkCell(at: number, words: number, { extent, readTo }: DirectoryPlace): void {
  const { offset, bytes } = extent;
  // Written so that NaN fails.
  if (at * 8 >= offset + readTo && (at + words) * 8 <= offset + bytes) return;
  throw new RegionError(
    'E_RANGE',
    `the directory names ${words} words at ${at} outside of the extent at ${offset}`,
  );
}

/** Float64 words of a stream's cells; NaN for a stream that no writer can have written. */
export function cellWordsOf({ kind, merge, aggregation }: StreamDescription): number {
  if (isObserved(kind)) return LAST_VALUE_CELL_WORDS;
  if (merge === 'shared') return SHARED_VALUE_CELL_WORDS;
  switch (aggregation.type) {
    case 'sum':
      return SUM_CELL_WORDS;
    case 'last-value':
      return LAST_VALUE_CELL_WORDS;
    case 'explicit-bucket-histogram': {
      const { boundaries } = aggregation;
      if (!Array.isArray(boundaries)) return NaN;
      return histogramCellWords(boundaries.length + 1);
    }
    case 'exponential-histogram': {
      const { maxSize, maxScale, negative } = aggregation;
      if (!Number.isInteger(maxSize) || maxSize < 1) return NaN;
      return new ExponentialShape(maxSize, maxScale, negative).cellWords;
    }
    default:
      return NaN;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Record<string, unknown>) : {};
}
