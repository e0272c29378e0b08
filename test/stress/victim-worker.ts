/** Writes without end, so that it can be terminated in the middle. */
import { workerData } from 'node:worker_threads';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { recordToHistogramStrict } from '../../src/state/cells/histogram-cell.ts';
import { exponentialCell } from '../support/exponential-cell.ts';
import type { VictimJob } from './victim-job.ts';
import { bucketOfRecord } from './victim-job.ts';

const { kind, memory, length } = workerData as VictimJob;
if (kind === 'seqlock') {
  const seqlock = new Seqlock(memory, 0, length);
  // First and last word count the updates. Most of the time passes in the loops over the words between.
  const countUp = (state: Float64Array): void => {
    state[0]! += 1;
    state[length - 1] = state[0]!;
  };
  for (;;) seqlock.update(countUp);
} else if (kind === 'exponential histogram') {
  const words = new Int32Array(memory);
  const doubles = new Float64Array(memory);
  const { write } = exponentialCell('strict');
  for (let k = 1; ; k++) write(words, doubles, 0, k);
} else {
  const words = new Int32Array(memory);
  const doubles = new Float64Array(memory);
  for (let k = 1; ; k++) recordToHistogramStrict(words, doubles, 0, bucketOfRecord(k), 1);
}
