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
    for (const other of [
      provider.getMeter('a'),
      provider.getMeter('a', '1'),
      provider.getMeter('A', '1', { schemaUrl: 'u' }),
    ])
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

  it('takes scope attributes, which are part of the identity, and exports a copy of them', () => {
    const { provider, reader } = makeProvider();
    const attributes = { list: ['x'], a: 1 };
    const options = (given: object): object => ({ attributes: given });
    const meter = provider.getMeter('a', '1', options(attributes));
    expect(provider.getMeter('a', '1', options({ a: 1, list: ['x'] }))).to.equal(meter);
    expect(provider.getMeter('a', '1', options({}))).to.equal(provider.getMeter('a', '1'));
    const others = [{ a: 1 }, { a: '1', list: ['x'] }, { a: 1, list: ['x', 'y'] }].map((other) =>
      provider.getMeter('a', '1', options(other)),
    );
    for (const other of [...others, provider.getMeter('a', '1')]) expect(other).to.not.equal(meter);
    attributes.list.push('changed later');
    meter.createCounter('c').add(1);
    others[0]!.createCounter('c').add(2);
    provider.getMeter('a', '1').createCounter('c').add(3);
    const scope = { name: 'a', version: '1', schemaUrl: undefined };
    expect(
      reader.snapshot().scopeMetrics.map((one) => [one.scope, one.metrics[0]!.dataPoints[0]!.value]),
    ).to.deep.equal([
      [{ ...scope, attributes: { a: 1, list: ['x'] } }, 1],
      [{ ...scope, attributes: { a: 1 } }, 2],
      [scope, 3],
    ]);
    expect(reader.exportPrometheus())
      .to.include('otel_scope_list="[\\"x\\"]"')
      .and.to.include('otel_scope_a="1"');
    expect(reader.exportJson().scopes.map((one) => one.attributes)).to.deep.equal([
      { a: 1, list: ['x'] },
      { a: 1 },
      undefined,
    ]);
  });

  it('warns once of a name that is none, and gives a meter that works', () => {
    const { provider, points } = makeProvider();
    const { warnings, stop } = collectWarnings();
    const wrong = ['', null, undefined, ...Object.values(hostileValues).map((make) => make())].filter(
      (name) => typeof name !== 'string' || name === '',
    );
    for (const name of wrong) {
      provider
        .getMeter(name as string, name as string, { schemaUrl: name as string })
        .createCounter('c')
        .add(1);
      provider.getMeter('ok', undefined, name as never);
    }
    stop();
    expect(points('c').reduce((sum, { value }) => sum + (value as number), 0)).to.equal(wrong.length);
    expect(warnings.filter((message) => !message.includes('has the unknown option'))).to.have.length(1);
  });
});
