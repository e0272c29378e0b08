/** `Seqlock` with real threads: writers one after the other, readers never torn. Both forms. */
import { expect } from 'chai';
import { MEMORY_ORDER } from '../../src/memory/memory-order.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { BROKEN_LOCKS } from './fixtures/broken-locks.ts';
import { Crew, endWorkers, FORMS, PAYLOAD_WORDS, readWhole, STRESS_SECONDS } from './stress-job.ts';
import { stressSeqlock } from './stress-seqlock.ts';

const WRITERS = 3;
const UPDATES = 40_000;

const newMemory = (): SharedArrayBuffer => new SharedArrayBuffer(Seqlock.byteLength(PAYLOAD_WORDS));
const VERSION_INDEX = 2; // behind lock and shape
const LOCK_INDEX = 0;

describe('Seqlock, under stress', function () {
  this.timeout(60_000 + STRESS_SECONDS * 10_000);
  afterEach(endWorkers);

  for (const form of FORMS) {
    describe(form, () => {
      it('readers see whole states in order while three writers write', async () => {
        // Longer where a busy machine gives a reader few turns.
        for (let [seconds, reads] = [STRESS_SECONDS, 0]; reads <= 10; seconds *= 4) {
          expect(seconds, 'seconds without reads').to.be.below(60 + STRESS_SECONDS);
          const report = await stressSeqlock(form, seconds);
          expect(report.torn).to.equal(0);
          expect(report.backwards).to.equal(0);
          expect(report.versions).to.equal(report.writes | 0);
          reads = report.leastReads;
        }
      });

      it('loses and doubles nothing, from just below the wrap of the version', async () => {
        const memory = newMemory();
        const words = new Int32Array(memory);
        words[VERSION_INDEX] = -2 * UPDATES;
        const crew = new Crew(memory, form);
        const writing = Array.from({ length: WRITERS }, () =>
          crew.start<number>('count in seqlock', '', UPDATES),
        );
        await crew.up();
        await Promise.all(writing);
        await crew.stop();
        expect(words[VERSION_INDEX]).to.equal((WRITERS - 2) * UPDATES);
        expect(words[LOCK_INDEX], 'lock').to.equal(0);
        const slot = new Float64Array(
          memory,
          16 + (words[VERSION_INDEX] & 1) * PAYLOAD_WORDS * 8,
          PAYLOAD_WORDS,
        );
        expect(readWhole(slot)).to.equal(WRITERS * UPDATES);
      });
    });
  }

  it('the main thread writes among the workers', async () => {
    const memory = newMemory();
    const seqlock = new Seqlock(memory, 0, PAYLOAD_WORDS);
    const crew = new Crew(memory, MEMORY_ORDER);
    const writing = [0, 1].map(() => crew.start<number>('count in seqlock', '', UPDATES));
    await crew.up();
    for (let i = 0; i < UPDATES; i++) seqlock.update((state) => state.fill(state[0]! + 1));
    await Promise.all(writing);
    await crew.stop();
    const into = new Float64Array(PAYLOAD_WORDS);
    expect(seqlock.read(into)).to.equal(true);
    expect(readWhole(into)).to.equal(3 * UPDATES);
  });

  for (const lock of BROKEN_LOCKS) {
    it(`catches: ${lock.name}`, async () => {
      for (let round = 0; round < 60; round++) {
        const memory = new SharedArrayBuffer(8 * (1 + 2 * PAYLOAD_WORDS));
        const crew = new Crew(memory);
        const writing = [0, 1].map(() => crew.start<number>('count under broken lock', lock.name, UPDATES));
        await crew.up();
        await Promise.all(writing);
        await crew.stop();
        const version = new Int32Array(memory)[0]!;
        const state = readWhole(
          new Float64Array(memory, 8 * (1 + (version & 1) * PAYLOAD_WORDS), PAYLOAD_WORDS),
        );
        if (version !== 2 * UPDATES || state !== 2 * UPDATES) return;
      }
      expect.fail('60 rounds counted right');
    });
  }
});
