import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import {
  exponentialLayout,
  exponentialValueOf,
  fillExponentialRow,
  subtractExponentialRow,
} from '../../../src/collect/rows/exponential.ts';
import type { DataPoint, ExponentialHistogramValue } from '../../../src/collect/metric-data.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf, StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { exponentialHistogram, type ExponentialHistogramAggregation } from '../../support/descriptions.ts';
import { exactIndex } from '../../support/exact-index.ts';
import { needsProc } from '../../support/marks.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;

type Point = DataPoint<ExponentialHistogramValue>;
type Options = Partial<ExponentialHistogramAggregation>;

function pointsOf(region: Region): Point[] {
  return scopeMetricsOf(new Snapshots(new StoreReader(region), new CellReader()))
    .flatMap(({ metrics }) => metrics)
    .flatMap(({ dataPoints }) => dataPoints as Point[]);
}

function valueOf(region: Region, attributes: Attributes = {}): ExponentialHistogramValue | undefined {
  const wanted = JSON.stringify(attributes);
  return pointsOf(region).find((point) => JSON.stringify(point.attributes) === wanted)?.value;
}

/** What one writer holds that recorded these values. */
function recorded(values: readonly number[], options: Options = {}): ExponentialHistogramValue {
  const region = Region.create(2 ** 20);
  const stream = newWriter(region).stream(exponentialHistogram('h', options), LIMIT);
  for (const value of values) recordTo(stream, value, undefined);
  return valueOf(region)!;
}

class PlainReader extends MetricReader {
  protected override onForceFlush = (): Promise<void> => Promise.resolve();
  protected override onShutdown = (): Promise<void> => Promise.resolve();
}

/** What the official SDK makes of the same values. */
async function official(values: readonly number[], { maxSize = 160, negative = false }: Options) {
  const reader = new PlainReader({
    aggregationSelector: () => ({ type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize } }),
    aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE,
  });
  const meter = new MeterProvider({ readers: [reader] }).getMeter('m');
  const instrument = negative ? meter.createUpDownCounter('h') : meter.createHistogram('h');
  for (const value of values) {
    if ('add' in instrument) instrument.add(value);
    else instrument.record(value);
  }
  const { resourceMetrics } = await reader.collect();
  return resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.value as ExponentialHistogramValue;
}

/** The one state less the other, without extremes: those of totals are none of the difference. */
function difference(
  now: ExponentialHistogramValue,
  before: ExponentialHistogramValue,
  maxSize: number,
): ExponentialHistogramValue {
  const layout = exponentialLayout(maxSize, 2, true, false);
  const [row, earlier] = [now, before].map((value) => {
    const filled = new Float64Array(layout.words).fill(NaN);
    fillExponentialRow(filled, 0, maxSize, value);
    return filled;
  });
  subtractExponentialRow(row!, 0, earlier!, 0, maxSize);
  return exponentialValueOf(row!, 0, { ...layout, isDelta: true });
}

/** Integers and their parts, so that no order of adding matters; ranges that need few and many scales. */
const exactValues = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: 1, max: 2 ** 20 }).map((n) => n / 1024),
  fc.constantFrom(0, 2 ** -10, 2 ** 30),
);

describe('exponential histograms', function () {
  before(needsProc);
  let log: ReturnType<typeof collectWarnings>;
  beforeEach(() => (log = collectWarnings()));
  afterEach(() => log.stop());

  it('come as data points of the official form', () => {
    expect(recorded([0, 1, 1, 2, 4], { maxScale: 0 })).to.deep.equal({
      min: 0,
      max: 4,
      sum: 8,
      count: 5,
      scale: 0,
      zeroCount: 1,
      positive: { offset: -1, bucketCounts: [2, 1, 1] },
      negative: { offset: 0, bucketCounts: [] },
    });
    expect(recorded([-3, 5], { negative: true, maxScale: 1, recordMinMax: false })).to.deep.equal({
      count: 2,
      scale: 1,
      zeroCount: 0,
      positive: { offset: exactIndex(5, 1), bucketCounts: [1] },
      negative: { offset: exactIndex(3, 1), bucketCounts: [1] },
    });
  });

  it('have the highest scale where only zeros were recorded, so that adding them to others costs nothing', () => {
    expect(recorded([0, 0])).to.deep.include({ count: 2, zeroCount: 2, scale: 20, min: 0, max: 0 });
    expect(recorded([0, 0], { maxScale: 3 })).to.include({ scale: 3 });
  });

  it('are those of the official SDK, bucket for bucket', async function () {
    this.timeout(60_000);
    const signed = fc.tuple(exactValues, fc.boolean()).map(([value, minus]) => (minus ? -value + 0 : value));
    for (const negative of [false, true]) {
      await fc.assert(
        fc.asyncProperty(
          fc.array(negative ? signed : exactValues, { minLength: 1, maxLength: 300, size: 'max' }),
          fc.constantFrom(2, 3, 20, 160, 500),
          async (values, maxSize) => {
            const expected = await official(values, { maxSize, negative });
            // The official SDK says 0 where only zeros were recorded (docs/differences.md).
            const scale = values.every((value) => value === 0) ? 20 : expected.scale;
            const sum = expected.sum === undefined ? {} : { sum: expected.sum };
            const { min, max, count, zeroCount, positive, negative: below } = expected;
            expect(recorded(values, { maxSize, negative })).to.deep.equal({
              min,
              max,
              count,
              zeroCount,
              scale,
              positive,
              negative: below,
              ...sum,
            });
          },
        ),
        { seed: SEED, numRuns: 150 },
      );
    }
  });

  it(`add up to the same however the measurements are split over writers (seed: ${SEED})`, () => {
    const step = fc.record({ writer: fc.nat(3), value: exactValues, dies: fc.nat(9).map((n) => n === 0) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 100, size: 'max' }),
        fc.constantFrom(2, 5, 160),
        (steps, maxSize) => {
          const region = Region.create(2 ** 21);
          const writers = new Map<number, StoreWriter>();
          for (const { writer: i, value, dies } of steps) {
            const writer = writers.get(i) ?? newWriter(region);
            writers.set(i, writer);
            recordTo(writer.stream(exponentialHistogram('h', { maxSize }), LIMIT), value, undefined);
            if (!dies) continue;
            bury(writer);
            writers.delete(i);
          }
          expect(valueOf(region)).to.deep.equal(
            recorded(
              steps.map(({ value }) => value),
              { maxSize },
            ),
          );
        },
      ),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('are brought to the lowest scale among the writers, and further down until the sum fits', () => {
    const region = Region.create(2 ** 20);
    const options = { maxSize: 4 };
    const [a, b] = [newWriter(region), newWriter(region)];
    for (const value of [1, 1.1])
      recordTo(a.stream(exponentialHistogram('h', options), LIMIT), value, undefined);
    for (const value of [100, 1000])
      recordTo(b.stream(exponentialHistogram('h', options), LIMIT), value, undefined);
    expect(valueOf(region)).to.deep.equal(recorded([1, 1.1, 100, 1000], options));
    expect(recorded([100, 1000], options).scale).to.be.greaterThan(valueOf(region)!.scale);
  });

  it('go on in the cells of a dead writer, at the scale it left', () => {
    const region = Region.create(2 ** 20);
    const first = newWriter(region);
    for (const value of [1, 1000]) recordTo(first.stream(exponentialHistogram('h'), LIMIT), value, { a: 1 });
    bury(first);
    const second = newWriter(region);
    expect(second.adopted).to.equal(true);
    const used = region.usedBytes;
    const bound = second.stream(exponentialHistogram('h'), LIMIT).bind({ a: 1 });
    for (const value of [0, 1e6]) bound.record(value);
    expect(region.usedBytes).to.equal(used);
    expect(valueOf(region, { a: 1 })).to.deep.equal(recorded([1, 1000, 0, 1e6]));
  });

  it('keep NaN and the infinities out: no series, no change, one warning', () => {
    const region = Region.create(2 ** 20);
    const stream = newWriter(region).stream(exponentialHistogram('h'), LIMIT);
    const bound = stream.bind({ b: 1 });
    for (const value of [NaN, Infinity, -Infinity]) {
      recordTo(stream, value, { a: 1 });
      bound.record(value);
    }
    expect(pointsOf(region)).to.deep.equal([]);
    expect(log.warnings).to.have.length(1);
    expect(log.warnings[0]).to.include('metric h of meter test').and.include('NaN');
    recordTo(stream, 3, { a: 1 });
    recordTo(stream, NaN, { a: 1 });
    expect(valueOf(region, { a: 1 })).to.deep.equal(recorded([3]));
  });

  it('count what exceeds the limit in the overflow series', () => {
    const region = Region.create(2 ** 20);
    const stream = newWriter(region).stream(exponentialHistogram('h'), 2);
    for (let i = 1; i <= 5; i++) recordTo(stream, i, { i });
    expect(pointsOf(region).map(({ attributes }) => attributes)).to.have.deep.members([
      { i: 1 },
      { i: 2 },
      { 'otel.metric.overflow': true },
    ]);
    expect(valueOf(region, { 'otel.metric.overflow': true })).to.deep.equal(recorded([3, 4, 5]));
  });

  it('are streams of their own for each shape', () => {
    const region = Region.create(2 ** 20);
    const writer = newWriter(region);
    const variants: Options[] = [{}, { maxSize: 20 }, { maxScale: 5 }, { recordMinMax: false }];
    const streams = variants.map((options) => writer.stream(exponentialHistogram('h', options), LIMIT));
    expect(new Set(streams).size).to.equal(variants.length);
    streams.forEach((stream) => recordTo(stream, 1, undefined));
    expect(pointsOf(region)).to.have.length(variants.length);
  });

  it('differ by no sum once that has grown beyond the largest number', () => {
    const large = [Number.MAX_VALUE, Number.MAX_VALUE];
    const before = recorded(large);
    expect(difference(before, recorded([1]), 160).sum).to.equal(Infinity);
    const later = difference(recorded([...large, 1]), before, 160);
    expect(later).to.include({ count: 1 }).and.not.to.have.property('sum');
  });

  it(`differ by what was recorded between two states, at the later scale (seed: ${SEED})`, () => {
    const values = fc.array(exactValues, { maxLength: 60, size: 'max' });
    fc.assert(
      fc.property(values, values, fc.constantFrom(3, 10, 160), (earlier, later, maxSize) => {
        fc.pre(earlier.length > 0);
        const before = recorded(earlier, { maxSize });
        const now = recorded([...earlier, ...later], { maxSize });
        const expected = recorded([0, ...later], { maxSize, maxScale: now.scale, recordMinMax: false });
        expect(difference(now, before, maxSize)).to.deep.equal({
          ...expected,
          count: later.length,
          zeroCount: expected.zeroCount - 1,
        });
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('are to each delta reader what one writer holds that recorded what came since its own last collection', () => {
    fc.assert(
      fc.property(fc.array(fc.array(exactValues, { minLength: 1, maxLength: 6 })), (intervals) => {
        const region = Region.create(2 ** 20);
        const stream = newWriter(region).stream(exponentialHistogram('h', { maxSize: 8 }), LIMIT);
        const snapshots = new Snapshots(new StoreReader(region), new CellReader());
        const change = (): unknown =>
          scopeMetricsOf(snapshots, () => true)[0]?.metrics[0]!.dataPoints[0]!.value;
        for (const values of intervals) {
          for (const value of values) recordTo(stream, value, undefined);
          expect(change()).to.deep.equal(recorded(values, { maxSize: 8 }));
          expect(change()).to.equal(undefined);
        }
        const all = intervals.flat();
        if (all.length > 0) expect(valueOf(region)).to.deep.equal(recorded(all, { maxSize: 8 }));
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('have the scale of the totals where two readers of a thread take deltas in turn', () => {
    const region = Region.create(2 ** 20);
    const stream = newWriter(region).stream(exponentialHistogram('h'), LIMIT);
    const store = readerOf(region);
    const readers = [0, 1].map(() => new Snapshots(store, new CellReader()));
    const told = (reader: number): unknown =>
      scopeMetricsOf(readers[reader]!, () => true)[0]?.metrics[0]!.dataPoints[0]!.value;
    for (const value of [1, 1.5]) recordTo(stream, value, undefined);
    expect(told(0)).to.deep.equal(recorded([1, 1.5]));
    expect(told(0)).to.equal(undefined);
    for (const value of [0, 1e9]) recordTo(stream, value, undefined);
    const { scale } = valueOf(region)!;
    expect(told(0)).to.deep.equal(recorded([0, 1e9]));
    expect(told(1)).to.deep.equal(recorded([1, 1.5, 0, 1e9]));
    recordTo(stream, 2, undefined);
    expect(told(0)).to.deep.equal(recorded([2]));
    expect(told(1)).to.deep.equal(recorded([2], { maxScale: scale }));
    recordTo(stream, 3, undefined);
    expect(told(0)).to.deep.equal(recorded([3]));
    recordTo(stream, 5, undefined);
    expect(told(1), 'of both').to.deep.equal(recorded([3, 5], { maxScale: scale }));
  });

  it('have no extremes of later intervals where none are to be recorded', () => {
    const region = Region.create(2 ** 20);
    const options: Options = { recordMinMax: false };
    const stream = newWriter(region).stream(exponentialHistogram('h', options), LIMIT);
    const snapshots = new Snapshots(readerOf(region), new CellReader());
    for (const value of [1, 2]) {
      recordTo(stream, value, undefined);
      expect(scopeMetricsOf(snapshots, () => true)[0]!.metrics[0]!.dataPoints[0]!.value).to.not.have.any.keys(
        'min',
        'max',
      );
    }
  });
});
