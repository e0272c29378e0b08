import type { Warnings } from '../base/warnings.ts';
import type { DirectoryLog } from '../memory/directory-log.ts';
import type { Region } from '../memory/region.ts';
import type { RegionClock } from '../memory/region-clock.ts';
import type { TextNumbers } from './directory-texts.ts';

/** What the streams of one slab share. */
export interface SlabAccess {
  readonly region: Region;
  /** Undefined where the thread got no slab: every measurement is then lost, and said so. */
  readonly log: DirectoryLog | undefined;
  readonly warnings: Warnings;
  readonly clock: RegionClock;
  readonly texts: TextNumbers;
  /** The id of a key set in this slab's directory, written there if need be. -1 when the region is full. */
  keySetId(keys: readonly string[]): number;
}
