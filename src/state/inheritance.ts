import { ExtentCursor } from '../memory/directory-log.ts';
import { EXTENTS_OFFSET } from '../memory/layout.ts';
import type { Extent, Region } from '../memory/region.ts';
import type { CanonicalAttributes } from './attributes.ts';
import { cellWordsOf, checkCell, checkExemplars, decodeStream } from './directory-checks.ts';
import { DirectoryTexts } from './directory-texts.ts';
import { decodeExemplars, type ExemplarsRecord } from './exemplar-record.ts';
import * as records from './records.ts';

/** A series an earlier owner of the slab left. */
export interface RestoredSeries {
  readonly attributes: CanonicalAttributes;
  readonly cell: number;
  readonly overflow: boolean;
}

/** What a dead owner left of one stream. */
export interface RestoredStream {
  readonly id: number;
  readonly series: RestoredSeries[];
  readonly exemplars: ExemplarsRecord[];
}

/** What the directory of a dead thread's slab says, for the thread that goes on counting there. */
export interface Inheritance {
  /** By `streamKey`. */
  readonly streams: Map<string, RestoredStream>;
  /** Ids by the keys as JSON. */
  readonly keySets: Map<string, number>;
  /** Length of the longest description in the directory, by stream. */
  readonly described: number[];
  readonly observedCounters: readonly records.StreamDescription[];
  /** Where the directory ends; undefined where the dead owner had not even an extent. */
  readonly end:
    | {
        readonly extent: Extent;
        readonly used: number;
        readonly lowestCell: number | undefined;
        /** Bytes of all extents of the slab. */
        readonly held: number;
      }
    | undefined;
}

/**
 * Reads a slab's directory. Only the slab's owner, before it writes anything. Throws when the directory
 * is damaged: nobody may append to it then.
 */
export function readInheritance(region: Region, slab: number): Inheritance {
  const streams: RestoredStream[] = [];
  const cellWords: number[] = [];
  const byKey = new Map<string, RestoredStream>();
  const observedCounters: records.StreamDescription[] = [];
  const keySets: string[][] = [];
  const texts = new DirectoryTexts();
  const described: number[] = [];
  let held = 0;
  let last: { readonly cursor: ExtentCursor; lowestCell: number | undefined } | undefined;
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes) {
    if (extent.slab !== slab) continue;
    held += extent.bytes;
    last = { cursor: new ExtentCursor(region, extent), lowestCell: undefined };
    for (let record; (record = last.cursor.next()) !== undefined;) {
      const { kind, payload } = record;
      if (kind === records.STREAM_RECORD) {
        const restored = { id: streams.length, series: [], exemplars: [] };
        const description = decodeStream(payload);
        streams.push(restored);
        cellWords.push(cellWordsOf(description));
        if (description.kind === 'OBSERVABLE_COUNTER') observedCounters.push(description);
        described.push(description.description.length);
        byKey.set(records.streamKey(description), restored);
      } else if (kind === records.KEY_SET_RECORD) {
        keySets.push(records.decodeJson(payload) as string[]);
      } else if (kind === records.DESCRIPTION_RECORD) {
        const [stream, text] = records.decodeJson(payload) as [number, string];
        described[stream] = Math.max(described[stream]!, text.length);
      } else if (kind === records.SERIES_RECORD) {
        const decoded = records.decodeSeries(payload);
        const { stream, keySet, cell } = decoded;
        checkCell(cell, cellWords[stream]!, last.cursor);
        last.lowestCell = Math.min(last.lowestCell ?? cell, cell);
        streams[stream]!.series.push({
          attributes: records.decodeSeriesAttributes(decoded, keySets[keySet] ?? [], texts),
          cell,
          overflow: keySet === records.OVERFLOW_KEY_SET,
        });
      } else if (kind === records.EXEMPLARS_RECORD) {
        const exemplars = decodeExemplars(payload);
        checkExemplars(exemplars, last.cursor);
        last.lowestCell = Math.min(last.lowestCell ?? exemplars.block, exemplars.block);
        streams[exemplars.stream]!.exemplars.push(exemplars);
      } else if (kind === records.BLOCK_RECORD) {
        const block = records.decodeBlock(payload);
        checkCell(block, 1, last.cursor);
        last.lowestCell = Math.min(last.lowestCell ?? block, block);
      }
    }
  }
  return {
    streams: byKey,
    keySets: new Map(keySets.map((keys, id) => [JSON.stringify(keys), id])),
    described,
    observedCounters,
    end: last && { extent: last.cursor.extent, used: last.cursor.readTo, lowestCell: last.lowestCell, held },
  };
}
