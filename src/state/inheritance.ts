import { EXTENTS_OFFSET } from '../memory/layout.ts';
import type { Extent, Region } from '../memory/region.ts';
import type { CanonicalAttributes } from './attributes.ts';
import { checkInheritedCells, type Blocks } from './inherited-cells.ts';
import { DirectoryReader } from './directory-reader.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import * as records from './records.ts';
import { ENDING, finish, isOver, stateAt } from './standing.ts';

/** A series an earlier owner of the slab left. */
export interface RestoredSeries {
  readonly attributes: CanonicalAttributes;
  readonly cell: number;
  readonly overflow: boolean;
  /** Whether it was removed: only its memory is left. */
  readonly over: boolean;
  /** Where its standing is: int32 index in the region. */
  readonly standing: number;
}

/** What a dead owner left of one stream. */
export interface RestoredStream {
  readonly id: number;
  readonly series: RestoredSeries[];
  readonly exemplars: ExemplarsRecord[];
}

/** What the directory of a dead thread's slab says. For the thread that continues counting there. */
export interface Inheritance {
  /** By `streamKey`. */
  readonly streams: Map<string, RestoredStream>;
  /** Ids by the keys as JSON. */
  readonly keySets: Map<string, number>;
  /** Length of the longest description in the directory, by stream. */
  readonly described: number[];
  readonly observedCounters: readonly records.StreamDescription[];
  /** Where the directory ends; undefined if the dead owner had no extent. */
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
 * or a cell is damaged: nobody may append to it then.
 */
export function readInheritance(region: Region, slab: number): Inheritance {
  const streams: RestoredStream[] = [];
  const descriptions: records.StreamDescription[] = [];
  const byKey = new Map<string, RestoredStream>();
  const observedCounters: records.StreamDescription[] = [];
  const described: number[] = [];
  const directory = new DirectoryReader(region);
  let held = 0;
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes) {
    if (extent.slab !== slab) continue;
    held += extent.bytes;
    directory.add(extent);
  }
  const blocks: Blocks = new Map();
  directory.read({
    stream(description) {
      const restored = { id: streams.length, series: [], exemplars: [] };
      streams.push(restored);
      descriptions.push(description);
      if (description.kind === 'OBSERVABLE_COUNTER') observedCounters.push(description);
      described.push(description.description.length);
      byKey.set(records.streamKey(description), restored);
    },
    description(stream, text) {
      described[stream] = Math.max(described[stream]!, text.length);
    },
    series({ stream, attributes, isOverflow, cell, standing }) {
      const over = isOver(stateAt(region.words, standing));
      if (over) finish(region.words, standing, ENDING);
      streams[stream]!.series.push({ attributes, cell, overflow: isOverflow, over, standing });
    },
    exemplars(record) {
      streams[record.stream]!.exemplars.push(record);
    },
    block: (at, words) => void blocks.set(at, words),
  });
  streams.forEach(({ series }, i) => checkInheritedCells(region, descriptions[i]!, series, blocks));
  const last = directory.cursor;
  return {
    streams: byKey,
    keySets: new Map(directory.keySets.map((keys, id) => [JSON.stringify(keys), id])),
    described,
    observedCounters,
    end: last && {
      extent: last.extent,
      used: last.readTo,
      lowestCell: directory.lowestCell,
      held,
    },
  };
}
