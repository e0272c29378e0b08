/**
 * Moves the counts of an exponential histogram cell (exponential-histogram-cell.ts) to the spare array, so that it has a place for a bucket that
 * the cell's own has not.
 */

// Indices into an array.
const SCALE = 0;
const BASES = 1;
const COUNTS = 3;

/** What of a cell's shape a move needs. */
export interface MovedShape {
  readonly maxSize: number;
  readonly ranges: number;
  readonly arrayWords: number;
}

/**
 * Writes the array at `from` to the one at `to`, whole, so that bucket `index` of a range has a place there. Returns where its count lies,
 * from `to`. Only the cell's writer may call it, before it stores anything to the scratch slot. Never allocates.
 */
export function moveTo(
  doubles: Float64Array,
  from: number,
  to: number,
  { maxSize, ranges, arrayWords }: MovedShape,
  range: number,
  index: number,
): number {
  let change = 0;
  for (let r = 0; r < ranges; r++) {
    let low = lowest(doubles, from, r, maxSize);
    let high = highest(doubles, from, r, maxSize);
    if (r === range && index < low) low = index;
    if (r === range && index > high) high = index;
    while ((high >> change) - (low >> change) >= maxSize) change++;
  }
  for (let i = 0; i < arrayWords; i++) doubles[to + i] = 0;
  doubles[to + SCALE] = doubles[from + SCALE]! - change;
  for (let r = 0; r < ranges; r++) {
    const first = lowest(doubles, from, r, maxSize);
    const last = highest(doubles, from, r, maxSize);
    const low = (r === range && index < first ? index : first) >> change;
    const high = (r === range && index > last ? index : last) >> change;
    const base = low > high ? 0 : low - ((maxSize - 1 - (high - low)) >> 1);
    doubles[to + BASES + r] = base;
    const counts = from + COUNTS + r * maxSize - (doubles[from + BASES + r]! | 0);
    const toCounts = to + COUNTS + r * maxSize - base;
    for (let i = first; i <= last; i++) doubles[toCounts + (i >> change)]! += doubles[counts + i]!;
  }
  return COUNTS + range * maxSize + (index >> change) - (doubles[to + BASES + range]! | 0);
}

/** Index of the first bucket of a range that has counts; beyond every other where none has. */
function lowest(doubles: Float64Array, array: number, range: number, maxSize: number): number {
  const counts = array + COUNTS + range * maxSize;
  for (let i = 0; i < maxSize; i++) {
    if (doubles[counts + i]! !== 0) return i + (doubles[array + BASES + range]! | 0);
  }
  return 0x7fffffff;
}

/** Index of the last bucket of a range that has counts; below every other where none has. */
function highest(doubles: Float64Array, array: number, range: number, maxSize: number): number {
  const counts = array + COUNTS + range * maxSize;
  for (let i = maxSize; i-- > 0;) {
    if (doubles[counts + i]! !== 0) return i + (doubles[array + BASES + range]! | 0);
  }
  return -0x80000000;
}
