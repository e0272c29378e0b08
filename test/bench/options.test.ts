import { expect } from 'chai';
import { BENCHMARKS, parseOptions, argsHere } from '../../bench/options.ts';

describe('bench/options', () => {
  it('runs everything in full by default', () => {
    expect(parseOptions([])).to.deep.equal({
      json: false,
      smoke: false,
      plots: false,
      nodes: [],
      sdk: undefined,
      only: new Set(BENCHMARKS),
    });
  });

  it('takes several --only', () => {
    expect(parseOptions(['--only', 'gauge', '--only', 'memory', '--json', '--smoke'])).to.deep.equal({
      json: true,
      smoke: true,
      plots: false,
      nodes: [],
      sdk: undefined,
      only: new Set(['gauge', 'memory']),
    });
  });

  it('names the benchmarks when asked for one there is not', () => {
    expect(() => parseOptions(['--only', 'nonsense'])).to.throw(/nonsense.*counter, gauge/);
    expect(() => parseOptions(['--fast'])).to.throw(/fast/);
  });

  it('takes lines of Node.js and of the official SDK, and names those there are', () => {
    expect(parseOptions(['--node', '24', '--node', '26', '--sdk', '3'])).to.deep.include({
      nodes: [24, 26],
      sdk: 3,
    });
    expect(() => parseOptions(['--node', '21'])).to.throw(/21.*20, 22, 24, 26/);
    expect(() => parseOptions(['--sdk', '3.1'])).to.throw(/3\.1.*2, 3/);
  });

  it('hands on everything but the lines to a run that is of those lines', () => {
    const asked = parseOptions(['--node', '24', '--only', 'text', '--sdk=3', '--json'])!;
    expect(parseOptions(argsHere(asked))).to.deep.equal({ ...asked, nodes: [], sdk: undefined });
  });

  it('gives nothing to run when asked for help', () => {
    expect(parseOptions(['--help'])).to.equal(undefined);
  });
});
