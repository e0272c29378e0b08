import { AggregationType, type AggregationOption, type InstrumentType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { SeqlockMeterProvider, SeqlockMetricProducer, SeqlockMetricReader } from '../../src/index.ts';
import type { Meter } from '../../src/sdk/meter.ts';
import { collectWarnings } from '../support/warnings.ts';

const { DEFAULT, DROP, SUM, LAST_VALUE, EXPLICIT_BUCKET_HISTOGRAM, EXPONENTIAL_HISTOGRAM } = AggregationType;
const GAUGE_POINT = 2;
const SUM_POINT = 3;

type Selector = (kind: InstrumentType) => AggregationOption;

const made: SeqlockMeterProvider[] = [];

/** A provider with a reader for each selector. */
function providerFor(...selectors: (Selector | undefined)[]): {
  provider: SeqlockMeterProvider;
  meter: Meter;
  readers: SeqlockMetricReader[];
} {
  const readers = selectors.map(
    (aggregationSelector) => new SeqlockMetricReader(aggregationSelector && { aggregationSelector }),
  );
  const provider = new SeqlockMeterProvider({ readers });
  made.push(provider);
  return { provider, meter: provider.getMeter('test') as Meter, readers };
}

function shown(reader: { snapshot(): ReturnType<SeqlockMetricReader['snapshot']> }): unknown[] {
  return reader
    .snapshot()
    .scopeMetrics.flatMap(({ metrics }) => metrics)
    .map(({ descriptor, dataPointType, dataPoints }) => [
      descriptor.name,
      dataPointType,
      dataPoints.map(({ value }) => value),
    ]);
}

const always =
  (aggregation: AggregationOption): Selector =>
  () =>
    aggregation;

describe('aggregations that readers select', () => {
  afterEach(() => Promise.all(made.splice(0).map((provider) => provider.shutdown())));

  it('each reader sees its own, of the same measurements', () => {
    const { meter, readers } = providerFor(
      undefined,
      (kind) => ({ type: kind === 'HISTOGRAM' ? SUM : DEFAULT }),
      always({ type: LAST_VALUE }),
    );
    const sizes = meter.createHistogram('sizes', { advice: { explicitBucketBoundaries: [2] } });
    const jobs = meter.createCounter('jobs');
    for (const n of [1, 2, 3]) {
      sizes.record(n);
      jobs.add(n);
    }
    const buckets = { boundaries: [2], counts: [2, 1] };
    const [first, second, third] = readers;
    expect(shown(first!)).to.deep.equal([
      ['sizes', 0, [{ min: 1, max: 3, sum: 6, count: 3, buckets }]],
      ['jobs', SUM_POINT, [6]],
    ]);
    expect(shown(second!)).to.deep.equal([
      ['sizes', SUM_POINT, [6]],
      ['jobs', SUM_POINT, [6]],
    ]);
    expect(shown(third!)).to.deep.equal([
      ['sizes', GAUGE_POINT, [3]],
      ['jobs', GAUGE_POINT, [3]],
    ]);
  });

  it('one reader has exponential histograms, of the measurements that another has in explicit buckets', () => {
    const options = { maxSize: 4, maxScale: 0, recordMinMax: false };
    const { meter, readers } = providerFor(
      always({ type: EXPONENTIAL_HISTOGRAM, options } as never),
      undefined,
    );
    const sizes = meter.createHistogram('sizes', { advice: { explicitBucketBoundaries: [2] } });
    const level = meter.createUpDownCounter('level');
    const bound = sizes.bind();
    for (const n of [1, 2]) sizes.record(n);
    bound.record(3);
    for (const n of [-3, 0, 8]) level.add(n);
    const empty = { offset: 0, bucketCounts: [] };
    const none = { scale: 0, zeroCount: 0, negative: empty };
    expect(shown(readers[0]!)).to.deep.equal([
      ['sizes', 1, [{ sum: 6, count: 3, ...none, positive: { offset: -1, bucketCounts: [1, 1, 1] } }]],
      [
        'level',
        1,
        [
          {
            count: 3,
            scale: 0,
            zeroCount: 1,
            positive: { offset: 2, bucketCounts: [1] },
            negative: { offset: 1, bucketCounts: [1] },
          },
        ],
      ],
    ]);
    const buckets = { boundaries: [2], counts: [2, 1] };
    expect(shown(readers[1]!)).to.deep.equal([
      ['sizes', 0, [{ min: 1, max: 3, sum: 6, count: 3, buckets }]],
      ['level', SUM_POINT, [5]],
    ]);
  });

  it('bound instruments record for every reader', () => {
    const { meter, readers } = providerFor(undefined, always({ type: LAST_VALUE }));
    const bound = meter.createCounter('jobs').bind({ a: 1 });
    for (const n of [1, 2, 3]) bound.add(n);
    expect(shown(readers[0]!)).to.deep.equal([['jobs', SUM_POINT, [6]]]);
    expect(shown(readers[1]!)).to.deep.equal([['jobs', GAUGE_POINT, [3]]]);
  });

  it('two readers of one wish share a stream', () => {
    const boundaries = [1, 10];
    const wish = always({ type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } });
    const { provider, meter, readers } = providerFor(wish, wish);
    meter.createHistogram('sizes').record(5);
    const before = provider.store.usedBytes;
    meter.createHistogram('sizes').record(7);
    expect(provider.store.usedBytes).to.equal(before);
    const value = { min: 5, max: 7, sum: 12, count: 2, buckets: { boundaries, counts: [0, 2, 0] } };
    for (const reader of readers) expect(shown(reader)).to.deep.equal([['sizes', 0, [value]]]);
  });

  it('two wishes that come to the same for an instrument are both seen', () => {
    const boundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
    const { meter, readers } = providerFor(
      undefined,
      always({ type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries } }),
    );
    meter.createHistogram('sizes').record(5);
    const [[, , [value]]] = shown(readers[0]!) as [[string, number, [{ count: number }]]];
    expect(value.count).to.equal(1);
    expect(shown(readers[1]!)).to.deep.equal(shown(readers[0]!));
  });

  it('what every reader drops is not recorded, and the instrument says so', () => {
    const { meter, readers } = providerFor((kind) => ({ type: kind === 'COUNTER' ? DROP : DEFAULT }));
    const [dropped, kept] = [meter.createCounter('dropped'), meter.createUpDownCounter('kept')];
    dropped.add(1);
    dropped.bind({ a: 1 }).add(1);
    kept.add(1);
    expect([dropped.enabled(), kept.enabled()]).to.deep.equal([false, true]);
    expect(shown(readers[0]!)).to.deep.equal([['kept', SUM_POINT, [1]]]);
  });

  it('what one reader drops, another still sees', () => {
    const { meter, readers } = providerFor(always({ type: DROP }), undefined);
    const jobs = meter.createCounter('jobs');
    jobs.add(1);
    expect(jobs.enabled()).to.equal(true);
    expect(readers.map(shown)).to.deep.equal([[], [['jobs', SUM_POINT, [1]]]]);
  });

  it('asynchronous instruments have no distribution: one warning, and the default', async () => {
    const { warnings, stop } = collectWarnings();
    const { meter, readers } = providerFor(always({ type: EXPLICIT_BUCKET_HISTOGRAM }));
    meter.createObservableCounter('ticks').addCallback((result) => result.observe(3));
    await readers[0]!.collect();
    stop();
    expect(shown(readers[0]!)).to.deep.equal([['ticks', SUM_POINT, [3]]]);
    expect(warnings.filter((warning) => warning.includes('OBSERVABLE_COUNTER'))).to.have.length(1);
  });

  it('nor an exponential one', () => {
    const { warnings, stop } = collectWarnings();
    const { meter } = providerFor(always({ type: EXPONENTIAL_HISTOGRAM }));
    meter.createObservableGauge('level');
    stop();
    expect(warnings.filter((warning) => warning.includes('OBSERVABLE_GAUGE'))).to.have.length(1);
  });

  it('a reader of the bare store sees what the first reader sees where nobody has the default', () => {
    const { provider, meter } = providerFor(always({ type: LAST_VALUE }), always({ type: SUM }));
    meter.createHistogram('sizes').record(3);
    expect(shown(new SeqlockMetricProducer(provider.store))).to.deep.equal([['sizes', GAUGE_POINT, [3]]]);
  });

  it('a reader of a later provider that wants what nobody records gets the default, and a warning', () => {
    const { provider, meter } = providerFor(undefined);
    const { warnings, stop } = collectWarnings();
    const late = new SeqlockMetricReader({ aggregationSelector: always({ type: LAST_VALUE }) });
    const second = new SeqlockMeterProvider({ store: provider.store, readers: [late] });
    stop();
    made.push(second);
    for (const one of [meter, second.getMeter('test') as Meter]) {
      one.createHistogram('sizes', { advice: { explicitBucketBoundaries: [] } }).record(3);
      one.createGauge('level').record(4);
    }
    const buckets = { boundaries: [], counts: [2] };
    expect(shown(late)).to.deep.equal([
      ['sizes', 0, [{ min: 3, max: 3, sum: 6, count: 2, buckets }]],
      ['level', GAUGE_POINT, [4]],
    ]);
    const unrecorded = warnings.filter((warning) => warning.includes('this store does not record it'));
    expect(unrecorded).to.have.length(5); // every kind but the gauges, whose default it is
  });

  for (const [what, aggregation] of [
    ['no aggregation', { type: 77 }],
    ['boundaries that are no numbers', { type: EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: ['1'] } }],
    ['one bucket', { type: EXPONENTIAL_HISTOGRAM, options: { maxSize: 1 } }],
    ['a part of a bucket', { type: EXPONENTIAL_HISTOGRAM, options: { maxSize: 2.5 } }],
    ['more buckets than there may be', { type: EXPONENTIAL_HISTOGRAM, options: { maxSize: 4097 } }],
    ['a scale above 20', { type: EXPONENTIAL_HISTOGRAM, options: { maxScale: 21 } }],
    ['a scale below -10', { type: EXPONENTIAL_HISTOGRAM, options: { maxScale: -11 } }],
    ['options that are none', { type: EXPONENTIAL_HISTOGRAM, options: 160 }],
    ['recordMinMax that is no boolean', { type: EXPLICIT_BUCKET_HISTOGRAM, options: { recordMinMax: 1 } }],
  ] as const)
    it(`refuses ${what}, at construction`, () => {
      expect(() => providerFor(always(aggregation as never)))
        .to.throw('aggregation of a reader for COUNTER')
        .with.property('code', 'E_OPTION');
    });
});
