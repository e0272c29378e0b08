import { expect } from 'chai';
import { median, pairedRatio } from '../../bench/statistics.ts';

describe('bench/statistics', () => {
  it('takes the middle value as the median, whatever the order', () => {
    expect(median([9, 1, 5])).to.equal(5);
    expect(median([7])).to.equal(7);
  });

  it('takes the mean of the two middle values where their number is even', () => {
    expect(median([10, 1, 4, 2])).to.equal(3);
  });

  it('sorts as numbers and not as text, and leaves its argument alone', () => {
    const values = [100, 9, 20];
    expect(median(values)).to.equal(20);
    expect(values).to.deep.equal([100, 9, 20]);
  });

  it('has no median of nothing', () => {
    expect(() => median([])).to.throw(RangeError);
  });

  it('pairs rounds, so that a round that was slow for both does not move the ratio', () => {
    // Ratio of the medians: 60 / 20 = 3. Round by round: 6, 2, 2.
    expect(pairedRatio([60, 40, 200], [10, 20, 100])).to.equal(2);
  });

  it('refuses rounds that are not pairs', () => {
    expect(() => pairedRatio([1, 2], [1])).to.throw(RangeError);
  });
});
