/** Quantile estimates, held to what Prometheus' own histogram_quantile gives: promtool evaluates it on the same buckets. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeqlockMetricsProvider, type HistogramStats } from '../../src/index.ts';
import { run } from '../support/program.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const QUANTILES = [0.01, 0.25, 0.5, 0.9, 0.99, 1];
const BOUNDARIES = [0.005, 0.1, 0.3, 1, 2.5, 10];

/** A rule test for promtool: the series of each histogram, and what each quantile of it is expected to be. */
function ruleTest(cases: readonly HistogramStats[]): string {
  const series = cases.flatMap(({ buckets }, i) =>
    buckets.map(({ upperBound, cumulativeCount }) => {
      const le = upperBound === Infinity ? '+Inf' : String(upperBound);
      return `      - series: 'h_bucket{case="${i}", le="${le}"}'\n        values: '${cumulativeCount}'`;
    }),
  );
  const tests = QUANTILES.map((q) => {
    const expected = cases.map(
      (stats, i) => `          - labels: '{case="${i}"}'\n            value: ${stats.quantile(q)}`,
    );
    return `      - expr: histogram_quantile(${q}, h_bucket)\n        eval_time: 0m\n        exp_samples:\n${expected.join('\n')}`;
  });
  return `rule_files: []
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
${series.join('\n')}
    promql_expr_test:
${tests.join('\n')}
`;
}

describe('quantile estimates', () => {
  let folder: string;
  before(async function () {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-'));
    const found = await run('promtool', ['--version']).catch(() => undefined);
    if (found?.code !== 0 && process.env['CI'] !== 'true') this.skip();
  });
  after(() => rmSync(folder, { recursive: true }));

  async function judge(cases: readonly HistogramStats[]): Promise<{ code: number | null; said: string }> {
    const file = join(folder, 'quantiles.yml');
    writeFileSync(file, ruleTest(cases));
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', file]);
    return { code, said: stdout + stderr };
  }

  it(`are those of Prometheus, to the last bit (seed: ${SEED})`, async () => {
    const metrics = new SeqlockMetricsProvider();
    const histogram = metrics.histogram('h', '', BOUNDARIES);
    const observations = fc.array(fc.double({ min: 0, max: 20, noNaN: true }), {
      minLength: 1,
      maxLength: 60,
    });
    const cases = fc.sample(observations, { numRuns: 60, seed: SEED }).map((values, i) => {
      for (const value of values) histogram.labels({ i }).observe(value);
      return histogram.labels({ i }).stats();
    });
    await metrics.shutdown();
    const { code, said } = await judge(cases);
    expect(said).to.include('SUCCESS');
    expect(code).to.equal(0);
    // The judge can say no.
    const [first] = cases;
    const wrong = Object.assign(Object.create(first!) as HistogramStats, { quantile: () => 0.123 });
    expect((await judge([wrong])).code).to.equal(1);
  });
});
