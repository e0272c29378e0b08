/** Worker of the stress tests: one role of `Job` over shared memory, until the control word says stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { BROKEN_CELLS, plainRecheck } from '../support/broken-cells.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { BROKEN_LOCKS } from './fixtures/broken-locks.ts';
import { PAYLOAD_WORDS, readWhole, START, STOP, TORN, UP } from './stress-job.ts';
import type { Job, ReaderReport } from './stress-job.ts';

const job = workerData as Job;
const control = new Int32Array(job.control);
const words = new Int32Array(job.memory);
const doubles = new Float64Array(job.memory);
const stopped = (): boolean => Atomics.load(control, STOP) !== 0;
const AT = 0;

function writeCell(name: string): number {
  const { write } = findCell(name);
  let k = 0;
  let seed = 1;
  let idle = 0;
  // Batches without a pause and batches with odd little gaps take turns: each finds broken locks the other misses.
  const hot = (): void => {
    for (let i = 0; i < 5000; i++) write(words, doubles, AT, ++k);
  };
  const paced = (): void => {
    for (let i = 0; i < 500; i++) {
      write(words, doubles, AT, ++k);
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      for (let gap = (seed >>> 16) & 15; gap > 0; gap--) idle += gap;
    }
  };
  for (let batch = 0; !stopped(); batch++) {
    if ((batch & 64) === 0) hot();
    else paced();
  }
  return idle < 0 ? -1 : k;
}

function readLoop(readOnce: () => number): ReaderReport {
  const report = { reads: 0, torn: 0, backwards: 0, gaveUp: 0 };
  let newest = 0;
  while (!stopped()) {
    for (let i = 0; i < 100; i++) {
      const update = readOnce();
      if (update === GAVE_UP) report.gaveUp++;
      else {
        report.reads++;
        if (update < 0) {
          report.torn++;
          Atomics.store(control, TORN, 1);
        } else if (update < newest) report.backwards++;
        else newest = update;
      }
    }
  }
  return report;
}

const GAVE_UP = -2;

function findCell(name: string) {
  return [...REAL_CELLS, ...BROKEN_CELLS, plainRecheck].find((each) => each.name === name)!;
}

function readCell(name: string): ReaderReport {
  const { read, updateOf, expected } = findCell(name);
  const into = new Float64Array(expected(0).length);
  return readLoop(() => (read(words, doubles, AT, into) === 0 ? GAVE_UP : updateOf(into)));
}

function openSeqlock(): Seqlock {
  return new Seqlock(job.memory, 0, PAYLOAD_WORDS);
}

function readSeqlock(): ReaderReport {
  const seqlock = openSeqlock();
  const into = new Float64Array(PAYLOAD_WORDS);
  return readLoop(() => (seqlock.read(into) ? readWhole(into) : GAVE_UP));
}

/** Counts up `job.updates` times, or until stopped. */
function countInSeqlock(): number {
  const seqlock = openSeqlock();
  const countUp = (state: Float64Array): void => {
    const next = state[0]! + 1;
    for (let i = 0; i < state.length; i++) state[i] = next;
  };
  let updates = 0;
  while (updates < job.updates && !stopped()) {
    seqlock.update(countUp);
    updates++;
  }
  return updates;
}

/** The same over a two-slot cell and a mutex that is broken. Word 1 of the cell, the link, is the mutex. */
function countUnderBrokenLock(name: string): number {
  const lock = BROKEN_LOCKS.find((each) => each.name === name)!;
  for (let i = 0; i < job.updates; i++) {
    lock.acquire(words, 1, job.id);
    const version = Atomics.load(words, 0);
    const from = 1 + (version & 1) * PAYLOAD_WORDS;
    const to = 1 + (~version & 1) * PAYLOAD_WORDS;
    const next = doubles[from]! + 1;
    for (let j = 0; j < PAYLOAD_WORDS; j++) doubles[to + j] = next;
    Atomics.exchange(words, 0, (version + 1) | 0);
    lock.release(words, 1);
  }
  return job.updates;
}

function run(): number | ReaderReport {
  switch (job.role) {
    case 'write cell':
      return writeCell(job.subject);
    case 'read cell':
      return readCell(job.subject);
    case 'read seqlock':
      return readSeqlock();
    case 'count in seqlock':
      return countInSeqlock();
    case 'count under broken lock':
      return countUnderBrokenLock(job.subject);
  }
}

Atomics.add(control, UP, 1);
Atomics.wait(control, START, 0);
parentPort!.postMessage(run());
