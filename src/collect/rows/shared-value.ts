import { SharedValueSum } from '../../state/shared-value.ts';
import { NONE, type MergedStream } from '../directory/merged-stream.ts';

/** Readings of all cells of a value, each begun anew because another thread had set it meanwhile. */
const MAX_READINGS = 16;

const sum = new SharedValueSum();

/**
 * The value of a shared gauge; undefined when a cell could not be read, or others set the value during every reading. `read` gives
 * what a cell holds, or undefined.
 */
export function sharedValue(
  stream: MergedStream,
  series: number,
  read: (cell: number) => Float64Array | undefined,
): number | undefined {
  for (let reading = 0; reading < MAX_READINGS; reading++) {
    sum.reset();
    for (let node = stream.firstOf(series); node !== NONE; node = stream.nextOf(node)) {
      const copy = read(stream.cellOf(node));
      if (copy === undefined) return undefined;
      sum.take(copy);
    }
    if (sum.isWhole) return sum.value;
  }
  return undefined;
}
