import { resourceFromAttributes } from '@opentelemetry/resources';
import { expect } from 'chai';
import { SeqlockMetricReader } from '../../src/index.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

describe('a collected resource', () => {
  afterEach(shutDownOpened);

  it('has what the official type promises', async () => {
    const reader = new SeqlockMetricReader();
    opened({ readers: [reader], resource: { attributes: { a: 1, b: 2 }, schemaUrl: 'u' } });
    const { resource } = (await reader.collect()).resourceMetrics;
    expect(resource.attributes).to.deep.equal({ a: 1, b: 2 });
    expect(resource.schemaUrl).to.equal('u');
    expect(resource.getRawAttributes()).to.deep.equal([
      ['a', 1],
      ['b', 2],
    ]);
    const other = resourceFromAttributes({ b: 3, c: 4 });
    const merged = resource.merge(other);
    expect(merged.attributes).to.deep.equal({ a: 1, b: 3, c: 4 });
    expect(merged.schemaUrl).to.equal('u');
    expect(other.merge(resource).attributes).to.deep.equal({ b: 2, c: 4, a: 1 });
    expect(resource.merge(null)).to.equal(resource);
    expect(resource.merge(resourceFromAttributes({}, { schemaUrl: 'v' })).schemaUrl).to.equal(undefined);
  });
});

describe('a meter of a provider that is shut down', () => {
  it('makes instruments that have all methods', async () => {
    const provider = opened({});
    await provider.shutdown();
    const meter = provider.getMeter('m');
    expect(meter.createCounter('c').enabled()).to.equal(false);
    meter.createCounter('c').bind({ a: 1 }).add(1);
    meter.createHistogram('h').bind().record(1);
    meter.createGauge('g').record(1);
    meter.createObservableGauge('o').addCallback(() => {});
  });
});
