/**
 * A number in the region that a collection with delta temporality raises before it reads: writers begin new intervals with it, so that a
 * collection finds the extremes of just the measurements since the one before (interval-part.ts). It wraps; it is
 * compared for equality alone, and nothing is wrong when a writer sees it late.
 *
 * Made for readers of one thread. Where two threads raise it, each finds intervals that are too short, and the extremes it reports may be
 * those of all measurements ever.
 */
import { INTERVAL_EPOCH_INDEX } from './layout.ts';
import type { Region } from './region.ts';

const INDEX: number = INTERVAL_EPOCH_INDEX; // V8 folds what is private to its module

/** The epoch now. `words` must start at the region's start. Any thread; writers at each measurement. */
export function intervalEpoch(words: Int32Array): number {
  return Atomics.load(words, INDEX); // a plain load could be moved out of the caller's loop
}

/** Ends the interval. Any reader, before it reads the first cell. */
export function raiseIntervalEpoch(region: Region): void {
  Atomics.add(region.words, INDEX, 1);
}
