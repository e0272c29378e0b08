import { createNoopMeter } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { bind, type HistogramValue } from '../../src/index.ts';
import { TestReader } from '../support/readers.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';

describe('bind', () => {
  afterEach(shutDownProviders);

  it('records into the series of the attributes, beside unbound calls', () => {
    const { meter, points, value } = makeProvider();
    const counter = meter.createCounter('c');
    const bound = bind(counter, { a: 1 });
    bound.add(2);
    counter.add(3, { a: 1 });
    counter.bind({ a: 1 }).add(4);
    expect(points('c')).to.deep.equal([{ attributes: { a: 1 }, value: 9 }]);
    const upDown = bind(meter.createUpDownCounter('u'));
    upDown.add(5);
    upDown.add(-7);
    expect(value('u')).to.equal(-2);
    const gauge = bind(meter.createGauge('g'));
    for (const n of [1, -2]) gauge.record(n);
    expect(value('g')).to.equal(-2);
    const histogram = bind(meter.createHistogram('h'));
    for (const n of [1, 20]) histogram.record(n);
    expect(value('h')).to.deep.include({ count: 2, sum: 21, min: 1, max: 20 });
  });

  it('follows the rules for values', () => {
    const { meter, points } = makeProvider();
    const counter = bind(meter.createCounter('c'));
    const int = bind(meter.createCounter('i', { valueType: 0 }));
    const histogram = bind(meter.createHistogram('h'));
    for (const value of [-1, NaN, Infinity, '5', null]) counter.add(value as number);
    for (const value of [1.9, 2, NaN]) int.add(value);
    for (const value of [-1, NaN]) histogram.record(value);
    expect(points('c')).to.deep.equal([]);
    expect(points('h')).to.deep.equal([]);
    expect(points('i')).to.deep.equal([{ attributes: {}, value: 3 }]);
  });

  it('exports a bound series from its first measurement on, a zero included', () => {
    const { meter, points } = makeProvider();
    const bound = [meter.createCounter('c'), meter.createUpDownCounter('u')].map((instrument) =>
      bind(instrument, { a: 1 }),
    );
    const recorders = [meter.createGauge('g'), meter.createHistogram('h')].map((instrument) =>
      bind(instrument, { a: 1 }),
    );
    const names = ['c', 'u', 'g', 'h'];
    expect(names.flatMap(points)).to.deep.equal([]);
    for (const one of bound) one.add(0);
    for (const one of recorders) one.record(0);
    expect(names.flatMap(points)).to.have.length(4);
  });

  it('copies the attributes', () => {
    const { meter, points } = makeProvider();
    const attributes = { a: 1 };
    const bound = bind(meter.createCounter('c'), attributes);
    attributes.a = 2;
    bound.add(1);
    expect(points('c')).to.deep.equal([{ attributes: { a: 1 }, value: 1 }]);
  });

  it('takes a place under the cardinality limit when it binds', () => {
    const { meter, points } = makeProvider({ cardinalitySelector: () => 1 });
    const counter = meter.createCounter('c');
    const first = bind(counter, { id: 1 });
    counter.add(1, { id: 2 });
    bind(counter, { id: 3 }).add(10);
    first.add(100);
    expect(points('c')).to.deep.equal([
      { attributes: { 'otel.metric.overflow': true }, value: 11 },
      { attributes: { id: 1 }, value: 100 },
    ]);
  });

  it('goes on recording after the store has grown', () => {
    const { meter, points } = makeProvider({ cardinalitySelector: () => 20_000 });
    const histogram = meter.createHistogram('h');
    const bound = bind(histogram, { id: -1 });
    for (let id = 0; id < 5000; id++) histogram.record(1, { id });
    bound.record(7);
    const { value } = points('h').find(({ attributes }) => attributes['id'] === -1)!;
    expect((value as HistogramValue).sum).to.equal(7);
    expect(points('h')).to.have.length(5001);
  });

  it('works with instruments that do nothing', () => {
    const noop = createNoopMeter();
    for (const one of [noop.createCounter('c'), noop.createUpDownCounter('u')]) bind(one, { a: 1 }).add(1);
    for (const one of [noop.createGauge('g'), noop.createHistogram('h')]) bind(one, { a: 1 }).record(1);
  });

  it('works with instruments of the official SDK', async () => {
    const reader = new TestReader();
    const provider = new MeterProvider({ readers: [reader] });
    const meter = provider.getMeter('m');
    const attributes = { a: 1 };
    const counter = bind(meter.createCounter('c'), attributes);
    const gauge = bind(meter.createGauge('g'), attributes);
    attributes.a = 2;
    counter.add(1);
    counter.add(2);
    gauge.record(5);
    const { resourceMetrics } = await reader.collect();
    const points = resourceMetrics.scopeMetrics[0]!.metrics.map(({ dataPoints }) =>
      (dataPoints as { attributes: unknown; value: unknown }[]).map(({ attributes, value }) => [
        attributes,
        value,
      ]),
    );
    expect(points).to.deep.equal([[[{ a: 1 }, 3]], [[{ a: 1 }, 5]]]);
    await provider.shutdown();
  });

  it('refuses what is no instrument', () => {
    for (const wrong of [{}, null, undefined, 5])
      expect(() => bind(wrong as never), String(wrong)).to.throw(TypeError, 'bind needs a Counter');
  });
});
