import { NONE, type MergedStream } from '../directory/merged-stream.ts';
import type { ExponentialHistogramValue } from '../metric-data.ts';

/**
 * What a reader was told of one stream (delta-stream.ts), for a reader of another thread that is to go on from there. Threads number series and
 * contributions in the order in which they find them; a cell is the same to all.
 */
export interface DeltaState {
  /** `streamKey` of the stream. */
  readonly stream: string;
  /** Of each contribution: its cell, and the series it is a part of. */
  readonly cells: Int32Array;
  readonly series: Int32Array;
  /** Of each contribution: the version in which it was reported. Empty where no reader looks at versions. */
  readonly reported: Float64Array;
  readonly updates: Int32Array;
  readonly told: Float64Array;
  readonly exponentials: readonly ExponentialHistogramValue[];
  /** The end of the last interval, in milliseconds since the epoch. */
  readonly untilMillis: number | undefined;
}

/** Numbers in a `DeltaState`; NONE for what is new since. */
export interface Correspondence {
  readonly ofSeries: Int32Array;
  readonly ofContribution: Int32Array;
}

/**
 * Which series and contributions of a state are those of this thread. Undefined where there is no telling: a cardinality limit may have let
 * other series in here than there, and a damaged directory lacks some.
 */
export function correspondence(
  stream: MergedStream,
  { cells, series }: DeltaState,
): Correspondence | undefined {
  const there = new Map<number, number>();
  cells.forEach((cell, contribution) => there.set(cell, contribution));
  const ofSeries = new Int32Array(stream.size).fill(NONE);
  const ofContribution = new Int32Array(stream.nodes).fill(NONE);
  const here = new Map<number, number>(); // series of the state -> of this thread
  let found = 0;
  for (let own = 0; own < stream.size; own++)
    for (let node = stream.firstOf(own); node !== NONE; node = stream.nextOf(node)) {
      const contribution = there.get(stream.cellOf(node));
      if (contribution === undefined) continue;
      found++;
      const other = series[contribution]!;
      if (ofSeries[own] !== NONE && ofSeries[own] !== other) return undefined;
      if ((here.get(other) ?? own) !== own) return undefined;
      ofContribution[node] = contribution;
      ofSeries[own] = other;
      here.set(other, own);
    }
  return found === cells.length ? { ofSeries, ofContribution } : undefined;
}
