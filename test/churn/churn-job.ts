/** What the churn and its workers share: how a worker is to end, and where it acknowledges what it has recorded. */

/** How a writer ends. The last five are deaths: nothing of ours runs any more. */
export type Fate =
  | 'return'
  | 'terminated'
  | 'terminated while it starts'
  | 'uncaught exception'
  | 'process.exit'
  | 'out of memory';

export interface ChurnJob {
  readonly number: number;
  readonly fate: Fate;
  /** Of this place alone, one word per kind of record: counted up after the record call has returned. */
  readonly acknowledged: Int32Array;
}

export const COUNTED = 0;
export const LEVELLED = 1;
export const TIMED = 2;
export const KINDS = 3;

/** Rounds of a worker that ends by itself; a round is one record of each kind. */
export const ROUNDS = 40;
/** Writers of one kind share their streams; an heir is often of another kind than the dead. */
export const WRITER_KINDS = 4;
export const ROUTES = 8;
