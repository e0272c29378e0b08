import type { Attributes } from '@opentelemetry/api';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { SeqlockMeterProvider, type HistogramValue } from '../../src/index.ts';
import { hostileAttributes, anyValue } from '../support/hostile-values.ts';
import { makeProvider, shutDownProviders } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('instruments', () => {
  afterEach(shutDownProviders);

  it('Counter and UpDownCounter add up by attributes', () => {
    const { meter, points } = makeProvider();
    const counter = meter.createCounter('c');
    const upDown = meter.createUpDownCounter('u');
    for (const n of [1, 2, 3]) {
      counter.add(n, { route: '/a' });
      counter.add(10 * n, { route: '/b' });
      upDown.add(-n);
    }
    expect(points('c')).to.deep.equal([
      { attributes: { route: '/a' }, value: 6 },
      { attributes: { route: '/b' }, value: 60 },
    ]);
    expect(points('u')).to.deep.equal([{ attributes: {}, value: -6 }]);
  });

  it('Gauge keeps the last value', () => {
    const { meter, value } = makeProvider();
    const gauge = meter.createGauge('g');
    for (const n of [3, NaN, -7]) gauge.record(n);
    expect(value('g')).to.equal(-7);
  });

  it('Histogram counts in upper-inclusive buckets', () => {
    const { meter, value } = makeProvider();
    const histogram = meter.createHistogram('h');
    for (const n of [0, 5, 5.0001, 10_000, 10_001, Infinity]) histogram.record(n);
    const { count, min, max, sum, buckets } = value('h') as HistogramValue;
    expect({ count, min, max, sum }).to.deep.equal({ count: 6, min: 0, max: Infinity, sum: Infinity });
    expect(buckets.boundaries).to.deep.equal([
      0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
    ]);
    expect(buckets.counts).to.deep.equal([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
  });

  it('Histogram takes advised boundaries, also none at all', () => {
    const { meter, value } = makeProvider();
    for (const [name, explicitBucketBoundaries] of [
      ['one', [3, 1, 2]],
      ['none', []],
    ] as const)
      for (const n of [1, 2.5, 99])
        meter
          .createHistogram(name, { advice: { explicitBucketBoundaries: [...explicitBucketBoundaries] } })
          .record(n);
    expect((value('one') as HistogramValue).buckets).to.deep.equal({
      boundaries: [1, 2, 3],
      counts: [1, 0, 1, 1],
    });
    expect((value('none') as HistogramValue).buckets).to.deep.equal({ boundaries: [], counts: [3] });
  });

  it('does not keep the boundaries array of the caller', () => {
    const { meter, value } = makeProvider();
    const explicitBucketBoundaries = [1, 2];
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries } });
    explicitBucketBoundaries.length = 0;
    histogram.record(1.5);
    const read = value('h') as HistogramValue;
    read.buckets.boundaries.length = 0; // nor is an exported one kept
    expect((value('h') as HistogramValue).buckets).to.deep.equal({ boundaries: [1, 2], counts: [0, 1, 0] });
  });

  for (const [name, first, ...same] of [
    ['nothing, undefined and an empty object', undefined, {}, null],
    ['key order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['null, functions and symbols', { k: null }, { k: () => 1 }, { k: Symbol('s') }],
    ['an empty key and none', { k: 1 }, { '': 'x', k: 1 }, { k: 1, '': 'y' }],
    ['bytes of the same content', { k: Uint8Array.of(1) }, { k: Buffer.of(1) }],
    ['no attributes and undefined values', {}, { k: undefined }, { k: undefined, l: undefined }],
    ['arrays of the same content', { k: ['a', 1] }, { k: ['a', 1] }],
    ['inherited and hidden keys', { k: 1 }, Object.assign(Object.create({ x: 1 }), { k: 1 })],
  ] as const)
    it(`takes for one series: ${name}`, () => {
      const { meter, value } = makeProvider();
      for (const attributes of [first, ...same]) meter.createCounter('c').add(1, attributes as Attributes);
      expect(value('c')).to.equal(1 + same.length);
    });

  it('takes for different series: values of different types, arrays in another order, no key and an empty value', () => {
    const { meter, points } = makeProvider();
    const sets = [
      { k: 1 },
      { k: '1' },
      { k: true },
      { k: 'true' },
      { k: ['1'] },
      { k: '["1"]' },
      { k: ['a', 'b'] },
      { k: ['b', 'a'] },
      {},
      { k: null },
      { k: '' },
    ];
    for (const attributes of sets) meter.createCounter('c').add(1, attributes as Attributes);
    expect(points('c').map(({ attributes }) => attributes)).to.deep.equal(sets);
  });

  it('copies attributes', () => {
    const { meter, points } = makeProvider();
    const counter = meter.createCounter('c');
    const attributes = { list: ['a'], name: 'x' };
    counter.add(1, attributes);
    attributes.list.push('b');
    attributes.name = 'y';
    expect(points('c')[0]!.attributes).to.deep.equal({ list: ['a'], name: 'x' });
  });

  it(`loses nothing and never throws, whatever the attributes (seed: ${SEED})`, () => {
    const { stop } = collectWarnings();
    const { meter, points } = makeProvider();
    const instruments = {
      counter: meter.createCounter('c'),
      upDown: meter.createUpDownCounter('u'),
      gauge: meter.createGauge('g'),
      histogram: meter.createHistogram('h'),
    };
    let recorded = 0;
    try {
      fc.assert(
        fc.property(hostileAttributes, (make) => {
          const attributes = (): Attributes => make() as Attributes;
          instruments.counter.add(1, attributes());
          instruments.upDown.add(1, attributes());
          instruments.gauge.record(1, attributes());
          instruments.histogram.record(1, attributes());
          recorded++;
        }),
        { seed: SEED, numRuns: 300, endOnFailure: true },
      );
    } finally {
      stop();
    }
    const sum = (name: string, one: (value: never) => number): number =>
      points(name).reduce((total, { value }) => total + one(value as never), 0);
    expect(sum('c', (value: number) => value)).to.equal(recorded);
    expect(sum('u', (value: number) => value)).to.equal(recorded);
    expect(sum('h', ({ count }: HistogramValue) => count)).to.equal(recorded);
    expect(points('g').map(({ value }) => value)).to.deep.equal(points('c').map(() => 1));
  });

  it('does not go through a long text in place of attributes, for each shape it knows', () => {
    const { stop } = collectWarnings();
    const { meter, points } = makeProvider();
    const counter = meter.createCounter('c');
    for (let shape = 0; shape < 50; shape++) counter.add(1, { [`k${shape}`]: 1 });
    for (let i = 0; i < 3; i++) counter.add(1, 'x'.repeat(2 ** 20) as never); // took 20 s each; here the test would time out
    stop();
    expect(points('c').find(({ attributes }) => Object.keys(attributes).length === 0)!.value).to.equal(3);
  });

  it('survives attributes that throw though their keys are known', () => {
    const { stop } = collectWarnings();
    const { meter, points } = makeProvider();
    const counter = meter.createCounter('c');
    const throwing = (): object =>
      Object.defineProperty({}, 'k', {
        enumerable: true,
        get: () => {
          throw new Error('on purpose');
        },
      });
    for (let i = 0; i < 3; i++) {
      counter.add(1, { k: 'a' });
      counter.add(10, throwing() as Attributes);
    }
    stop();
    expect(points('c')).to.deep.equal([
      { attributes: { k: 'a' }, value: 3 },
      { attributes: { k: null }, value: 30 },
    ]);
  });

  it(`never throws, whatever the value (seed: ${SEED})`, () => {
    const { stop } = collectWarnings();
    const { meter, points } = makeProvider();
    try {
      fc.assert(
        fc.property(anyValue, (make) => {
          for (const valueType of [0, 1]) {
            meter.createCounter('c', { valueType }).add(make() as number);
            meter.createUpDownCounter('u', { valueType }).add(make() as number);
            meter.createGauge('g', { valueType }).record(make() as number);
            meter.createHistogram('h', { valueType }).record(make() as number);
            meter
              .createUpDownCounter('u', { valueType })
              .bind()
              .add(make() as number);
            meter
              .createHistogram('h', { valueType })
              .bind()
              .record(make() as number);
            meter
              .createGauge('g', { valueType })
              .bind()
              .record(make() as number);
          }
        }),
        { seed: SEED, numRuns: 300, endOnFailure: true },
      );
    } finally {
      stop();
    }
    for (const name of ['c', 'u', 'g', 'h'])
      for (const { value } of points(name))
        expect(typeof (value as HistogramValue).count === 'number' || typeof value === 'number').to.equal(
          true,
        );
    for (const { value } of [...points('c'), ...points('u')]) expect(value).to.not.be.NaN; // too large a sum is infinite
  });

  it('sends what exceeds the cardinality limit to the overflow series, for good, and says so once', () => {
    const { warnings, stop } = collectWarnings();
    const { meter, points } = makeProvider({ cardinalitySelector: () => 3 });
    const counter = meter.createCounter('c');
    for (let round = 0; round < 3; round++) {
      for (let id = 0; id < 10; id++) counter.add(1, { id });
      points('c'); // a collection admits nothing new
    }
    stop();
    expect(points('c')).to.deep.equal([
      { attributes: { 'otel.metric.overflow': true }, value: 21 },
      { attributes: { id: 0 }, value: 3 },
      { attributes: { id: 1 }, value: 3 },
      { attributes: { id: 2 }, value: 3 },
    ]);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/metric c .*limit of 3/);
  });

  it('takes no memory for what exceeds the limit', () => {
    const { stop } = collectWarnings();
    const { meter, provider, points } = makeProvider({ cardinalitySelector: () => 3 });
    const histogram = meter.createHistogram('h');
    for (let id = 0; id < 4; id++) histogram.record(1, { id });
    const used = provider.store.usedBytes;
    for (let id = 0; id < 2000; id++) histogram.record(1, { id });
    stop();
    expect(provider.store.usedBytes).to.equal(used);
    expect(points('h').reduce((sum, { value }) => sum + (value as HistogramValue).count, 0)).to.equal(2004);
  });

  it('records exactly the limit without an overflow series', () => {
    const { meter, points } = makeProvider({ cardinalitySelector: () => 3 });
    for (let id = 0; id < 3; id++) meter.createHistogram('h').record(1, { id });
    expect(points('h').map(({ attributes }) => attributes)).to.deep.equal([{ id: 0 }, { id: 1 }, { id: 2 }]);
  });

  describe('cut values of attributes', () => {
    for (const [name, limit, options] of [
      ['4,096 characters', 4096, {}],
      ['as many as are wanted', 10, { attributeValueLengthLimit: 10 }],
    ] as const)
      it(`at ${name}, and say so once`, () => {
        const { warnings, stop } = collectWarnings();
        const { meter, points } = makeProvider({ cardinalitySelector: () => 2 }, options);
        const counter = meter.createCounter('c');
        const begin = 'x'.repeat(limit);
        for (const sql of [begin, `${begin}y`, `${begin}z`, 'short', 'one too many', `${begin}z`])
          counter.add(1, { sql });
        stop();
        expect(points('c')).to.deep.equal([
          { attributes: { 'otel.metric.overflow': true }, value: 1 },
          { attributes: { sql: begin }, value: 4 },
          { attributes: { sql: 'short' }, value: 1 },
        ]);
        expect(warnings.filter((text) => text.includes(`cut at ${limit}`))).to.have.length(1);
      });

    it('as the provider says that made the store', () => {
      const { stop } = collectWarnings();
      const { provider, points } = makeProvider(undefined, { attributeValueLengthLimit: 3 });
      const second = new SeqlockMeterProvider({ store: provider.store, attributeValueLengthLimit: 5 });
      second.getMeter('test').createCounter('c').add(1, { k: 'abcdef' });
      stop();
      expect(points('c')).to.deep.equal([{ attributes: { k: 'abc' }, value: 1 }]);
    });
  });
});
