import { expect } from 'chai';
import {
  addedBuckets,
  explicitQuantile,
  exponentialBuckets,
  exponentialQuantile,
} from '../../src/page/quantile.ts';

describe('quantiles of the page', () => {
  it('are those of histogram_quantile, interpolated in the bucket', () => {
    const bounds = [1, 2, 4];
    expect(explicitQuantile(0.5, bounds, [10, 10, 0, 0])).to.equal(1);
    expect(explicitQuantile(0.75, bounds, [10, 10, 0, 0])).to.equal(1.5);
    expect(explicitQuantile(0.25, bounds, [10, 10, 0, 0]), 'the first bucket begins at 0').to.equal(0.5);
    expect(explicitQuantile(0.99, bounds, [1, 0, 0, 99]), 'beyond the last bound').to.equal(4);
    expect(explicitQuantile(0.9, [-2, 0], [10, 0, 0]), 'below zero').to.equal(-2);
    expect(explicitQuantile(0.9, bounds, [0, 0, 0, 0])).to.equal(undefined);
    expect(explicitQuantile(0.9, [], [5])).to.equal(undefined);
  });

  it('add up sparse points', () => {
    expect(addedBuckets([[3, 9, 0, 1, 2, 2], undefined, [1, 1, 2, 1]], 4)).to.deep.equal([1, 0, 3, 0]);
  });

  it('interpolate exponential buckets exponentially, at the coarsest scale', () => {
    // Scale 0: bucket 0 is (1, 2], bucket 1 is (2, 4].
    const one = exponentialBuckets([[10, 0, 0, 0, 1, 1, 10]]);
    expect(exponentialQuantile(0.5, one)).to.be.closeTo(2 * Math.SQRT2, 1e-12);
    // Scale 1: bucket 2 is (2, 2.83], bucket 3 is (2.83, 4]: both are in bucket 1 of scale 0.
    const two = exponentialBuckets([
      [10, 0, 0, 0, 1, 1, 10],
      [4, 0, 1, 0, 2, 2, 2, 3, 2],
    ]);
    expect(two).to.deep.equal([{ low: 2, high: 4, count: 14 }]);
  });

  it('go from negative values over zeros to positive ones', () => {
    const buckets = exponentialBuckets([[8, 0, 0, 2, 1, 0, 3, 0, 1, 2, 2]]);
    expect(buckets).to.deep.equal([
      { low: -8, high: -4, count: 2 },
      { low: -2, high: -1, count: 1 },
      { low: 0, high: 0, count: 2 },
      { low: 1, high: 2, count: 3 },
    ]);
    expect(exponentialQuantile(0.5, buckets)).to.equal(0);
    expect(exponentialQuantile(0.25, buckets)).to.equal(-4);
    expect(exponentialQuantile(1, buckets)).to.equal(2);
    expect(exponentialQuantile(0.5, [])).to.equal(undefined);
  });
});
