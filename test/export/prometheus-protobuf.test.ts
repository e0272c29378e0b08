import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Warnings } from '../../src/base/warnings.ts';
import { MetricColumn, type MetricColumns } from '../../src/collect/rows/column.ts';
import { numberLayout } from '../../src/collect/rows/number.ts';
import { columnsOf } from '../../src/export/foreign-metrics.ts';
import { prometheusProtobuf } from '../../src/export/prometheus-protobuf.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { randomMetrics, randomOf } from './random-metrics.ts';
import { parseStrictly } from './strict-parser.ts';

/** What of io.prometheus.client is used, by its published field numbers. */
const { root } = protobuf.parse(`
  syntax = "proto2";
  message LabelPair { optional string name = 1; optional string value = 2; }
  message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; }
  message Gauge { optional double value = 1; optional Exemplar exemplar = 2; }
  message Exemplar { repeated LabelPair label = 1; optional double value = 2; optional Timestamp timestamp = 3; }
  message Counter { optional double value = 1; optional Exemplar exemplar = 2; optional Timestamp created_timestamp = 3; }
  message Untyped { optional double value = 1; }
  message Bucket { optional uint64 cumulative_count = 1; optional double upper_bound = 2; optional Exemplar exemplar = 3; }
  message Histogram { optional uint64 sample_count = 1; optional double sample_sum = 2; repeated Bucket bucket = 3; optional Timestamp created_timestamp = 15; }
  message Metric { repeated LabelPair label = 1; optional Gauge gauge = 2; optional Counter counter = 3; optional Untyped untyped = 5; optional Histogram histogram = 7; }
  message MetricFamily { optional string name = 1; optional string help = 2; optional int32 type = 3; repeated Metric metric = 4; optional string unit = 5; }
`);

interface Exemplar {
  readonly label?: { readonly name: string; readonly value: string }[];
  readonly value: number;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
}

interface Family {
  readonly name: string;
  readonly help?: string;
  readonly type: number;
  readonly unit?: string;
  readonly metric: {
    readonly label?: { readonly name: string; readonly value: string }[];
    readonly gauge?: { readonly value: number; readonly exemplar?: Exemplar };
    readonly counter?: {
      readonly value: number;
      readonly exemplar?: Exemplar;
      readonly createdTimestamp?: object;
    };
    readonly histogram?: {
      readonly sampleCount: number;
      readonly sampleSum?: number;
      readonly bucket: {
        readonly cumulativeCount: number;
        readonly upperBound: number;
        readonly exemplar?: Exemplar;
      }[];
    };
  }[];
}

function decoded(bytes: Buffer): Family[] {
  const type = root.lookupType('MetricFamily');
  const reader = protobuf.Reader.create(bytes);
  const families: Family[] = [];
  while (reader.pos < reader.len)
    families.push(type.toObject(type.decodeDelimited(reader), { longs: Number }) as Family);
  return families;
}

function familiesOf(source: MetricColumns, options = {}): Family[] {
  return pausing(source, () => {}, options);
}

/** `inPause` is called in each pause. */
function pausing(source: MetricColumns, inPause: () => void, options = {}): Family[] {
  const pieces: Buffer[] = [];
  for (const piece of prometheusProtobuf(source, 'underscores', options, new Warnings()))
    if (piece === undefined) inPause();
    else pieces.push(piece);
  return decoded(Buffer.concat(pieces));
}

/** A family's samples as the text has them. */
function samplesOf({ name, metric }: Family): string[] {
  return metric.flatMap(({ label = [], gauge, counter, histogram }) => {
    const labels = label.map(({ name: label_, value }) => [label_, value]).sort();
    const sample = (suffix: string, value: number, le?: number): string =>
      JSON.stringify([name + suffix, labels, le === undefined ? '' : String(le), String(value)]);
    if (histogram === undefined) return [sample('', (gauge ?? counter)!.value)];
    return [
      ...histogram.bucket.map(({ upperBound, cumulativeCount }) =>
        sample('_bucket', cumulativeCount, upperBound),
      ),
      sample('_sum', histogram.sampleSum!),
      sample('_count', histogram.sampleCount),
    ];
  });
}

/** Samples of sums that the text leaves out: a message must have a number there. */
function sumsThatAreNone(family: Family): string[] {
  return samplesOf(family).filter((sample) => sample.includes('_sum"') && sample.endsWith('"NaN"]'));
}

describe('prometheusProtobuf', () => {
  it('makes a pause after 32 series', () => {
    const column = new MetricColumn(
      { scope: { name: '' }, name: 'm', unit: '', ...numberLayout('gauge') },
      '',
    );
    const series = Array.from({ length: 200 }, (_, i) => ({ i }));
    for (const attributes of series) {
      const at = column.open();
      column.values[at] = attributes.i;
      column.close(attributes, 0);
    }
    let pauses = 0;
    const [family] = pausing({ resource: { attributes: {} }, columns: [column] }, () => pauses++);
    expect(pauses).to.equal(Math.floor(200 / 32));
    expect(family!.metric.map(({ gauge }) => gauge!.value)).to.deep.equal(series.map(({ i }) => i));
  });

  it('says the same as the text', () => {
    const random = randomOf(5);
    for (let i = 0; i < 500; i++) {
      const source = columnsOf(randomMetrics(random), () => {});
      const text = new PrometheusText({ openMetrics: false, escaping: 'underscores' });
      text.update(source);
      const expected = [...parseStrictly(text.toString()).values()].flatMap(({ samples, type }) =>
        samples.map(({ name, labels, value }) => {
          const { le, ...others } = labels;
          const isBound = type === 'histogram' && le !== undefined;
          const bound = isBound ? String(le === '+Inf' ? Infinity : Number(le)) : '';
          return JSON.stringify([
            name,
            Object.entries(isBound ? others : labels).sort(),
            bound,
            String(value),
          ]);
        }),
      );
      const families = familiesOf(source);
      const withoutSum = families.flatMap(sumsThatAreNone);
      expect(families.flatMap(samplesOf).filter((sample) => !withoutSum.includes(sample))).to.deep.equal(
        expected.filter((sample) => !withoutSum.includes(sample)),
      );
    }
  });

  it('has the exemplars of the OpenMetrics text', () => {
    const random = randomOf(6);
    let shown = 0;
    for (let i = 0; i < 200; i++) {
      const source = columnsOf(randomMetrics(random), () => {});
      const text = new PrometheusText({ openMetrics: true, escaping: 'underscores' });
      text.update(source);
      const expected = [...parseStrictly(text.toString(), 'openmetrics').values()].flatMap(({ samples }) =>
        samples.flatMap(({ exemplar }) => (exemplar === undefined ? [] : [exemplar])),
      );
      const found = familiesOf(source)
        .flatMap(({ metric }) => metric)
        .flatMap(({ counter, histogram }) => [counter, ...(histogram?.bucket ?? [])])
        .flatMap((holder) => holder?.exemplar ?? [])
        .map(({ label = [], value, timestamp }) => ({
          labels: Object.fromEntries(label.map(({ name, value: text_ }) => [name, text_])),
          value,
          time: timestamp.seconds + timestamp.nanos / 1e9,
        }));
      shown += expected.length;
      // OpenMetrics leaves out more metrics for their names.
      expect(found).to.include.deep.members(expected.map((one) => ({ ...one, labels: { ...one.labels } })));
    }
    expect(shown).to.be.greaterThan(100);
  });

  it('has the unit that the name ends with, before _total', () => {
    const metric = (name: string, unit: string, isMonotonic: boolean) => ({
      descriptor: { name, description: '', unit },
      aggregationTemporality: 1,
      dataPointType: 3,
      isMonotonic,
      dataPoints: [{ startTime: [1, 0], endTime: [1, 0], attributes: {}, value: 1 }],
    });
    const metrics = [metric('a', 'By', true), metric('b', 's', false), metric('c', '{x}', true)];
    const source = columnsOf(
      { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
      () => {},
    );
    const unitsOf = (options: object): unknown[] =>
      familiesOf(source, options).map(({ name, unit }) => [name, unit]);
    expect(unitsOf({})).to.deep.equal([
      ['a_bytes_total', 'bytes'],
      ['b_seconds', 'seconds'],
      ['c_total', undefined],
    ]);
    expect(unitsOf({ translationStrategy: 'NoTranslation' })).to.deep.equal([
      ['a', undefined],
      ['b', undefined],
      ['c', undefined],
    ]);
  });

  it('has no exemplars of gauges, nor of sums that may fall', () => {
    const exemplar = { filteredAttributes: {}, value: 1, timestamp: [1, 0], traceId: 'a', spanId: 'b' };
    const point = { startTime: [1, 0], endTime: [1, 0], attributes: {}, value: 1, exemplars: [exemplar] };
    const metrics = [2, 3].map((dataPointType) => ({
      descriptor: { name: `m${dataPointType}`, description: '', unit: '' },
      aggregationTemporality: 1,
      dataPointType,
      isMonotonic: false,
      dataPoints: [point],
    }));
    const source = columnsOf(
      { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
      () => {},
    );
    expect(familiesOf(source).map(({ metric }) => metric[0]!.gauge)).to.deep.equal([
      { value: 1 },
      { value: 1 },
    ]);
  });

  it('has no sum of 0 where there is none', () => {
    const value = { count: 1, buckets: { boundaries: [0], counts: [1, 0] } };
    const dataPoints = [{ startTime: [1, 0], endTime: [1, 0], attributes: {}, value }];
    const descriptor = { name: 'h', description: '', unit: '' };
    const metrics = [{ descriptor, aggregationTemporality: 1, dataPointType: 0, dataPoints }];
    const source = columnsOf(
      { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
      () => {},
    );
    expect(familiesOf(source)[0]!.metric[0]!.histogram!.sampleSum).to.deep.equal(NaN);
  });

  it('has type, help and start', () => {
    const start: [number, number] = [12, 34];
    const point = { startTime: start, endTime: start, attributes: {}, value: 1 };
    const descriptor = { name: 'c', description: 'help', unit: '' };
    const metrics = [
      { descriptor, aggregationTemporality: 1, dataPointType: 3, isMonotonic: true, dataPoints: [point] },
    ];
    const source = columnsOf(
      { resource: { attributes: {} }, scopeMetrics: [{ scope: { name: '' }, metrics }] } as never,
      () => {},
    );
    expect(familiesOf(source)).to.deep.equal([
      {
        name: 'c_total',
        help: 'help',
        type: 0,
        metric: [{ counter: { value: 1, createdTimestamp: { seconds: 12, nanos: 34 } } }],
      },
    ]);
    expect(familiesOf(source, { created: false })[0]!.metric[0]!.counter).to.deep.equal({ value: 1 });
  });
});
