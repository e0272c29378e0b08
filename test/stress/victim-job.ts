/** What the writer-death tests and their victims share. */
export interface VictimJob {
  readonly kind: 'seqlock' | 'histogram' | 'exponential histogram';
  readonly memory: SharedArrayBuffer;
  readonly length: number;
}

export const BUCKETS = 5;
export const bucketOfRecord = (k: number): number => k % BUCKETS;
