import { expect } from 'chai';
import { hostileValues } from '../support/hostile-values.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

describe('getMeter', () => {
  afterEach(shutDownProviders);

  it('gives one meter for one scope', () => {
    const { provider } = makeProvider();
    const meter = provider.getMeter('a', '1', { schemaUrl: 'u' });
    expect(provider.getMeter('a', '1', { schemaUrl: 'u' })).to.equal(meter);
    for (const other of [provider.getMeter('a'), provider.getMeter('a', '1'), provider.getMeter('A', '1', { schemaUrl: 'u' })])
      expect(other).to.not.equal(meter);
    expect(provider.getMeter('a', '')).to.equal(provider.getMeter('a'));
  });

  it('exports the scope as it was asked for', () => {
    const { provider, reader } = makeProvider();
    provider.getMeter('a').createCounter('c').add(1);
    provider.getMeter('a', '1', { schemaUrl: 'u' }).createCounter('c').add(1);
    expect(reader.snapshot().scopeMetrics.map(({ scope }) => scope)).to.deep.equal([
      { name: 'a', version: '', schemaUrl: undefined },
      { name: 'a', version: '1', schemaUrl: 'u' },
    ]);
  });

  it('warns once of a name that is none, and gives a meter that works', () => {
    const { provider, points } = makeProvider();
    const { warnings, stop } = collectWarnings();
    const wrong = ['', null, undefined, ...Object.values(hostileValues).map((make) => make())].filter((name) => typeof name !== 'string' || name === '');
    for (const name of wrong) {
      provider.getMeter(name as string, name as string, { schemaUrl: name as string }).createCounter('c').add(1);
      provider.getMeter('ok', undefined, name as never);
    }
    stop();
    expect(points('c').reduce((sum, { value }) => sum + (value as number), 0)).to.equal(wrong.length);
    expect(warnings).to.have.length(1);
  });
});
