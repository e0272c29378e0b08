import { expect } from 'chai';
import { rowOf } from '../../bench/row.ts';

describe('bench/row', () => {
  it('gives medians, and how many times ours each peer needs', () => {
    const row = rowOf('counter', 'c', 'ns', {
      floor: [1, 1, 1],
      ours: [10, 20, 30],
      official: [100, 400, 300],
      prom: [20, 40, 60],
    });
    expect(row.values).to.deep.equal({ floor: 1, ours: 20, official: 300, prom: 40 });
    expect(row.ratios).to.deep.equal({ official: 10, prom: 2 });
  });

  it('has no ratio to a peer that cannot do it', () => {
    expect(rowOf('counter', 'c', 'ns', { ours: [1], prom: [3] }).ratios).to.deep.equal({ prom: 3 });
  });

  it('has no ratio of garbage, which may be none', () => {
    expect(rowOf('garbage', 'c', 'B', { ours: [0.1], official: [1500] }).ratios).to.deep.equal({});
  });

  it('compares STRICT with FAST, where the machine has both', () => {
    expect(rowOf('order', 'c', 'ns', { fast: [4], strict: [12] }).ratios).to.deep.equal({ strict: 3 });
    expect(rowOf('order', 'c', 'ns', { strict: [12] }).ratios).to.deep.equal({});
  });
});
