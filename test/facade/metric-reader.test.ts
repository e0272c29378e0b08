import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';

describe('SeqlockMetricReader', () => {
  afterEach(shutDownProviders);

  it('reads the same by snapshot, at once, and by collect', async () => {
    const { meter, reader } = makeProvider(undefined, { resource: { attributes: { a: 1 }, schemaUrl: 'u' } });
    meter.createCounter('c').add(1, { x: 1 });
    const snapshot = reader.snapshot();
    expect(snapshot.resource).to.deep.equal({ attributes: { a: 1 }, schemaUrl: 'u' });
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).to.deep.equal([]);
    const without = (scopes: unknown): unknown =>
      JSON.parse(JSON.stringify(scopes, (key, value: unknown) => (key === 'endTime' ? 0 : value)));
    expect(without(resourceMetrics.scopeMetrics)).to.deep.equal(without(snapshot.scopeMetrics));
  });

  it('keeps account of its own reads alone', () => {
    const { meter, reader, provider } = makeProvider();
    const other = new SeqlockMetricReader();
    const second = new SeqlockMeterProvider({ store: provider.store, readers: [other] });
    meter.createCounter('c').add(1, { a: 1 });
    meter.createHistogram('h').record(1);
    meter.createCounter('bound only').bind();
    for (let i = 0; i < 10; i++) reader.snapshot();
    const { totalReadNanos, ...reads } = reader.readStats();
    expect(reads).to.deep.equal({ totalReads: 20, fastPathReads: 20, retryReads: 0, staleReads: 0 });
    expect(totalReadNanos).to.be.within(1, 1e9);
    expect(other.readStats()).to.deep.equal({
      totalReads: 0,
      fastPathReads: 0,
      retryReads: 0,
      staleReads: 0,
      totalReadNanos: 0,
    });
    return second.shutdown();
  });

  it('says so when it has no provider yet', () => {
    const reader = new SeqlockMetricReader();
    expect(() => reader.snapshot()).to.throw('has no provider yet');
    expect(() => reader.readStats()).to.throw('has no provider yet');
  });

  it('refuses the provider of another SDK', () => {
    expect(() => new MeterProvider({ readers: [new SeqlockMetricReader()] })).to.throw(
      TypeError,
      'works with a SeqlockMeterProvider only',
    );
  });

  it('leaves out metrics and scopes without measurements', () => {
    const { provider, meter, reader } = makeProvider();
    provider.getMeter('empty').createCounter('c');
    meter.createCounter('c').add(1);
    meter.createHistogram('unused');
    expect(
      reader.snapshot().scopeMetrics.map(({ scope, metrics }) => [scope.name, metrics.length]),
    ).to.deep.equal([['test', 1]]);
  });

  it('rejects collect after shutdown', async () => {
    const { provider, reader } = makeProvider();
    await provider.shutdown();
    const failure = await reader.collect().then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).to.contain('was shut down');
  });
});
