/**
 * What kinds of instruments some reader takes deltas of: a word in the region's header, a bit for each kind in the order of `INSTRUMENT_KINDS`. A
 * reader that wants them sets its bits when it is made, in whatever thread it is; writers look when they register a stream, since what
 * deltas need beyond totals (extremes of intervals) is kept in cells of another kind. Bits are never taken back: streams stay what they are.
 */
import { DELTA_KINDS_INDEX } from '../memory/layout.ts';
import type { Region } from '../memory/region.ts';
import { INSTRUMENT_KINDS, type InstrumentKind } from './instrument-kind.ts';

/** Any thread. What is registered before keeps no extremes of intervals. */
export function requestDeltas(region: Region, kinds: Iterable<InstrumentKind>): void {
  let bits = 0;
  for (const kind of kinds) bits |= bitOf(kind);
  if (bits !== 0) Atomics.or(region.words, DELTA_KINDS_INDEX, bits);
}

export function areDeltasRequested(region: Region, kind: InstrumentKind): boolean {
  return (Atomics.load(region.words, DELTA_KINDS_INDEX) & bitOf(kind)) !== 0;
}

function bitOf(kind: InstrumentKind): number {
  return 1 << INSTRUMENT_KINDS.indexOf(kind);
}
