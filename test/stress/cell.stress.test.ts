/** Torn-read stress with real threads: the broken protocols must be caught, the real ones never. */
import { expect } from 'chai';
import { BROKEN_CELLS, COMPILER_BROKEN_SINCE, plainRecheck } from '../support/broken-cells.ts';
import type { CellProtocol } from '../support/cell-protocol.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { Crew, STRESS_SECONDS } from './stress-job.ts';
import type { ReaderReport } from './stress-job.ts';

/** Time a broken protocol has to show itself. Most take some 50 ms; the machine may be busy. */
const CATCH_SECONDS = 8;

interface StressReport extends ReaderReport {
  readonly writes: number;
  readonly leastReads: number;
}

interface StressOptions {
  readonly readers?: number;
  readonly version?: number;
  readonly seconds: number;
  readonly untilTorn?: boolean;
}

async function stress(protocol: CellProtocol, options: StressOptions): Promise<StressReport> {
  const { readers = 1, version = 0, seconds, untilTorn = false } = options;
  const memory = new SharedArrayBuffer(protocol.cellWords * 8);
  const words = new Int32Array(memory);
  words[0] = version;
  protocol.adopt(words, 0);
  protocol.init({ words, doubles: new Float64Array(memory) }, 0);
  const crew = new Crew(memory);
  const reading = Array.from({ length: readers }, () => crew.start<ReaderReport>('read cell', protocol.name));
  const writing = crew.start<number>('write cell', protocol.name);
  await crew.up();
  await crew.run(seconds, untilTorn);
  const reports = await Promise.all(reading);
  const total = (key: keyof ReaderReport): number => reports.reduce((sum, report) => sum + report[key], 0);
  return {
    writes: await writing,
    leastReads: Math.min(...reports.map(({ reads }) => reads)),
    reads: total('reads'),
    torn: total('torn'),
    backwards: total('backwards'),
    gaveUp: total('gaveUp'),
  };
}

function expectSound(report: StressReport): void {
  expect(report.torn, 'torn').to.equal(0);
  expect(report.backwards, 'older than a read before').to.equal(0);
  // Without work on both sides the run shows nothing.
  expect(report.writes).to.be.greaterThan(1000);
  expect(report.leastReads).to.be.greaterThan(10);
}

describe('cell, under stress', function () {
  this.timeout(60_000 + STRESS_SECONDS * 10_000);

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
    it(`${protocol.name}: no torn state for any of 64 readers`, async () => {
      expectSound(await stress(protocol, { seconds: 2 * STRESS_SECONDS, readers: 64 }));
    });

    // Far enough below that readers are at work when the version gets there, some ten milliseconds on.
    for (const wrap of [2 ** 31, 2 ** 32]) {
      it(`${protocol.name}: no torn state while the version passes ${wrap}`, async () => {
        const distance = 400_000;
        const report = await stress(protocol, {
          seconds: STRESS_SECONDS / 2,
          version: (wrap - distance) | 0,
        });
        expectSound(report);
        expect(report.writes).to.be.greaterThan(distance);
      });
    }
  }
});
