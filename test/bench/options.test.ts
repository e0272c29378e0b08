import { expect } from 'chai';
import { BENCHMARKS, parseOptions } from '../../bench/options.ts';

describe('bench/options', () => {
  it('runs everything in full by default', () => {
    expect(parseOptions([])).to.deep.equal({
      json: false,
      smoke: false,
      plots: false,
      only: new Set(BENCHMARKS),
    });
  });

  it('takes several --only', () => {
    expect(parseOptions(['--only', 'gauge', '--only', 'memory', '--json', '--smoke'])).to.deep.equal({
      json: true,
      smoke: true,
      plots: false,
      only: new Set(['gauge', 'memory']),
    });
  });

  it('names the benchmarks when asked for one there is not', () => {
    expect(() => parseOptions(['--only', 'nonsense'])).to.throw(/nonsense.*counter, gauge/);
    expect(() => parseOptions(['--fast'])).to.throw(/fast/);
  });

  it('gives nothing to run when asked for help', () => {
    expect(parseOptions(['--help'])).to.equal(undefined);
  });
});
