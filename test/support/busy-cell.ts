import { EXTENTS_OFFSET, UNIT_BYTES } from '../../src/memory/layout.ts';
import type { Region } from '../../src/memory/region.ts';

/**
 * Runs `during` while a writer seems to publish the cell (a float64 index, or every cell) between any two looks at its version.
 * The version moves by two, so that the published slot stays the same.
 */
export function alwaysBusy(region: Region, cell: number | 'all', during: () => void): void {
  const { load, add } = Atomics;
  const busy = (array: Int32Array, index: number, found: number): number => {
    const isVersion = cell === 'all' ? isBehindHeaders(index) : index === cell << 1;
    if (array.buffer === region.buffer && isVersion) add(array, index, 2);
    return found;
  };
  Object.assign(Atomics, {
    load: (array: Int32Array, index: number) => busy(array, index, load(array, index)),
    add: (array: Int32Array, index: number, value: number) => busy(array, index, add(array, index, value)),
  });
  try {
    during();
  } finally {
    Object.assign(Atomics, { load, add });
  }
}

/** Of what readers look at with Atomics beyond the slab table, only claim and used word of an extent are no versions. */
function isBehindHeaders(index: number): boolean {
  return index >= EXTENTS_OFFSET / 4 && index % (UNIT_BYTES / 4) > 1;
}
