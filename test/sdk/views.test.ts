import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  ValueType,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import {
  AggregationType,
  createAllowListAttributesProcessor,
  createDenyListAttributesProcessor,
  InstrumentType,
  type DataPoint,
  type ExponentialHistogram,
  type MetricReaderOptions,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import type { SeqlockViewOptions } from '../../src/index.ts';
import type { Meter } from '../../src/sdk/meter.ts';
import { makeProvider, shutDownProviders, type ProviderUnderTest } from '../support/provider.ts';
import { collectWarnings } from '../support/warnings.ts';

const { DROP, SUM, LAST_VALUE, EXPLICIT_BUCKET_HISTOGRAM, DEFAULT } = AggregationType;

function withViews(views: SeqlockViewOptions[], readerOptions?: MetricReaderOptions): ProviderUnderTest {
  return makeProvider(readerOptions, { views });
}

/** Name, and what each point has. */
function shown({ metrics }: ProviderUnderTest): unknown[] {
  return metrics().map(({ descriptor, dataPoints }) => [
    descriptor.name,
    ...dataPoints.map(({ attributes, value }) => [attributes, value]),
  ]);
}

async function observed(provider: ProviderUnderTest): Promise<unknown[]> {
  await provider.reader.collect();
  return shown(provider);
}

function warningsOf(work: () => void): string[] {
  const { warnings, stop } = collectWarnings();
  try {
    work();
  } finally {
    stop();
  }
  return warnings;
}

describe('views', () => {
  afterEach(shutDownProviders);

  describe('select instruments', () => {
    const create = (meter: Meter): void => {
      meter.createCounter('http.requests', { unit: '{request}' }).add(1);
      meter.createHistogram('http.duration', { unit: 's' }).record(1);
      meter.createCounter('Jobs').add(1);
    };
    for (const [what, selector, names] of [
      ['name', { instrumentName: 'http.requests' }, ['http.requests']],
      ['a name in another case', { instrumentName: 'JOBS' }, ['Jobs']],
      ['pattern', { instrumentName: 'http.*' }, ['http.requests', 'http.duration']],
      ['pattern with the star in the middle, twice', { instrumentName: '*t*.*u*s*' }, ['http.requests']],
      ['one letter', { instrumentName: 'J?bs' }, ['Jobs']],
      ['kind', { instrumentType: InstrumentType.HISTOGRAM }, ['http.duration']],
      ['unit', { instrumentUnit: 's' }, ['http.duration']],
      ['no unit', { instrumentUnit: '' }, ['Jobs']],
      ['meter', { meterName: 'test' }, ['http.requests', 'http.duration', 'Jobs']],
      ['another meter', { meterName: 'tes*' }, []],
      ['version', { meterVersion: '1' }, []],
      ['schema', { meterSchemaUrl: 'u' }, []],
      [
        'all that is given',
        { instrumentType: InstrumentType.COUNTER, instrumentName: 'http.*' },
        ['http.requests'],
      ],
    ] as const)
      it(`each by itself: ${what}`, () => {
        const provider = withViews([{ ...selector, description: 'selected' }]);
        create(provider.meter);
        expect(
          provider
            .metrics()
            .filter(({ descriptor }) => descriptor.description === 'selected')
            .map(({ descriptor }) => descriptor.name),
        ).to.deep.equal(names);
        expect(provider.metrics()).to.have.length(3);
      });

    it('by all of a meter', () => {
      const provider = withViews([
        { meterName: 'lib', meterVersion: '2', meterSchemaUrl: 'u', aggregation: { type: DROP } },
      ]);
      provider.provider.getMeter('lib', '2', { schemaUrl: 'u' }).createCounter('a').add(1);
      provider.provider.getMeter('lib', '2').createCounter('b').add(1);
      provider.provider.getMeter('lib', '1', { schemaUrl: 'u' }).createCounter('c').add(1);
      expect(shown(provider)).to.deep.equal([
        ['b', [{}, 1]],
        ['c', [{}, 1]],
      ]);
    });
  });

  it('rename and describe; the instrument keeps its kind, unit and type of value', () => {
    const provider = withViews([{ instrumentName: 'jobs', name: 'tasks', description: 'all of them' }]);
    provider.meter.createCounter('jobs', { unit: '1', description: 'own', valueType: ValueType.INT }).add(2);
    expect(provider.metrics().map(({ descriptor }) => descriptor)).to.deep.equal([
      { name: 'tasks', description: 'all of them', unit: '1', type: 'COUNTER', valueType: ValueType.INT },
    ]);
    expect(provider.value('tasks')).to.equal(2);
  });

  it('give streams names that instruments may not have', () => {
    const provider = withViews([{ instrumentName: 'jobs', name: '1 名 *' }]);
    expect(warningsOf(() => provider.meter.createCounter('jobs').add(1))).to.deep.equal([]);
    expect(shown(provider)).to.deep.equal([['1 名 *', [{}, 1]]]);
  });

  describe('aggregation', () => {
    const record = ({ meter }: ProviderUnderTest): void => {
      for (const n of [3, 5]) {
        meter.createCounter('counter').add(n);
        meter.createUpDownCounter('upDown').add(-n);
        meter.createGauge('gauge').record(-n);
        meter.createHistogram('histogram').record(n);
      }
    };
    const buckets = (counts: number[]): object => ({ boundaries: [0, 4], counts });

    for (const [aggregation, expected] of [
      [{ type: SUM }, { counter: 8, upDown: -8, gauge: -8, histogram: 8 }],
      [{ type: LAST_VALUE }, { counter: 5, upDown: -5, gauge: -5, histogram: 5 }],
      [
        { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [4, 0] } },
        {
          counter: { min: 3, max: 5, sum: 8, count: 2, buckets: buckets([0, 1, 1]) },
          upDown: { min: -5, max: -3, count: 2, buckets: buckets([2, 0, 0]) },
          gauge: { min: -5, max: -3, count: 2, buckets: buckets([2, 0, 0]) },
          histogram: { min: 3, max: 5, sum: 8, count: 2, buckets: buckets([0, 1, 1]) },
        },
      ],
      [
        { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [], recordMinMax: false } },
        {
          counter: { sum: 8, count: 2, buckets: { boundaries: [], counts: [2] } },
          upDown: { count: 2, buckets: { boundaries: [], counts: [2] } },
          gauge: { count: 2, buckets: { boundaries: [], counts: [2] } },
          histogram: { sum: 8, count: 2, buckets: { boundaries: [], counts: [2] } },
        },
      ],
      [{ type: DROP }, {}],
    ] as const)
      it(`of every synchronous instrument: ${AggregationType[aggregation.type]} ${JSON.stringify('options' in aggregation ? aggregation.options : '')}`, () => {
        const provider = withViews([{ instrumentName: '*', aggregation: aggregation as never }]);
        record(provider);
        expect(
          Object.fromEntries(
            provider.metrics().map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]!.value]),
          ),
        ).to.deep.equal(expected);
      });

    it('exponential histograms of every synchronous instrument, negative values too, with attributes left out', () => {
      const provider = withViews([
        {
          instrumentName: '*',
          attributeKeys: ['a'],
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        },
      ]);
      const { meter } = provider;
      for (const n of [3, 5]) {
        const attributes = { a: 1, n };
        meter.createCounter('counter').add(n, attributes);
        meter.createUpDownCounter('upDown').add(-n, attributes);
        meter.createGauge('gauge').record(-n, attributes);
        meter.createGauge('gauge').record(NaN, attributes);
        meter.createHistogram('histogram').record(n, attributes);
      }
      const found = provider.metrics().map(({ descriptor, dataPoints }) => {
        const [{ attributes, value }, ...more] = dataPoints as DataPoint<unknown>[] as [DataPoint<unknown>];
        expect(more).to.deep.equal([]);
        const { count, sum, min, max, positive, negative } = value as ExponentialHistogram;
        const total = ({ bucketCounts }: ExponentialHistogram['positive']): number =>
          bucketCounts.reduce((a, b) => a + b, 0);
        return [descriptor.name, attributes, count, sum, min, max, total(positive), total(negative)];
      });
      expect(found).to.deep.equal([
        ['counter', { a: 1 }, 2, 8, 3, 5, 2, 0],
        ['upDown', { a: 1 }, 2, undefined, -5, -3, 0, 2],
        ['gauge', { a: 1 }, 2, undefined, -5, -3, 0, 2],
        ['histogram', { a: 1 }, 2, 8, 3, 5, 2, 0],
      ]);
    });

    it('a sum is monotonic by the kind of its instrument', () => {
      const provider = withViews([{ instrumentName: '*', aggregation: { type: SUM } }]);
      record(provider);
      expect(
        provider
          .metrics()
          .map((metric) => ['isMonotonic' in metric && metric.isMonotonic, metric.descriptor.name]),
      ).to.deep.equal([
        [true, 'counter'],
        [false, 'upDown'],
        [false, 'gauge'],
        [true, 'histogram'],
      ]);
    });

    it('beats advice, which a view of buckets does not follow', () => {
      const provider = withViews([
        {
          instrumentName: 'a',
          aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [2] } },
        },
        { instrumentName: 'b', aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM } },
        { instrumentName: 'c', description: 'advice counts' },
      ]);
      for (const name of ['a', 'b', 'c'])
        provider.meter.createHistogram(name, { advice: { explicitBucketBoundaries: [7] } }).record(1);
      const bounds = provider
        .metrics()
        .map(
          ({ dataPoints }) =>
            (dataPoints[0]!.value as { buckets: { boundaries: number[] } }).buckets.boundaries,
        );
      expect(bounds[0]).to.deep.equal([2]);
      expect(bounds[1]).to.have.length(15);
      expect(bounds[2]).to.deep.equal([7]);
    });

    it('is what readers want where a view says nothing of it; DEFAULT is the default whatever they want', () => {
      const provider = withViews(
        [
          { instrumentName: 'a', name: 'renamed' },
          { instrumentName: 'b', aggregation: { type: DEFAULT } },
        ],
        { aggregationSelector: () => ({ type: LAST_VALUE }) },
      );
      for (const name of ['a', 'b']) for (const n of [3, 5]) provider.meter.createCounter(name).add(n);
      expect(shown(provider)).to.deep.equal([
        ['renamed', [{}, 5]],
        ['b', [{}, 8]],
      ]);
    });

    it('NaN and the infinities of a gauge stay out of sums and distributions, with a warning', () => {
      const provider = withViews([
        { instrumentName: 'g', name: 'sum', aggregation: { type: SUM } },
        {
          instrumentName: 'g',
          name: 'buckets',
          aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: [] } },
        },
        { instrumentName: 'g', name: 'last', aggregation: { type: LAST_VALUE } },
      ]);
      const gauge = provider.meter.createGauge('g');
      const warnings = warningsOf(() => {
        const bound = gauge.bind();
        for (const n of [1, NaN, Infinity, 2, -Infinity, NaN]) {
          gauge.record(n);
          bound.record(n);
        }
      });
      expect(shown(provider)).to.deep.equal([
        ['sum', [{}, 6]],
        ['buckets', [{}, { min: 1, max: 2, count: 4, buckets: { boundaries: [], counts: [4] } }]],
        ['last', [{}, NaN]],
      ]);
      expect(warnings).to.have.length(2);
    });

    it('the infinities of a histogram stay out of sums, with a warning, and are its last value', () => {
      const provider = withViews([
        { instrumentName: 'h', name: 'sum', aggregation: { type: SUM } },
        { instrumentName: 'h', name: 'last', aggregation: { type: LAST_VALUE } },
      ]);
      const histogram = provider.meter.createHistogram('h');
      const warnings = warningsOf(() => {
        for (const n of [1, 2, Infinity]) histogram.record(n);
        histogram.bind().record(Infinity);
      });
      expect(shown(provider)).to.deep.equal([
        ['sum', [{}, 3]],
        ['last', [{}, Infinity]],
      ]);
      expect(warnings).to.have.length(1);
    });
  });

  it('a view that drops makes the instrument say that it is not enabled, and record nothing', () => {
    const provider = withViews([{ instrumentName: 'no*', aggregation: { type: DROP } }]);
    const [none, some] = [provider.meter.createCounter('none'), provider.meter.createCounter('some')];
    for (const counter of [none, some]) {
      counter.add(1);
      counter.bind({ a: 1 }).add(1);
    }
    expect([none.enabled(), some.enabled()]).to.deep.equal([false, true]);
    expect(shown(provider)).to.deep.equal([['some', [{}, 1], [{ a: 1 }, 1]]]);
  });

  describe('attributes', () => {
    const keep = (...keys: string[]): SeqlockViewOptions => ({
      instrumentName: '*',
      attributesProcessors: [createAllowListAttributesProcessor(keys)],
    });

    for (const [what, view, expected] of [
      ['allow list', keep('a', 'b'), { a: 1, b: 'x' }],
      ['attributeKeys', { instrumentName: '*', attributeKeys: ['b', 'zz'] }, { b: 'x' }],
      ['no keys at all', keep(), {}],
      [
        'deny list',
        { instrumentName: '*', attributesProcessors: [createDenyListAttributesProcessor(['a', 'list'])] },
        { b: 'x' },
      ],
      [
        'both, one after the other',
        {
          instrumentName: '*',
          attributesProcessors: [
            createDenyListAttributesProcessor(['a']),
            createAllowListAttributesProcessor(['a', 'b']),
          ],
        },
        { b: 'x' },
      ],
    ] as const)
      it(`${what}: series that become one add up`, () => {
        const provider = withViews([view as SeqlockViewOptions]);
        const counter = provider.meter.createCounter('c');
        const bound = counter.bind({ list: [9], a: 1, b: 'x' });
        for (const list of [[1], [2], [3]]) counter.add(1, { a: 1, b: 'x', list });
        counter.add(1, { list: ['in another order'], b: 'x', a: 1 });
        bound.add(1);
        expect(shown(provider)).to.deep.equal([['c', [expected, 5]]]);
      });

    it('keep what is left of every value: series by series as without a view', () => {
      const provider = withViews([keep('k')]);
      const counter = provider.meter.createCounter('c');
      const values = [1, '1', true, ['1'], null, '', 2.5, 1e9, 'long'];
      for (let round = 1; round <= 3; round++)
        for (const k of values) {
          counter.add(1, { drop: round, k } as Attributes);
          counter.add(1, { k, drop: [round], more: `${round}` } as Attributes);
          counter.add(1, { k } as Attributes);
        }
      counter.add(1);
      counter.add(1, { drop: 1 });
      expect(shown(provider)).to.deep.equal([['c', ...values.map((k) => [{ k }, 9]), [{}, 2]]]);
    });

    it('change the attributes by code of the app, in the context of the call', () => {
      const key = createContextKey('tenant');
      const seen: unknown[] = [];
      const process = (attributes: Attributes, given?: Context): Attributes => {
        seen.push(given);
        return { ...attributes, tenant: (given?.getValue(key) as string | undefined) ?? 'none' };
      };
      const provider = withViews([{ instrumentName: '*', attributesProcessors: [{ process }] }]);
      const counter = provider.meter.createCounter('c');
      counter.add(1, { a: 1 }, ROOT_CONTEXT.setValue(key, 'x'));
      counter.add(1);
      counter.bind({ a: 1 }).add(1);
      expect(shown(provider)).to.deep.equal([
        ['c', [{ a: 1, tenant: 'x' }, 1], [{ tenant: 'none' }, 1], [{ a: 1, tenant: 'none' }, 1]],
      ]);
      expect(seen[1]).to.equal(context.active());
    });

    it('are not asked about what is no object: it counts as no attributes, with a warning', () => {
      const process = (attributes: Attributes): Attributes => ({ ...attributes, seen: true });
      const provider = withViews([{ instrumentName: '*', attributesProcessors: [{ process }] }]);
      const warnings = warningsOf(() => {
        const counter = provider.meter.createCounter('c');
        for (const attributes of ['text', ['a'], 5]) counter.add(1, attributes as never);
        for (const attributes of [undefined, null, {}]) counter.add(1, attributes as never);
      });
      expect(shown(provider)).to.deep.equal([['c', [{}, 3], [{ seen: true }, 3]]]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('attributes must be an object');
    });

    it('keys come before code: it is given what they leave, bound or not', () => {
      const seen: Attributes[] = [];
      const process = (attributes: Attributes): Attributes => {
        seen.push(attributes);
        return attributes;
      };
      const provider = withViews([
        { instrumentName: '*', attributeKeys: ['a'], attributesProcessors: [{ process }] },
      ]);
      const counter = provider.meter.createCounter('c');
      counter.add(1, { a: 1, b: 2 });
      counter.bind({ b: 3, a: 1 }).add(1);
      expect(seen).to.deep.equal([{ a: 1 }, { a: 1 }]);
      expect(shown(provider)).to.deep.equal([['c', [{ a: 1 }, 2]]]);
    });

    it('code that throws: recorded without attributes, one warning, nothing thrown', () => {
      const process = (): never => {
        throw new Error('in the processor');
      };
      const provider = withViews([{ instrumentName: '*', attributesProcessors: [{ process }] }]);
      const warnings = warningsOf(() => {
        const counter = provider.meter.createCounter('c');
        for (let i = 0; i < 3; i++) counter.add(1, { secret: i });
        counter.bind({ secret: 1 }).add(1);
      });
      expect(shown(provider)).to.deep.equal([['c', [{}, 4]]]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('in the processor');
    });
  });

  describe('cardinality limit', () => {
    const many = ({ meter }: ProviderUnderTest): void => {
      for (let k = 0; k < 10; k++) meter.createCounter('c').add(1, { k });
    };

    it('of the view', () => {
      const provider = withViews([{ instrumentName: 'c', aggregationCardinalityLimit: 3 }]);
      many(provider);
      expect(provider.points('c')).to.have.deep.members([
        { attributes: { 'otel.metric.overflow': true }, value: 7 },
        ...[0, 1, 2].map((k) => ({ attributes: { k }, value: 1 })),
      ]);
    });

    it('of the reader, where the view has none', () => {
      const provider = withViews([{ instrumentName: 'c', name: 'd' }], { cardinalitySelector: () => 4 });
      many(provider);
      expect(provider.points('d')).to.have.length(5);
    });

    it('of the view, though the reader has a lower one', () => {
      const provider = withViews([{ instrumentName: 'c', aggregationCardinalityLimit: 10 }], {
        cardinalitySelector: () => 2,
      });
      many(provider);
      expect(provider.points('c')).to.have.length(10);
    });
  });

  describe('several of one instrument', () => {
    it('are independent: each makes its stream', () => {
      const provider = withViews([
        { instrumentName: 'sizes', name: 'size.sum', aggregation: { type: SUM } },
        { instrumentName: 'sizes', name: 'size.last', aggregation: { type: LAST_VALUE }, attributeKeys: [] },
        { instrumentName: 'si*', attributeKeys: ['a'], aggregation: { type: SUM } },
      ]);
      const sizes = provider.meter.createHistogram('sizes');
      sizes.record(2, { a: 1, b: 1 });
      sizes.bind({ a: 1, b: 2 }).record(3);
      expect(shown(provider)).to.deep.equal([
        ['size.sum', [{ a: 1, b: 1 }, 2], [{ a: 1, b: 2 }, 3]],
        ['size.last', [{}, 3]],
        ['sizes', [{ a: 1 }, 5]],
      ]);
    });

    it('one that cannot be applied is warned of and ignored; the others hold', async () => {
      let provider!: ProviderUnderTest;
      const warnings = warningsOf(() => {
        provider = withViews([
          { instrumentName: 'ticks', name: 'wrong', aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM } },
          { instrumentName: 'o*', aggregation: { type: EXPLICIT_BUCKET_HISTOGRAM } },
          { instrumentName: 'ticks', name: 'right' },
        ]);
        provider.meter.createObservableCounter('ticks').addCallback((result) => result.observe(3));
        provider.meter.createObservableGauge('other').addCallback((result) => result.observe(4));
      });
      expect(await observed(provider)).to.deep.equal([
        ['right', [{}, 3]],
        ['other', [{}, 4]],
      ]);
      expect(warnings.map((warning) => warning.includes('ignored'))).to.deep.equal([true, true]);
    });

    it('of one name, with other attributes or another aggregation: both streams, each counted once, and a warning', () => {
      let provider!: ProviderUnderTest;
      const warnings = warningsOf(() => {
        provider = withViews([
          { instrumentName: 'jobs', attributeKeys: ['a'] },
          { instrumentName: 'jobs', attributeKeys: ['b'] },
          { instrumentName: 'jobs', aggregation: { type: LAST_VALUE } },
        ]);
        for (let i = 0; i < 2; i++) provider.meter.createCounter('jobs').add(2, { a: 1, b: 2 });
      });
      expect(shown(provider)).to.deep.equal([
        ['jobs', [{ a: 1 }, 4]],
        ['jobs', [{ b: 2 }, 4]],
        ['jobs', [{ a: 1, b: 2 }, 2]],
      ]);
      expect(
        warnings.filter((warning) => warning.includes('Give one of the views another name')),
      ).to.have.length(2);
    });

    it('that are alike: one stream, counted once, and a warning', () => {
      let provider!: ProviderUnderTest;
      const warnings = warningsOf(() => {
        provider = withViews([
          { instrumentName: 'jobs', attributeKeys: ['a', 'b'] },
          { instrumentName: '*', attributesProcessors: [createAllowListAttributesProcessor(['b', 'a'])] },
        ]);
        provider.meter.createCounter('jobs').add(2, { a: 1 });
      });
      expect(shown(provider)).to.deep.equal([['jobs', [{ a: 1 }, 2]]]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('nothing is counted twice');
    });

    it('two instruments that views give one name are put together, with a warning', () => {
      let provider!: ProviderUnderTest;
      const warnings = warningsOf(() => {
        provider = withViews([
          { instrumentName: 'old', name: 'jobs' },
          { instrumentName: 'new', name: 'jobs' },
        ]);
        provider.meter.createCounter('old').add(1);
        provider.meter.createCounter('new').add(2);
      });
      expect(shown(provider)).to.deep.equal([['jobs', [{}, 3]]]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include('added together');
    });

    it('a conflict of instruments is warned of with the view that ends it, and that view ends it', () => {
      const make = ({ meter }: ProviderUnderTest): void => {
        meter.createCounter('jobs').add(1);
        meter.createHistogram('jobs').record(1);
        meter.createCounter('jobs', { unit: 's' }).add(1);
      };
      const [conflict, ...more] = warningsOf(() => make(withViews([])));
      expect(conflict).to.include(
        `{ instrumentName: "jobs", instrumentType: "HISTOGRAM", name: 'another.name' }`,
      );
      expect(more[0]).to.include(`{ instrumentName: "jobs", instrumentUnit: "s", name: 'another.name' }`);
      expect(
        warningsOf(() =>
          make(
            withViews([
              { instrumentName: 'jobs', instrumentType: InstrumentType.HISTOGRAM, name: 'jobs.sizes' },
              { instrumentName: 'jobs', instrumentUnit: 's', name: 'jobs.time' },
            ]),
          ),
        ),
      ).to.deep.equal([]);
    });

    it('a description of the view ends the conflict of descriptions', () => {
      const make = ({ meter }: ProviderUnderTest): void => {
        for (const description of ['one', 'two']) meter.createCounter('jobs', { description });
      };
      expect(warningsOf(() => make(withViews([])))).to.have.length(1);
      expect(
        warningsOf(() => make(withViews([{ instrumentName: 'jobs', description: 'of the view' }]))),
      ).to.deep.equal([]);
    });
  });

  describe('of asynchronous instruments', () => {
    const disks = (result: { observe(value: number, attributes: Attributes): void }): void => {
      result.observe(50, { device: 'a', state: 'used' });
      result.observe(30, { device: 'b', state: 'used' });
      result.observe(20, { device: 'a', state: 'free' });
      result.observe(31, { device: 'b', state: 'used' }); // again: the later counts
    };

    it('totals whose attributes a view drops add up, in every round anew', async () => {
      const provider = withViews([{ instrumentName: '*', attributeKeys: ['state'] }]);
      provider.meter.createObservableCounter('counter').addCallback(disks);
      provider.meter.createObservableUpDownCounter('upDown').addCallback(disks);
      for (let round = 0; round < 2; round++)
        expect(await observed(provider)).to.deep.equal(
          ['counter', 'upDown'].map((name) => [name, [{ state: 'used' }, 81], [{ state: 'free' }, 20]]),
        );
    });

    it('an instrument that is made twice, in other case, is one: of its observations the later counts', async () => {
      const provider = withViews([{ instrumentName: '*', attributeKeys: ['state'] }]);
      provider.meter.createObservableCounter('counter').addCallback(disks);
      provider.meter.createObservableCounter('Counter').addCallback(disks);
      expect(await observed(provider)).to.deep.equal([
        ['counter', [{ state: 'used' }, 81], [{ state: 'free' }, 20]],
      ]);
    });

    it('code that throws: observed without attributes', async () => {
      const process = (): never => {
        throw new Error('in the processor');
      };
      const provider = withViews([{ instrumentName: '*', attributesProcessors: [{ process }] }]);
      provider.meter.createObservableCounter('counter').addCallback(disks);
      expect(await observed(provider)).to.deep.equal([['counter', [{}, 101]]]);
    });

    it('of levels the last counts', async () => {
      const provider = withViews([{ instrumentName: '*', attributeKeys: ['state'] }]);
      provider.meter.createObservableGauge('gauge').addCallback(disks);
      expect(await observed(provider)).to.deep.equal([
        ['gauge', [{ state: 'used' }, 31], [{ state: 'free' }, 20]],
      ]);
    });

    it('several views, code among them, and sums of gauges', async () => {
      const seen: unknown[] = [];
      const process = (attributes: Attributes, given?: Context): Attributes => {
        seen.push(given);
        return { device: `/${String(attributes['device'])}` };
      };
      const provider = withViews([
        { instrumentName: 'gauge', name: 'sum', aggregation: { type: SUM }, attributeKeys: [] },
        {
          instrumentName: 'gauge',
          name: 'code',
          aggregation: { type: SUM },
          attributesProcessors: [{ process }],
        },
        { instrumentName: 'gauge' },
        { instrumentName: 'dropped', aggregation: { type: DROP } },
      ]);
      provider.meter.createObservableGauge('gauge').addCallback(disks);
      provider.meter.createObservableGauge('dropped').addCallback(disks);
      expect(await observed(provider)).to.deep.equal([
        ['sum', [{}, 101]],
        ['code', [{ device: '/a' }, 70], [{ device: '/b' }, 31]],
        [
          'gauge',
          [{ device: 'a', state: 'used' }, 50],
          [{ device: 'b', state: 'used' }, 31],
          [{ device: 'a', state: 'free' }, 20],
        ],
      ]);
      expect(new Set(seen)).to.deep.equal(new Set([undefined]));
    });

    it('two instruments of one name add up', async () => {
      const provider = withViews([
        { instrumentName: 'old', name: 'ticks' },
        { instrumentName: 'new', name: 'ticks' },
      ]);
      provider.meter.createObservableCounter('old').addCallback((result) => result.observe(3, { a: 1 }));
      provider.meter.createObservableCounter('new').addCallback((result) => result.observe(4, { a: 1 }));
      expect(await observed(provider)).to.deep.equal([['ticks', [{ a: 1 }, 7]]]);
    });

    it('what exceeds the limit adds up in the overflow series, each attribute set once', async () => {
      const provider = withViews([{ instrumentName: 'c', aggregationCardinalityLimit: 1 }]);
      provider.meter.createObservableCounter('c').addCallback((result) => {
        for (const k of [1, 2, 3, 3, 2]) result.observe(10 * k, { k });
      });
      expect(await observed(provider)).to.deep.equal([
        ['c', [{ 'otel.metric.overflow': true }, 50], [{ k: 1 }, 10]],
      ]);
    });
  });

  it('a wrong view makes the provider throw, and names it', () => {
    expect(() => withViews([{ instrumentName: 'a' }, { instrumentName: 'a*', name: 'b' }]))
      .to.throw('views[1].instrumentName')
      .with.property('code', 'E_OPTION');
  });
});
