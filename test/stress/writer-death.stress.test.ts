/**
 * Writers terminated while they write. No read is torn or stuck, the last published state stands, the next writer goes on.
 * A death counts as mid-write only if it left a write begun and not published; with too few of those the test is void.
 */
import { expect } from 'chai';
import { Worker } from 'node:worker_threads';
import { readConsistentStrict } from '../../src/memory/cell.ts';
import { MARK_KIND } from '../../src/memory/liveness.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import {
  histogramCellWords,
  initHistogram,
  recordToHistogramStrict,
} from '../../src/state/cells/histogram-cell.ts';
import { exponentialCell } from '../support/exponential-cell.ts';
import { endWorkers, environmentOf, FORMS, sleep, track } from './stress-job.ts';
import type { MemoryOrder } from '../../src/memory/memory-order.ts';
import { BUCKETS, bucketOfRecord } from './victim-job.ts';
import type { VictimJob } from './victim-job.ts';

/** Deaths in mid-write each of the two tests that count them must see; `npm run test:deaths` demands 100 of each. */
const MID_WRITE = Number(process.env['SEQLOCK_MID_WRITE_DEATHS'] ?? 32);
/** Victims alive at once: their start-up is most of the time a death takes. */
const BATCH = 8;
const LENGTH = 2000;
const LOCK_INDEX = 0;
const SHAPE_INDEX = 1;
const VERSION_INDEX = 2;
const SLOTS = 2; // float64 index of slot 0
const MARK = 0x7fffffff;

function startVictim(job: VictimJob, order: MemoryOrder): Worker {
  const url = new URL('./victim-worker.js', import.meta.url);
  return track(new Worker(url, { workerData: job, env: environmentOf(order) }));
}

/** Runs one victim per memory until all have written a good deal, then terminates them at some moment. */
async function killBatch(
  kind: VictimJob['kind'],
  memories: readonly SharedArrayBuffer[],
  versionIndex: number,
  order: MemoryOrder,
): Promise<void> {
  const victims = memories.map((memory) => startVictim({ kind, memory, length: LENGTH }, order));
  const versions = memories.map((memory) => new Int32Array(memory, versionIndex * 4, 1));
  while (versions.some((version) => Atomics.load(version, 0) >>> 0 < 50)) await sleep(1);
  for (const victim of victims) {
    await sleep(Math.random() * 3);
    await victim.terminate();
  }
}

/** What a Seqlock's memory says, looked at directly. */
function inspect(memory: SharedArrayBuffer) {
  const words = new Int32Array(memory);
  const doubles = new Float64Array(memory);
  const version = words[VERSION_INDEX]!;
  const published = SLOTS + (version & 1) * LENGTH;
  const scratch = SLOTS + (~version & 1) * LENGTH;
  return {
    version,
    locked: (words[LOCK_INDEX]! & MARK) !== 0,
    // The scratch slot holds the state before last until the first store of a write replaces its first word.
    midWrite: doubles[scratch] === doubles[published]! + 1,
  };
}

/** The update a Seqlock's readable state belongs to; fails unless it is whole. */
function readUpdate(seqlock: Seqlock): number {
  const into = new Float64Array(LENGTH);
  // A read may give up while others write without a pause; that it does so every time is not to be expected.
  let tries = 1;
  while (!seqlock.read(into) && tries < 1000) tries++;
  expect(tries, 'reads given up').to.be.below(1000);
  expect(into[LENGTH - 1], 'whole').to.equal(into[0]);
  return into[0]!;
}

describe('a writer terminated in mid-write', function () {
  this.timeout(180_000);
  afterEach(endWorkers);

  it(`Seqlock: ${MID_WRITE} deaths between first store and publish leave the state and a lock that can be had`, async function () {
    if (MARK_KIND !== 'linux-thread-id') this.skip();
    let deaths = 0;
    let midWrite = 0;
    let locked = 0;
    while (midWrite < MID_WRITE && deaths < 8 * MID_WRITE) {
      const memories = Array.from({ length: BATCH }, () => new SharedArrayBuffer(Seqlock.byteLength(LENGTH)));
      await killBatch('seqlock', memories, VERSION_INDEX, FORMS[deaths % FORMS.length]!);
      for (const memory of memories) {
        deaths++;
        const left = inspect(memory);
        if (left.locked) locked++;
        if (left.midWrite) midWrite++;
        // The successor is this thread, whose form may differ; a dead cell has no readers of the other form.
        new Int32Array(memory)[SHAPE_INDEX] = 0;
        const seqlock = new Seqlock(memory, 0, LENGTH);
        expect(readUpdate(seqlock)).to.equal(left.version);
        seqlock.update((state) => {
          expect(state[0]).to.equal(left.version);
          state[0]! += 1;
          state[LENGTH - 1] = state[0]!;
        });
        expect(readUpdate(seqlock)).to.equal(left.version + 1);
        expect(inspect(memory)).to.include({ locked: false, version: left.version + 1 });
      }
    }
    expect(midWrite, `mid-write among ${deaths} deaths, ${locked} of them with the lock`).to.be.at.least(
      MID_WRITE,
    );
    expect(locked).to.be.at.least(midWrite);
  });

  it('Seqlock: the survivors go on and no update is lost or doubled', async function () {
    if (MARK_KIND !== 'linux-thread-id') this.skip();
    const memory = new SharedArrayBuffer(Seqlock.byteLength(LENGTH));
    const seqlock = new Seqlock(memory, 0, LENGTH);
    const words = new Int32Array(memory);
    const job: VictimJob = { kind: 'seqlock', memory, length: LENGTH };
    const form = FORMS[0]!;
    let victims = [startVictim(job, form), startVictim(job, form), startVictim(job, form)];
    let heldAtDeath = 0;
    let last = 0;
    for (let death = 0; death < 40; death++) {
      const version = Atomics.load(words, VERSION_INDEX);
      while (((Atomics.load(words, VERSION_INDEX) - version) | 0) < 100) {
        await sleep(1);
        const update = readUpdate(seqlock);
        expect(update).to.be.at.least(last);
        last = update;
      }
      const [victim, ...others] = victims;
      const before = Atomics.load(words, LOCK_INDEX);
      await victim!.terminate();
      if (before !== 0) heldAtDeath++;
      victims = [...others, startVictim(job, form)];
    }
    await Promise.all(victims.map((victim) => victim.terminate()));
    seqlock.update(() => {}); // recovers the lock of whoever held it last
    const update = readUpdate(seqlock);
    // Each update published once: as many versions as updates, and this thread's, which changed nothing.
    expect(update).to.equal(words[VERSION_INDEX]! - 1);
    expect(heldAtDeath).to.be.greaterThan(0);
    expect(words[LOCK_INDEX]).to.equal(0);
  });

  it(`histogram cell, STRICT: ${MID_WRITE} deaths on the way into the publish leave count = sum of buckets, and the next owner goes on`, async () => {
    const into = new Float64Array(6 + BUCKETS);
    let deaths = 0;
    let midWrite = 0;
    while (midWrite < MID_WRITE && deaths < 8 * MID_WRITE) {
      const memories = Array.from({ length: BATCH }, () => {
        const memory = new SharedArrayBuffer(8 * histogramCellWords(BUCKETS));
        initHistogram(new Float64Array(memory), 0);
        return memory;
      });
      await killBatch('histogram', memories, 0, 'strict');
      for (const memory of memories) {
        deaths++;
        const words = new Int32Array(memory);
        const doubles = new Float64Array(memory);
        let k = words[0]!;
        // Died on the way into the publish: the scratch slot is filled, the version is not stored.
        if (doubles[1 + (~k & 1) * 6] === k + 1) midWrite++;
        const check = (): void => {
          expect(readConsistentStrict(words, doubles, 0, 6, BUCKETS, into)).to.equal(1);
          into[6 + into[4]!] = into[5]!;
          const counts = Array.from({ length: BUCKETS }, () => Math.floor(k / BUCKETS));
          for (let i = k - (k % BUCKETS) + 1; i <= k; i++) counts[bucketOfRecord(i)]! += 1;
          expect([...into.subarray(0, 2)]).to.deep.equal([k, k]);
          expect([...into.subarray(6)]).to.deep.equal(counts);
        };
        check();
        for (let more = 0; more < 2 * BUCKETS; more++) {
          k++;
          recordToHistogramStrict(words, doubles, 0, bucketOfRecord(k), 1);
          check();
        }
      }
    }
    expect(midWrite, `mid-write among ${deaths} deaths`).to.be.at.least(MID_WRITE);
  });

  it(`exponential histogram cell, STRICT: ${MID_WRITE / 4} deaths, most of them among moves of its counts, leave a whole state, and the next owner goes on`, async () => {
    const { cellWords, init, read, write, adopt, expected } = exponentialCell('strict');
    const into = new Float64Array(expected(0).length);
    let deaths = 0;
    let midWrite = 0;
    while (midWrite < MID_WRITE / 4 && deaths < 8 * MID_WRITE) {
      // one in ten is in mid-write
      const memories = Array.from({ length: BATCH }, () => {
        const memory = new SharedArrayBuffer(8 * cellWords);
        init({ words: new Int32Array(memory), doubles: new Float64Array(memory) }, 0);
        return memory;
      });
      await killBatch('exponential histogram', memories, 0, 'strict');
      for (const memory of memories) {
        deaths++;
        const words = new Int32Array(memory);
        const doubles = new Float64Array(memory);
        const version = words[0]!;
        const countAfter = expected(version + 1)[0];
        if (doubles[1 + (~version & 1) * 8] === countAfter) midWrite++;
        adopt!(words, doubles, 0); // may finish the end of an interval, which is an update
        const died = words[0]!;
        for (let k = died; k <= died + 16; k++) {
          if (k > died) write(words, doubles, 0, k);
          expect(read(words, doubles, 0, into)).to.equal(1);
          expect([...into], `update ${k}, death after ${died}`).to.deep.equal(expected(k));
        }
      }
    }
    expect(midWrite, `mid-write among ${deaths} deaths`).to.be.at.least(MID_WRITE / 4);
  });
});
