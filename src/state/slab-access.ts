import type { Warnings } from '../base/warnings.ts';
import type { DirectoryLog } from '../memory/directory-log.ts';
import type { Region } from '../memory/region.ts';
import type { RegionClock } from '../memory/region-clock.ts';
import type { TextNumbers } from './directory-texts.ts';
import type { ExemplarsRecord } from './exemplar-record.ts';
import type { RestoredSeries } from './inheritance.ts';
import type { StreamDescription } from './records.ts';

/** A stream's place in a slab. */
export interface Registration {
  /** Number of the stream in the slab; -1 where the region has no room for its record now. */
  readonly id: number;
  /** What a dead owner of the slab left of the stream. */
  readonly series: readonly RestoredSeries[];
  readonly exemplars: readonly ExemplarsRecord[];
}

/** What the streams of one slab share. */
export interface SlabAccess {
  readonly region: Region;
  /** Undefined while the thread has no slab: every measurement is then lost, with a warning. */
  readonly log: DirectoryLog | undefined;
  readonly warnings: Warnings;
  readonly clock: RegionClock;
  readonly texts: TextNumbers;
  /** At what length texts and bytes of attribute values are cut; see `canonicalAttributes`. */
  readonly maxValueLength: number;
  /** Registers a stream in this slab's directory, or finds it there. */
  register(description: StreamDescription): Registration;
  /**
   * The id of a key set in this slab's directory, which is written there if needed. -1 when the region has no
   * room for it now.
   */
  keySetId(keys: readonly string[]): number;
  /** Lets go of series that other threads have removed. Costs a load if there are none. */
  followEndings(): void;
}
