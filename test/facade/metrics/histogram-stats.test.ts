import { expect } from 'chai';
import * as fc from 'fast-check';
import { HistogramStats } from '../../../src/index.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function statsOf(boundaries: number[], values: readonly number[]): HistogramStats {
  const counts = Array.from({ length: boundaries.length + 1 }, () => 0);
  for (const value of values) counts[[...boundaries, Infinity].findIndex((bound) => value <= bound)]!++;
  return new HistogramStats({
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    buckets: { boundaries, counts },
  });
}

describe('HistogramStats', () => {
  it('has what was observed, cumulated', () => {
    const stats = statsOf([1, 2, 5], [0.5, 1, 1.5, 4, 9]);
    expect(stats).to.deep.include({ count: 5, sum: 16, min: 0.5, max: 9, mean: 3.2 });
    expect(stats.buckets).to.deep.equal([
      { upperBound: 1, cumulativeCount: 2 },
      { upperBound: 2, cumulativeCount: 3 },
      { upperBound: 5, cumulativeCount: 4 },
      { upperBound: Infinity, cumulativeCount: 5 },
    ]);
  });

  // test/e2e/quantiles.test.ts asks Prometheus itself.
  for (const { name, boundaries, values, quantiles } of [
    {
      name: 'values spread over buckets',
      boundaries: [0.1, 0.5, 1],
      values: [0.05, 0.05, 0.2, 0.3, 0.4, 0.45, 0.7, 0.8, 0.9, 0.95],
      quantiles: { 0: 0, 0.1: 0.05, 0.5: 0.4, 0.6: 0.5, 0.9: 0.875, 1: 1 },
    },
    {
      name: 'values above the last bound',
      boundaries: [1, 2],
      values: [0.5, 3, 4, 5],
      quantiles: { 0.25: 1, 0.5: 2, 0.99: 2 },
    },
    {
      name: 'a lowest bound that is not above 0',
      boundaries: [-1, 0, 1],
      values: [-3, -0.5, 0.5],
      quantiles: { 0.1: -1, 0.5: -0.5, 1: 1 },
    },
    {
      name: 'empty buckets before the first value',
      boundaries: [1, 2, 4],
      values: [3, 3],
      quantiles: { 0.25: 2.5, 0.5: 3, 1: 4 },
    },
  ])
    it(`estimates quantiles as Prometheus does: ${name}`, () => {
      const stats = statsOf(boundaries, values);
      for (const [q, expected] of Object.entries(quantiles))
        expect(stats.quantile(Number(q)), `quantile ${q}`).to.be.closeTo(expected, 1e-12);
    });

  it('knows no quantile of nothing, and none beyond 0 and 1', () => {
    const nothing = HistogramStats.empty([1, 2]);
    expect([nothing.quantile(0.5), nothing.p99, nothing.mean, nothing.min].every(Number.isNaN)).to.equal(
      true,
    );
    expect(nothing.sum).to.equal(0);
    expect(statsOf([1, 2], [1.5]).quantile(0)).to.be.NaN; // of an empty bucket
    const stats = statsOf([1], [0.5]);
    expect(stats.quantile(-0.1)).to.equal(-Infinity);
    expect(stats.quantile(1.1)).to.equal(Infinity);
    expect(stats.quantile(Number.NaN)).to.be.NaN;
  });

  it(`gives quantiles that rise with q and lie in the bucket of the true one (seed: ${SEED})`, () => {
    const boundaries = [1, 5, 20, 100];
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 2, maxLength: 10 }),
        (values, qs) => {
          const stats = statsOf(boundaries, values);
          const sorted = [...values].sort((a, b) => a - b);
          let last = -Infinity;
          for (const q of qs.sort((a, b) => a - b)) {
            const estimate = stats.quantile(q);
            expect(estimate).to.be.at.least(last);
            last = estimate;
            const actual = sorted[Math.ceil(q * values.length) - 1]!;
            const bucket = boundaries.findIndex((bound) => actual <= bound);
            expect(estimate).to.be.within(boundaries[bucket - 1] ?? 0, boundaries[bucket]! + 1e-9);
          }
          expect([stats.p50, stats.p90, stats.p95, stats.p99]).to.deep.equal(
            [0.5, 0.9, 0.95, 0.99].map((q) => stats.quantile(q)),
          );
        },
      ),
      { seed: SEED },
    );
  });
});
