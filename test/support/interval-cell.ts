/** The interval histogram cell as a protocol to check: a new interval begins with every third update. */
import { adoptCell, readConsistentFast, readConsistentStrict } from '../../src/memory/cell.ts';
import {
  initIntervalHistogram,
  INTERVAL_HISTOGRAM_BUCKETS,
  intervalHistogramCellWords,
  recordToIntervalHistogramFast,
  recordToIntervalHistogramStrict,
} from '../../src/state/cells/interval-histogram-cell.ts';
import type { CellProtocol } from './cell-protocol.ts';

const BUCKETS = 3;
const PER_INTERVAL = 3;
const SLOT_WORDS = INTERVAL_HISTOGRAM_BUCKETS;
const REDO_BUCKET = 4;
const REDO_COUNT = 5;

const bucketOf = (k: number): number => Math.floor(k / 2) % BUCKETS;
/** Rises with k, so that every interval has extremes of its own. */
const valueOf = (k: number): number => 2 * k;
const epochOf = (k: number): number => Math.floor((k - 1) / PER_INTERVAL);
const firstOf = (epoch: number): number => epoch * PER_INTERVAL + 1;

/** Updates 1 .. k that fell into `bucket`: two in each round of six, and what the last round has begun. */
function countOf(bucket: number, k: number): number {
  const round = 2 * BUCKETS;
  let count = 2 * Math.floor(k / round);
  for (let i = 1; i <= k % round; i++) if (bucketOf(i) === bucket) count++;
  return count;
}

/** What is copied: the slot without its redo entry, then the buckets. */
const COPIED = SLOT_WORDS - 2 + BUCKETS;

/** The state after update k, written to `into`. */
function stateAt(k: number, into: { [i: number]: number }): void {
  const epoch = k === 0 ? 0 : epochOf(k);
  const earlier = epoch > 0;
  into[0] = k;
  into[1] = k * (k + 1);
  into[2] = k === 0 ? Infinity : valueOf(1);
  into[3] = k === 0 ? -Infinity : valueOf(k);
  into[4] = epoch;
  into[5] = firstOf(epoch) - 1;
  into[6] = k === 0 ? Infinity : valueOf(firstOf(epoch));
  into[7] = k === 0 ? -Infinity : valueOf(k);
  into[8] = earlier ? firstOf(epoch - 1) - 1 : 0;
  into[9] = earlier ? valueOf(firstOf(epoch - 1)) : Infinity;
  into[10] = earlier ? valueOf(firstOf(epoch) - 1) : -Infinity;
  for (let bucket = 0; bucket < BUCKETS; bucket++) into[11 + bucket] = countOf(bucket, k);
}

export function intervalHistogramCell(form: 'fast' | 'strict'): CellProtocol {
  const record = form === 'fast' ? recordToIntervalHistogramFast : recordToIntervalHistogramStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  const copied = new Float64Array(SLOT_WORDS + BUCKETS);
  const wanted = new Float64Array(COPIED);
  return {
    name: `interval histogram ${form}`,
    cellWords: intervalHistogramCellWords(BUCKETS),
    init: ({ doubles }, at) => initIntervalHistogram(doubles, at),
    write: (words, doubles, at, k) => record(words, doubles, at, bucketOf(k), valueOf(k), epochOf(k)),
    // As `readIntervalHistogramInto` does, for the form asked for.
    read(words, doubles, at, into) {
      const attempts = read(words, doubles, at, SLOT_WORDS, BUCKETS, copied);
      if (attempts === 0) return 0;
      copied[SLOT_WORDS + copied[REDO_BUCKET]!] = copied[REDO_COUNT]!;
      into.set(copied.subarray(0, REDO_BUCKET));
      into.set(copied.subarray(REDO_COUNT + 1), REDO_BUCKET);
      return attempts;
    },
    expected(k) {
      const state: number[] = [];
      stateAt(k, state);
      return state;
    },
    updateOf(into) {
      const k = into[0]!;
      stateAt(k, wanted);
      for (let i = 0; i < COPIED; i++) if (into[i] !== wanted[i]) return -1;
      return k;
    },
    adopt: adoptCell,
  };
}
