/** Torn-read stress with real threads: the broken protocols must be caught, the real ones never. */
import { expect } from 'chai';
import { MEMORY_ORDER } from '../../src/memory/memory-order.ts';
import { BROKEN_CELLS, COMPILER_BROKEN_SINCE, plainRecheck } from '../support/broken-cells.ts';
import type { CellProtocol } from '../support/cell-protocol.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { stress, type StressOptions } from './stress-cell.ts';
import { endWorkers, STRESS_SECONDS } from './stress-job.ts';

/** Time a broken protocol has to show itself. Most take some 50 ms; a busy machine may give reader and writer few turns at once. */
const CATCH_SECONDS = 40;
/** So that each of 64 readers on two cores has its turns. */
const LEAST_CROWD_SECONDS = 1.4;
/** In which an idle machine's writer gets to the wrap. */
const WRAP_SECONDS = 0.35;
const LONGEST_SECONDS = 60 + STRESS_SECONDS;

/** No torn state, in a run in which both sides have worked: without that it shows nothing, and is made again, longer. */
async function expectSound(
  protocol: CellProtocol,
  options: StressOptions,
  { leastWrites = 1000, leastReads = 10 } = {},
): Promise<void> {
  for (let { seconds } = options; seconds < LONGEST_SECONDS; seconds *= 4) {
    const report = await stress(protocol, { ...options, seconds });
    expect(report.torn, 'torn').to.equal(0);
    expect(report.backwards, 'older than a read before').to.equal(0);
    if (report.writes > leastWrites && report.leastReads > leastReads) return;
  }
  expect.fail(
    `no run of less than ${LONGEST_SECONDS} s had ${leastWrites} writes, and ${leastReads} reads of each reader`,
  );
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
      await expectSound(protocol, { seconds: STRESS_SECONDS });
    });
  }

  for (const protocol of forms.filter(({ name }) => name.startsWith('histogram'))) {
    it(`${protocol.name}: no torn state for any of 64 readers`, async function () {
      // To start 64 threads takes most of the time: one form in a short run, that of this process.
      if (STRESS_SECONDS <= 1 && !protocol.name.endsWith(MEMORY_ORDER)) this.skip();
      const seconds = Math.max(LEAST_CROWD_SECONDS, 2 * STRESS_SECONDS);
      await expectSound(protocol, { seconds, readers: 64 });
    });
  }

  for (const protocol of forms.filter(({ name }) => name.includes('histogram'))) {
    // Far enough below that readers are at work when the version gets there, some ten milliseconds on.
    for (const wrap of [2 ** 31, 2 ** 32]) {
      it(`${protocol.name}: no torn state while the version passes ${wrap}`, async () => {
        const distance = 400_000;
        const version = (wrap - distance) | 0;
        await expectSound(protocol, { seconds: WRAP_SECONDS, version }, { leastWrites: distance });
      });
    }
  }
});
