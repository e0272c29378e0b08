import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/region-v4.txt', import.meta.url));

function run(...args: string[]): string {
  const program = fileURLToPath(new URL('./region-image.js', import.meta.url));
  const env = { ...process.env, SEQLOCK_METRICS_MEMORY_ORDER: 'strict' };
  return execFileSync(process.execPath, [program, ...args], { encoding: 'utf8', env });
}

describe('the golden image of a region', () => {
  it('is what the same program makes today, byte by byte', () => {
    const was = readFileSync(GOLDEN, 'utf8').split('\n');
    const is = run('write').split('\n');
    expect(is, 'the byte format changed: see test/golden/region-image.ts').to.deep.equal(was);
    expect(is.length).to.be.above(30);
  });

  it('reads back as the metrics that were recorded', () => {
    const metrics = JSON.parse(run('read', GOLDEN)) as { metric: string; live: boolean }[];
    const requests = { metric: 'requests', unit: '{request}', overflow: false, live: true };
    expect(metrics.filter(({ live }) => live)).to.have.deep.members([
      { ...requests, attributes: {}, values: [1] },
      { ...requests, attributes: { method: 'GET', ok: true, status: 200 }, values: [2.5] },
      {
        ...requests,
        attributes: {
          list: ['a', 1, null],
          lone: '\ud800',
          no: false,
          nothing: null,
          text: 'ü€\u{1f600}',
        },
        values: [1],
      },
      { ...requests, attributes: { 'otel.metric.overflow': true }, overflow: true, values: [7] },
      {
        metric: 'sizes',
        unit: '',
        attributes: { a: 2, b: 1 },
        overflow: false,
        live: true,
        values: [3, 1003.5, 0.5, 1000, 1, 1, 1],
      },
      {
        metric: 'waits',
        unit: '',
        attributes: {},
        overflow: false,
        live: true,
        values: [3, 5.5, 0.5, 3, 1, 2],
      },
      {
        metric: 'spans',
        unit: '',
        attributes: {},
        overflow: false,
        live: true,
        // Totals; scale -1; two buckets from -1 on, no negative ones; 0.5 in the first and the others in the second.
        values: [3, 5.5, 0.5, 3, 0, -1, -1, 2, 0, 0, 1, 2],
      },
      {
        metric: 'gaps',
        unit: '',
        attributes: {},
        overflow: false,
        live: true,
        // The interval: 2, at scale 20. What was carried: 0.5 and 3.
        values: [1, 2, 2, 2, 0, 20, 2 ** 20 - 1, 1, 0, 0, 1, 2, 3.5, 0.5, 3, 0, -1, -1, 2, 0, 0, 1, 1],
      },
      { metric: 'level', unit: '', attributes: {}, overflow: false, live: true, values: [-4, 1] },
    ]);
    // Reserved, not used.
    expect(metrics.filter(({ live }) => !live).map(({ metric }) => metric)).to.deep.equal([
      'sizes',
      'waits',
      'spans',
      'gaps',
      'level',
    ]);
  });
});
