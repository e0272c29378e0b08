/** Torn-read stress with real threads: the broken protocols must be caught, the real ones never. */
import { expect } from 'chai';
import { MEMORY_ORDER } from '../../src/memory/memory-order.ts';
import { BROKEN_CELLS, COMPILER_BROKEN_SINCE, plainRecheck } from '../support/broken-cells.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { stress } from './stress-cell.ts';
import type { StressReport } from './stress-cell.ts';
import { endWorkers, STRESS_SECONDS } from './stress-job.ts';

/** Time a broken protocol has to show itself. Most take some 50 ms; the machine may be busy. */
const CATCH_SECONDS = 8;
/** So that each of 64 readers on two cores has its turns. */
const LEAST_CROWD_SECONDS = 1.4;
/** In which an idle machine's writer gets to the wrap. */
const WRAP_SECONDS = 0.35;

function expectSound(report: StressReport): void {
  expect(report.torn, 'torn').to.equal(0);
  expect(report.backwards, 'older than a read before').to.equal(0);
  // Without work on both sides the run shows nothing.
  expect(report.writes).to.be.greaterThan(1000);
  expect(report.leastReads).to.be.greaterThan(10);
}

describe('cell, under stress', function () {
  this.timeout(60_000 + STRESS_SECONDS * 10_000);
  afterEach(endWorkers);

  for (const protocol of BROKEN_CELLS) {
    it(`catches: ${protocol.name}`, async () => {
      const { torn } = await stress(protocol, { seconds: CATCH_SECONDS, untilTorn: true });
      expect(torn).to.be.greaterThan(0);
    });
  }

  it(`catches: ${plainRecheck.name} (Node ${COMPILER_BROKEN_SINCE} and later)`, async function () {
    if (Number.parseInt(process.versions.node, 10) < COMPILER_BROKEN_SINCE) this.skip();
    const { torn } = await stress(plainRecheck, { seconds: CATCH_SECONDS, untilTorn: true });
    expect(torn).to.be.greaterThan(0);
  });

  // The FAST form promises nothing where it is not chosen.
  const forms =
    process.arch === 'x64' ? REAL_CELLS : REAL_CELLS.filter(({ name }) => name.endsWith('strict'));
  for (const protocol of forms) {
    it(`${protocol.name}: no torn state`, async () => {
      expectSound(await stress(protocol, { seconds: STRESS_SECONDS }));
    });
  }

  for (const protocol of forms.filter(({ name }) => name.startsWith('histogram'))) {
    it(`${protocol.name}: no torn state for any of 64 readers`, async function () {
      // To start 64 threads takes most of the time: one form in a short run, that of this process.
      if (STRESS_SECONDS <= 1 && !protocol.name.endsWith(MEMORY_ORDER)) this.skip();
      const seconds = Math.max(LEAST_CROWD_SECONDS, 2 * STRESS_SECONDS);
      expectSound(await stress(protocol, { seconds, readers: 64 }));
    });
  }

  for (const protocol of forms.filter(({ name }) => name.includes('histogram'))) {
    // Far enough below that readers are at work when the version gets there, some ten milliseconds on.
    for (const wrap of [2 ** 31, 2 ** 32]) {
      it(`${protocol.name}: no torn state while the version passes ${wrap}`, async () => {
        const distance = 400_000;
        let writes = 0;
        // Longer where a busy machine lets the writer do little.
        for (let seconds = WRAP_SECONDS; writes <= distance && seconds < 60; seconds *= 4) {
          const report = await stress(protocol, { seconds, version: (wrap - distance) | 0 });
          expectSound(report);
          writes = report.writes;
        }
        expect(writes).to.be.greaterThan(distance);
      });
    }
  }
});
