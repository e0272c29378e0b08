/**
 * What cells of a dead owner point to, checked before their heir writes where they point. (A reader bears
 * with what it finds.) With the checks of the directory, this keeps a writer within the extents of its slab,
 * whatever somebody has put into the region.
 */
import { RegionError } from '../base/errors.ts';
import type { Region } from '../memory/region.ts';
import { blockOf } from './cells/carried.ts';
import { ExponentialShape, homesOf, isSoundExponential } from './cells/exponential-histogram-cell.ts';
import { HISTOGRAM_FIELDS, isSoundHistogram } from './cells/histogram-cell.ts';
import { SUM_FIELDS } from './cells/sum-cell.ts';
import { isObserved } from './stream-choices.ts';
import type { StreamDescription } from './records.ts';

/** Float64 words by where they begin: the blocks of a slab that no cell was found to have yet. */
export type Blocks = Map<number, number>;

interface Series {
  readonly cell: number;
  readonly overflow: boolean;
}

/** Throws a `RegionError` unless the cells of a stream may be recorded to. Only the slab's owner. */
export function checkInheritedCells(
  { words, doubles }: Region,
  { kind, aggregation }: StreamDescription,
  series: readonly Series[],
  blocks: Blocks,
): void {
  if (isObserved(kind)) return;
  switch (aggregation.type) {
    case 'last-value':
      return;
    case 'sum':
      for (const { cell } of series) takeBlock(words, cell, SUM_FIELDS.blockWords, blocks);
      return;
    case 'explicit-bucket-histogram': {
      const buckets = aggregation.boundaries.length + 1;
      for (const { cell } of series) {
        takeBlock(words, cell, HISTOGRAM_FIELDS.blockWords, blocks);
        if (!isSoundHistogram(words, doubles, cell, buckets)) throw damaged(cell);
      }
      return;
    }
    case 'exponential-histogram': {
      const { maxSize, maxScale, negative } = aggregation;
      const shape = new ExponentialShape(maxSize, maxScale, negative);
      const arrays = new Set<number>();
      for (const { cell, overflow } of series) {
        takeBlock(words, cell, shape.blockWords, blocks);
        for (const home of homesOf(words, cell)) arrays.add(home);
        if (overflow) arrays.add(cell + shape.cellWords);
      }
      for (const { cell } of series)
        if (!isSoundExponential(words, doubles, cell, shape, arrays)) throw damaged(cell);
    }
  }
}

/** Of two cells with one block the second is damaged. */
function takeBlock(words: Int32Array, cell: number, blockWords: number, blocks: Blocks): void {
  const block = blockOf(words, cell);
  if (block < 0) return;
  if (!(blocks.get(block)! >= blockWords)) throw damaged(cell);
  blocks.delete(block);
}

function damaged(cell: number): RegionError {
  return new RegionError('E_RANGE', `the cell at ${cell} points to memory that is not its own`);
}
