import { expect } from 'chai';
import * as fc from 'fast-check';
import protobuf from 'protobufjs';
import { Warnings } from '../../src/base/warnings.ts';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import type { MetricColumns } from '../../src/collect/rows/column.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import type { ResourceMetrics } from '../../src/collect/metric-data.ts';
import { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import { prometheusProtobuf } from '../../src/export/prometheus-protobuf.ts';
import { Region } from '../../src/memory/region.ts';
import { exponentialHistogram, type ExponentialHistogramAggregation } from '../support/descriptions.ts';
import { exactIndex } from '../support/exact-index.ts';
import { needsProc } from '../support/marks.ts';
import { collectWarnings } from '../support/warnings.ts';
import { newWriter } from '../support/writers.ts';
import { recordTo } from '../support/record-to.ts';

/** What of io.prometheus.client is used, by its published field numbers. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message LabelPair { optional string name = 1; optional string value = 2; }
  message Exemplar { repeated LabelPair label = 1; optional double value = 2; optional Timestamp timestamp = 3; }
  message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }
  message Bucket { optional uint64 cumulative_count = 1; optional double upper_bound = 2; }
  message BucketSpan { optional sint32 offset = 1; optional uint32 length = 2; }
  message Histogram {
    optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Bucket bucket = 3;
    optional sint32 schema = 5; optional double zero_threshold = 6; optional uint64 zero_count = 7;
    repeated BucketSpan negative_span = 9; repeated sint64 negative_delta = 10;
    repeated BucketSpan positive_span = 12; repeated sint64 positive_delta = 13;
    optional Timestamp created_timestamp = 15; repeated Exemplar exemplars = 16;
  }
  message Metric { optional Histogram histogram = 7; }
  message MetricFamily { optional string name = 1; optional int32 type = 3; repeated Metric metric = 4; }
`);

interface Native {
  readonly sampleCount: number;
  readonly sampleSum?: number;
  readonly schema?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  readonly positiveSpan?: readonly Span[];
  readonly positiveDelta?: readonly number[];
  readonly negativeSpan?: readonly Span[];
  readonly negativeDelta?: readonly number[];
  readonly bucket: readonly { readonly cumulativeCount: number; readonly upperBound: number }[];
  readonly createdTimestamp?: unknown;
  readonly exemplars?: readonly object[];
}

interface Span {
  readonly offset: number;
  readonly length: number;
}

function histogramsOf(columns: MetricColumns): Native[] {
  const pieces = [...prometheusProtobuf(columns, 'underscores', {}, new Warnings())];
  const bytes = Buffer.concat(pieces.filter((piece) => piece !== undefined));
  const type = root.lookupType('MetricFamily');
  const reader = protobuf.Reader.create(bytes);
  const found: Native[] = [];
  while (reader.pos < reader.len) {
    const family = type.toObject(type.decodeDelimited(reader), { longs: Number, defaults: false }) as {
      type: number;
      metric: { histogram: Native }[];
    };
    expect(family.type).to.equal(4);
    found.push(...family.metric.map(({ histogram }) => histogram));
  }
  return found;
}

function recorded(values: readonly number[], options: Partial<ExponentialHistogramAggregation> = {}): Native {
  const region = Region.create(2 ** 20);
  const stream = newWriter(region).stream(exponentialHistogram('h', options), 10);
  for (const value of values) recordTo(stream, value, undefined);
  const columns = new Snapshots(new StoreReader(region), new CellReader()).takeColumns();
  return histogramsOf({ resource: { attributes: {} }, columns })[0]!;
}

/** Counts by index, from spans and deltas as Prometheus reads them; buckets of 0 left out. */
function countsOf(spans: readonly Span[] = [], deltas: readonly number[] = []): Map<number, number> {
  const counts = new Map<number, number>();
  let index = 0;
  let count = 0;
  let read = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++) {
      count += deltas[read++]!;
      if (count !== 0) counts.set(index, count);
    }
  }
  expect(read, 'deltas').to.equal(deltas.length);
  return counts;
}

/** Prometheus's index of a value's bucket: that of the upper bound, base^index. */
function countedBy(values: readonly number[], schema: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of [...values].sort((a, b) => a - b)) {
    const index = exactIndex(value, schema) + 1;
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return counts;
}

const magnitudes = fc.oneof(
  fc.double({ min: 1, max: 1.01, noNaN: true }),
  fc.double({ min: 0.001, max: 1000, noNaN: true }),
  fc.integer({ min: 1, max: 64 }),
  fc.constantFrom(1e-30, 1e30),
);

describe('native histograms', () => {
  before(needsProc);

  it('hold what was recorded, at a schema of at most 8', () => {
    const signed = fc.tuple(magnitudes, fc.boolean()).map(([value, minus]) => (minus ? -value : value));
    fc.assert(
      fc.property(
        fc.array(signed, { maxLength: 50 }),
        fc.nat(3),
        fc.constantFrom(40, 160),
        (values, zeros, maxSize) => {
          fc.pre(values.length + zeros > 0);
          const native = recorded([...values, ...Array.from({ length: zeros }, () => 0)], {
            negative: true,
            hasSum: true,
            maxSize,
          });
          expect(native.sampleCount).to.equal(values.length + zeros);
          expect(native).to.include({ zeroThreshold: 1e-128, zeroCount: zeros });
          expect(native.schema).to.be.within(-4, 8);
          const schema = native.schema!;
          const below = values.filter((value) => value < 0).map((value) => -value);
          expect(countsOf(native.positiveSpan, native.positiveDelta)).to.deep.equal(
            countedBy(
              values.filter((value) => value > 0),
              schema,
            ),
          );
          expect(countsOf(native.negativeSpan, native.negativeDelta)).to.deep.equal(countedBy(below, schema));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are written as Prometheus writes them: no long runs of empty buckets, the first span from index 0', () => {
    const native = recorded([1, 1, 2, 16, 1024], { maxScale: 0 });
    expect(native.schema).to.equal(0);
    // Counts 2, 1, 0, 0, 1 up to the bounds 1, 2, 4, 8, 16; then 1 up to 1024.
    expect(native.positiveSpan).to.deep.equal([
      { offset: 0, length: 5 },
      { offset: 5, length: 1 },
    ]);
    expect(native.positiveDelta).to.deep.equal([2, -1, -1, 0, 1, 0]);
  });

  it('have a start, a sum, and classic buckets beside them for those who read no native ones', () => {
    const native = recorded([1, 3, 100]);
    expect(native).to.include({ sampleCount: 3, sampleSum: 104 });
    expect(native.createdTimestamp).to.not.equal(undefined);
    expect(
      native.bucket.map(({ upperBound, cumulativeCount }) => [upperBound, cumulativeCount]),
    ).to.deep.equal([
      [0.5, 0],
      [1, 1],
      [2, 1],
      [4, 2],
      [8, 2],
      [16, 2],
      [32, 2],
      [64, 2],
      [128, 3],
      [Infinity, 3],
    ]);
  });

  it('count what is not above the zero threshold as zeros', () => {
    const native = recorded([0, 1e-200, 1e-129, 1], { maxSize: 4096 });
    expect(native.zeroCount).to.equal(3);
    expect(countsOf(native.positiveSpan, native.positiveDelta)).to.deep.equal(countedBy([1], native.schema!));
  });

  it('have no native form below schema -4: classic buckets alone, and one warning', () => {
    const { warnings, stop } = collectWarnings();
    const native = recorded([1e-300, 1e300], { maxSize: 2 });
    stop();
    expect(native.schema).to.equal(undefined);
    expect(native.positiveSpan ?? []).to.deep.equal([]);
    expect(native.sampleCount).to.equal(2);
    expect(native.bucket.at(-1)).to.deep.equal({ cumulativeCount: 2, upperBound: Infinity });
    expect(warnings.filter((warning) => warning.includes('h'))).to.have.length(1);
  });

  it('have no native form without a sum, which nobody reads as 0, and one warning', () => {
    const { warnings, stop } = collectWarnings();
    const native = recorded([-1, 3], { negative: true, hasSum: false });
    stop();
    expect(native).not.to.have.any.keys('schema', 'positiveSpan', 'negativeSpan');
    expect(native.sampleSum).to.deep.equal(NaN);
    expect(native.bucket.at(-1)).to.deep.equal({ cumulativeCount: 2, upperBound: Infinity });
    expect(warnings.filter((warning) => warning.includes('has no sum'))).to.have.length(1);
  });

  it('have all their exemplars, in the order of their times', () => {
    const exemplarAt = (seconds: number, nanos: number, value: number): object => ({
      timestamp: [seconds, nanos],
      value,
      filteredAttributes: { 'user.id': `u${value}` },
      traceId: '0123456789abcdef0123456789abcdef',
      spanId: '0123456789abcdef',
    });
    const shown = (seconds: number, nanos: number, value: number): object => ({
      label: [
        { name: 'trace_id', value: '0123456789abcdef0123456789abcdef' },
        { name: 'span_id', value: '0123456789abcdef' },
        { name: 'user_id', value: `u${value}` },
      ],
      value,
      timestamp: { seconds, nanos },
    });
    const ofScale = (scale: number): object => ({
      attributes: {},
      startTime: [1, 0],
      endTime: [2, 0],
      value: {
        count: 3,
        sum: 15,
        scale,
        zeroCount: 0,
        positive: { offset: 0, bucketCounts: [3] },
        negative: { offset: 0, bucketCounts: [] },
      },
      exemplars: [exemplarAt(9, 5, 4), exemplarAt(8, 7, 5), exemplarAt(9, 3, 6)],
    });
    const metric = {
      descriptor: { name: 'h', description: '', unit: '' },
      aggregationTemporality: 1,
      dataPointType: 1,
      dataPoints: [ofScale(0), ofScale(-5)].map((point, i) => ({ ...point, attributes: { i } })),
    };
    const metrics = {
      resource: { attributes: {} },
      scopeMetrics: [{ scope: { name: '' }, metrics: [metric] }],
    };
    const { stop } = collectWarnings(); // of the second, which has no native form
    const [native, classic] = histogramsOf(columnsOf(metrics as unknown as ResourceMetrics, () => {}));
    stop();
    expect(native!.exemplars).to.deep.equal([shown(8, 7, 5), shown(9, 3, 6), shown(9, 5, 4)]);
    expect(classic!.exemplars).to.equal(undefined);
  });

  it('come of other producers too, whatever their buckets look like', () => {
    const point = (value: object): object => ({ attributes: {}, startTime: [1, 0], endTime: [2, 0], value });
    const metric = {
      descriptor: { name: 'h', description: '', unit: '' },
      aggregationTemporality: 1,
      dataPointType: 1,
      dataPoints: [
        point({
          count: 6,
          sum: 9,
          scale: 1,
          zeroCount: 1,
          positive: { offset: -3, bucketCounts: [0, 2, 0, 3, 0] },
          negative: { offset: 0, bucketCounts: [] },
        }),
      ],
    };
    const metrics = {
      resource: { attributes: {} },
      scopeMetrics: [{ scope: { name: '' }, metrics: [metric] }],
    };
    const leftOut: string[] = [];
    const columns = columnsOf(metrics as unknown as ResourceMetrics, (name) => leftOut.push(name));
    const [native] = histogramsOf(columns);
    expect(leftOut).to.deep.equal([]);
    expect(native).to.deep.include({ sampleCount: 6, sampleSum: 9, schema: 1, zeroCount: 1 });
    expect([...countsOf(native!.positiveSpan, native!.positiveDelta)]).to.deep.equal([
      [-1, 2],
      [1, 3],
    ]);
    expect(
      native!.bucket.map(({ upperBound, cumulativeCount }) => [upperBound, cumulativeCount]),
    ).to.deep.equal([
      [0, 1],
      [0.5, 1],
      [1, 3],
      [2, 6],
      [Infinity, 6],
    ]);
  });
});
