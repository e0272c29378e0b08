import { performance } from '../base/platform.ts';
import { ExtentCursor, type LogRecord } from '../memory/directory-log.ts';
import type { Extent, Region } from '../memory/region.ts';
import type { CanonicalAttributes } from './attributes.ts';
import { cellWordsOf, checkCell, decodeDescription, decodeKeySet, decodeStream } from './directory-checks.ts';
import { DirectoryTexts } from './directory-texts.ts';
import { decodeExemplars, exemplarBlockWords, type ExemplarsRecord } from './exemplar-record.ts';
import * as records from './records.ts';

/** Records that are decoded between two looks at the clock, over all directories. */
const RECORDS_BETWEEN_LOOKS = 64;
let decoded = 0;

/** A series as a directory describes it. A stream is named by its number: how many came before it. */
export interface SeriesEntry {
  readonly stream: number;
  readonly attributes: CanonicalAttributes;
  readonly isOverflow: boolean;
  readonly cell: number;
  /** In milliseconds since the epoch. */
  readonly startTime: number;
  /** Where its standing is: an int32 index in the region. */
  readonly standing: number;
}

/** Receives what a directory says, in the order in which it was written. */
export interface DirectoryVisitor {
  stream(description: records.StreamDescription): void;
  /** A stream was registered again, with a longer description. */
  description(stream: number, text: string): void;
  series(entry: SeriesEntry): void;
  exemplars(record: ExemplarsRecord): void;
  /** A cell got memory for what it counted before its interval: float64 words at `at`. */
  block(at: number, words: number): void;
}

/**
 * Reads the directory of one slab: all of it in the first call, and what was added since in each further
 * call. It passes on only what was checked. Used by a new owner of the slab, by readers, and for checks.
 */
export class DirectoryReader {
  /** Of each key set, by its number. */
  readonly keySets: (readonly string[])[] = [];
  readonly #region: Region;
  readonly #extents: ExtentCursor[] = [];
  readonly #texts: DirectoryTexts;
  readonly #cellWords: ReturnType<typeof cellWordsOf>[] = []; // by stream
  /** Float64 index of the lowest cell of the extent that is being read. The next one lies below it. */
  #lowestCell = Infinity;

  /** `textOf`: decodes UTF-8, where texts are to be shared with other directories. */
  constructor(region: Region, textOf?: (bytes: Buffer, start: number, end: number) => string) {
    this.#region = region;
    this.#texts = new DirectoryTexts(textOf);
  }

  /**
   * Adds an extent of the slab, the next in the order of the region. A writer never returns to an extent
   * after it has claimed the next one. So all extents but the last are complete.
   */
  add(extent: Extent): void {
    this.#extents.push(new ExtentCursor(this.#region, extent));
  }

  /** Where the directory is read to; undefined where it has no extent. */
  get cursor(): ExtentCursor | undefined {
    return this.#extents[0];
  }

  /** The lowest cell (float64 index) that a record in the cursor's extent names; undefined when none does. */
  get lowestCell(): number | undefined {
    return this.#lowestCell === Infinity ? undefined : this.#lowestCell;
  }

  /**
   * Passes on what is new, until `performance.now()` is past `until`. False when there is more. Throws when
   * the directory is damaged: then nothing further of it can be read.
   */
  read(visitor: DirectoryVisitor, until: number = Infinity): boolean {
    for (let cursor; (cursor = this.#extents[0]) !== undefined; this.#nextExtent()) {
      for (let record; (record = cursor.next()) !== undefined;) {
        this.#tell(record, visitor);
        if (++decoded % RECORDS_BETWEEN_LOOKS === 0 && performance.now() > until) return false;
      }
      if (this.#extents.length === 1) return true;
    }
    return true;
  }

  #nextExtent(): void {
    this.#extents.shift();
    this.#lowestCell = Infinity;
  }

  /**
   * Notes that a record of the extent at the cursor names a cell. Returns the float64 words from there to the
   * cell before.
   */
  #take(cell: number, words: number): number {
    const { extent, readTo } = this.#extents[0]!;
    const lowestCell = Math.min(this.#lowestCell, (extent.offset + extent.bytes) / 8);
    checkCell(cell, words, extent, { readTo, lowestCell });
    this.#lowestCell = cell;
    return lowestCell - cell;
  }

  #tell(record: LogRecord, visitor: DirectoryVisitor): void {
    switch (record.kind) {
      case records.STREAM_RECORD: {
        const description = decodeStream(record.payload);
        this.#cellWords.push(cellWordsOf(description));
        visitor.stream(description);
        return;
      }
      case records.KEY_SET_RECORD:
        this.keySets.push(decodeKeySet(record.payload));
        return;
      case records.SERIES_RECORD: {
        const series = records.decodeSeries(record.bytes, record.start, record.end);
        const { stream, keySet, cell, startTime } = series;
        const isOverflow = keySet === records.OVERFLOW_KEY_SET;
        const { cell: cellWords, shared } = this.#cellWords[stream] ?? { cell: NaN, shared: NaN };
        this.#take(cell, isOverflow ? cellWords + shared : cellWords);
        const attributes = records.decodeSeriesAttributes(series, this.keySets[keySet] ?? [], this.#texts);
        visitor.series({
          stream,
          attributes,
          isOverflow,
          cell,
          startTime,
          standing: record.word,
        });
        return;
      }
      case records.DESCRIPTION_RECORD: {
        visitor.description(...decodeDescription(record.payload, this.#cellWords.length));
        return;
      }
      case records.EXEMPLARS_RECORD: {
        const exemplars = decodeExemplars(record.payload);
        this.#take(exemplars.block, exemplarBlockWords(exemplars.places, exemplars.textWords));
        visitor.exemplars(exemplars);
        return;
      }
      case records.BLOCK_RECORD: {
        const block = records.decodeBlock(record.payload);
        visitor.block(block, this.#take(block, 1));
        return;
      }
      default: // of a later minor version
    }
  }
}
