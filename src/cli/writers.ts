import { EXTENTS_OFFSET } from '../memory/layout.ts';
import type { Extent, Region } from '../memory/region.ts';
import { SeenOwnership, type OwnerState } from '../memory/seen-locks.ts';
import { slabEpoch, slabOwner, slabProcess, slabsUsed, slabThread } from '../memory/slab.ts';

/** A writer: a thread that recorded, or does. */
export interface Writer {
  readonly slab: number;
  /** Undefined where it has not said so. */
  readonly process: number | undefined;
  readonly thread: number | undefined;
  readonly state: OwnerState;
  /** How many owners its part of the store has had. */
  readonly owners: number;
}

/** The latest writer of each part of a copied store. */
export function writersOf(region: Region): Writer[] {
  const writers: Writer[] = [];
  for (let slab = 0; slab < slabsUsed(region); slab++) {
    const owner = slabOwner(region, slab);
    if (owner === 0) continue;
    writers.push({
      slab,
      process: slabProcess(region, slab),
      thread: slabThread(region, slab),
      state: (region.ownership as SeenOwnership).stateOf(slab, owner),
      owners: slabEpoch(region, slab),
    });
  }
  return writers;
}

/** All extents, in order. Throws a `RegionError` where one is damaged. */
export function* extentsOf(region: Region): Generator<Extent> {
  for (
    let offset = EXTENTS_OFFSET, extent;
    (extent = region.extentAt(offset)) !== undefined;
    offset += extent.bytes
  )
    yield extent;
}

/** Text of another process: nothing in it may reach the terminal as a command. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '?');
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(1)} ${units[unit]}`;
}
