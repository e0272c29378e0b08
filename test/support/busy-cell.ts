import { EXTENTS_OFFSET, EXTENT_USED_WORD } from '../../src/memory/layout.ts';
import type { Region } from '../../src/memory/region.ts';

/**
 * Runs `during` while a writer seems to publish the cell (a float64 index, or every cell) between any two looks at its version.
 * The version moves by two, so that the published slot stays the same. `times`: how often it does, before it is still.
 */
export function alwaysBusy(
  region: Region,
  cell: number | 'all',
  during: () => void,
  times: number = Infinity,
): void {
  let left = times;
  const headers = headerIndices(region);
  const { load, add } = Atomics;
  const busy = (array: Int32Array, index: number, found: number): number => {
    const isVersion =
      cell === 'all'
        ? index >= EXTENTS_OFFSET / 4 && index % 2 === 0 && !headers.has(index)
        : index === cell << 1;
    if (array.buffer === region.buffer && isVersion && left-- > 0) add(array, index, 2);
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

/** Of what readers look at with Atomics beyond the slab table, only claim and used word of an extent, and links of cells, are no versions. */
function headerIndices(region: Region): Set<number> {
  const indices = new Set([region.usedBytes / 4]);
  for (let at = EXTENTS_OFFSET, extent; (extent = region.extentAt(at)) !== undefined; at += extent.bytes)
    indices.add(at / 4).add(at / 4 + EXTENT_USED_WORD);
  return indices;
}
