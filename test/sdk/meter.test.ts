import { expect } from 'chai';
import type { MetricOptions } from '@opentelemetry/api';
import type { HistogramValue } from '../../src/index.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

/** Makes counters of the given names and options, three times over, and adds 1 to each. */
function twice(
  ...made: readonly (readonly [string, MetricOptions?])[]
): ProviderUnderTest & { warnings: string[] } {
  const { warnings, stop } = collectWarnings();
  const provided = makeProvider();
  for (let i = 0; i < 3; i++)
    for (const [name, options] of made) provided.meter.createCounter(name, options).add(1);
  stop();
  return { ...provided, warnings };
}

describe('meter', () => {
  afterEach(shutDownProviders);

  it('gives identical instruments one stream, without a warning', () => {
    const { value, warnings } = twice(
      ['c', { unit: 's', description: 'd' }],
      ['c', { unit: 's', description: 'd' }],
    );
    expect(value('c')).to.equal(6);
    expect(warnings).to.deep.equal([]);
  });

  it('takes names that differ in case for one, spelled as the first', () => {
    const { value, metrics, warnings } = twice(['Req'], ['req'], ['REQ']);
    expect(value('Req')).to.equal(9);
    expect(metrics()).to.have.length(1);
    expect(warnings).to.have.length(2);
    expect(warnings[0]).to.match(/registered as Req before/);
  });

  it('exports the longest description and warns once of each that differs from the longest so far', () => {
    const { value, metrics, warnings } = twice(
      ['c', { description: 'ab' }],
      ['c', { description: 'a' }],
      ['c', { description: 'abc' }],
    );
    expect(value('c')).to.equal(9);
    expect(metrics()[0]!.descriptor.description).to.equal('abc');
    expect(warnings).to.have.length(3);
    expect(warnings[0]).to.match(/"ab", now "a".*Give both the same description/);
  });

  for (const [field, options] of [
    ['unit', { unit: 's' }],
    ['valueType', { valueType: 0 }],
  ] as const)
    it(`gives instruments that differ in ${field} a stream each, and warns once with a way out`, () => {
      const { points, metrics, warnings } = twice(['c'], ['c', options]);
      expect(metrics()).to.have.length(2);
      expect(points('c').map(({ value }) => value)).to.deep.equal([3, 3]);
      expect(warnings).to.have.length(1);
      expect(warnings[0])
        .to.include(`different ${field}`)
        .and.to.match(/rename one/i);
    });

  it('gives instruments that differ in kind a stream each, and warns once', () => {
    const { warnings, stop } = collectWarnings();
    const { meter, points, metrics } = makeProvider();
    for (let i = 0; i < 2; i++) {
      meter.createCounter('m').add(1);
      meter.createUpDownCounter('m').add(2);
      meter.createGauge('m').record(3);
    }
    stop();
    expect(points('m').map(({ value }) => value)).to.deep.equal([2, 4, 3]);
    expect(metrics().map(({ descriptor }) => descriptor.type)).to.deep.equal([
      'COUNTER',
      'UP_DOWN_COUNTER',
      'GAUGE',
    ]);
    expect(warnings).to.have.length(2);
    expect(warnings[0]).to.include('kind "COUNTER" and "UP_DOWN_COUNTER"');
  });

  it('uses the first advice and warns once of another', () => {
    const { warnings, stop } = collectWarnings();
    const { meter, value } = makeProvider();
    for (let i = 0; i < 2; i++)
      for (const explicitBucketBoundaries of [[1, 2], [3], [1, 2]])
        meter.createHistogram('h', { advice: { explicitBucketBoundaries } }).record(1);
    stop();
    expect((value('h') as HistogramValue).buckets).to.deep.equal({ boundaries: [1, 2], counts: [6, 0, 0] });
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/Give both the same advice/);
  });

  it('says nothing of advice that is the same as the default', () => {
    const { warnings, stop } = collectWarnings();
    const { meter, value } = makeProvider();
    meter.createHistogram('h').record(1);
    const explicitBucketBoundaries = [
      0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
    ];
    meter.createHistogram('h', { advice: { explicitBucketBoundaries } }).record(1);
    stop();
    expect((value('h') as HistogramValue).count).to.equal(2);
    expect(warnings).to.deep.equal([]);
  });

  it('keeps meters apart', () => {
    const { provider, points, warnings } = { ...twice(), warnings: [] as string[] };
    for (const [name, version, schemaUrl] of [
      ['a'],
      ['b'],
      ['a', '1'],
      ['a', '1', 'u'],
      ['a', undefined, 'u'],
      ['a:b', 'c'],
      ['a', 'b:c'],
    ])
      provider
        .getMeter(name!, version, schemaUrl === undefined ? undefined : { schemaUrl })
        .createCounter('c')
        .add(1);
    expect(points('c').map(({ value }) => value)).to.deep.equal([1, 1, 1, 1, 1, 1, 1]);
    expect(warnings).to.deep.equal([]);
  });
});
