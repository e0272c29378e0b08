/** Series that have the same labels in a format: nothing that was counted is missing from it. */
import type { Attributes } from '@opentelemetry/api';
import { AggregationType } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import protobuf from 'protobufjs';
import { Warnings } from '../../src/base/warnings.ts';
import { sourceOf } from '../../src/export/metric-producer.ts';
import { prometheusProtobuf } from '../../src/export/prometheus-protobuf.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { SeqlockMetricReader } from '../../src/facade/metric-reader.ts';
import { opened, shutDownOpened } from '../support/opened.ts';
import { collectWarnings } from '../support/warnings.ts';

const BARE = { scopeInfoEnabled: false, targetInfoEnabled: false, created: false };
const OPEN = { openMetrics: true, escaping: 'underscores' } as const;
/** Three attribute sets with the same labels, as Prometheus has it. */
const ALIKE: readonly Attributes[] = [{}, { user: undefined }, { user: '' }];

function setUp(views: NonNullable<Parameters<typeof opened>[0]>['views'] = []) {
  const reader = new SeqlockMetricReader();
  const provider = opened({ readers: [reader], views });
  const openMetrics = (options: object = BARE): string => {
    const made = new PrometheusText(OPEN, options);
    made.update(sourceOf(reader.producer)!.columns());
    return made.toString();
  };
  return { reader, provider, meter: provider.getMeter('s'), openMetrics };
}

/** Of each metric in the protobuf text: labels, value or count, sum, native buckets. */
function protobufOf(reader: SeqlockMetricReader): unknown[] {
  const { root } = protobuf.parse(`
    syntax = "proto2";
    message LabelPair { optional string name = 1; optional string value = 2; }
    message Value { optional double value = 1; }
    message Histogram { optional uint64 sample_count = 1; optional double sample_sum = 2; repeated sint64 positive_delta = 13; }
    message Metric { repeated LabelPair label = 1; optional Value gauge = 2; optional Value counter = 3; optional Histogram histogram = 7; }
    message MetricFamily { optional string name = 1; repeated Metric metric = 4; }`);
  const type = root.lookupType('MetricFamily');
  const pieces = [
    ...prometheusProtobuf(sourceOf(reader.producer)!.columns(), 'underscores', BARE, new Warnings()),
  ].filter((piece) => piece !== undefined);
  const bytes = protobuf.Reader.create(Buffer.concat(pieces));
  const families: { metric: unknown[] }[] = [];
  while (bytes.pos < bytes.len)
    families.push(type.toObject(type.decodeDelimited(bytes), { longs: Number }) as { metric: unknown[] });
  return families.flatMap(({ metric }) => metric);
}

describe('series with the same labels', () => {
  afterEach(shutDownOpened);

  it('show the sum of counters, in every format and snapshot', () => {
    const { reader, meter, openMetrics } = setUp();
    const counter = meter.createCounter('c');
    ALIKE.forEach((attributes, i) => counter.add(10 ** i, attributes));
    counter.add(5, { user: null } as never);
    expect(reader.exportPrometheus(BARE)).to.equal('# TYPE c_total counter\nc_total 116\n');
    expect(openMetrics()).to.equal('# TYPE c counter\nc_total 116\n# EOF\n');
    expect(protobufOf(reader)).to.deep.equal([{ counter: { value: 116 } }]);
    const points = reader.exportJson().scopes[0]!.metrics[0]!.points as readonly { value: number }[];
    expect(points.reduce((sum, { value }) => sum + value, 0)).to.equal(116);
    counter.add(1000, { user: '' });
    expect(reader.exportPrometheus(BARE)).to.include('c_total 1116\n');
    counter.add(1, { user: '', more: '' });
    expect(reader.exportPrometheus(BARE)).to.include('c_total 1117\n');
    expect(protobufOf(reader)[0]).to.deep.equal({ counter: { value: 1117 } });
  });

  it('show the sum of up-down counters, and of gauges that are merged to their sum', () => {
    const { reader, provider, meter } = setUp();
    for (const [i, attributes] of [{ 'a.b': 1 }, { a_b: 1 }, { 'a-b': '1' }].entries()) {
      meter.createUpDownCounter('u').add(10 ** i, attributes);
      provider
        .getMeter('s')
        .createGauge('g', { merge: 'sum' })
        .record(10 ** i, attributes);
    }
    expect(reader.exportPrometheus(BARE)).to.equal(
      '# TYPE u gauge\nu{a_b="1"} 111\n# TYPE g gauge\ng{a_b="1"} 111\n',
    );
    expect(protobufOf(reader)).to.have.length(2);
  });

  it('are not added up where they are gauges of another merge; that one is left out is said', () => {
    const { warnings, stop } = collectWarnings();
    try {
      for (const merge of ['min', 'max', 'most-recent'] as const) {
        const { reader, provider } = setUp();
        const gauge = provider.getMeter('s').createGauge(`g_${merge.slice(0, 3)}`, { merge });
        gauge.record(7, { 'a.b': 1 });
        gauge.record(5, { a_b: 1 });
        const before = warnings.length;
        expect(reader.exportPrometheus(BARE)).to.include(`g_${merge.slice(0, 3)}{a_b="1"} 7\n`);
        expect(protobufOf(reader)).to.have.length(1);
        expect(warnings.slice(before).join()).to.match(/left out/);
      }
    } finally {
      stop();
    }
  });

  it('show the sum of histograms', () => {
    const { reader, meter, openMetrics } = setUp();
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [1, 2] } });
    for (const value of [0.5, 1.5, 3]) histogram.record(value, {});
    for (const value of [1, 1.5]) histogram.record(value, { user: '' });
    const lines = [
      'h_bucket{le="1"} 2',
      'h_bucket{le="2"} 4',
      'h_bucket{le="+Inf"} 5',
      'h_sum 7.5',
      'h_count 5',
    ];
    expect(reader.exportPrometheus(BARE).trim().split('\n').slice(1)).to.deep.equal(lines);
    expect(openMetrics()).to.include('h_bucket{le="2.0"} 4\n').and.include('h_sum 7.5\nh_count 5\n');
    expect(protobufOf(reader)).to.deep.equal([{ histogram: { sampleCount: 5, sampleSum: 7.5 } }]);
  });

  it('show the sum of exponential histograms, with le buckets and natively', () => {
    const view = {
      instrumentName: 'e',
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
    } as const;
    const exposed = (attributesOf: (i: number) => Attributes): { text: string; native: unknown[] } => {
      const { reader, meter } = setUp([view]);
      const histogram = meter.createHistogram('e');
      for (const [i, value] of [1, 2, 3, 5, 1000].entries()) histogram.record(value, attributesOf(i));
      return { text: reader.exportPrometheus(BARE), native: protobufOf(reader) };
    };
    const split = exposed((i) => (i % 2 === 0 ? {} : { user: '' }));
    expect(split).to.deep.equal(exposed(() => ({})));
    const [{ histogram }] = split.native as [{ histogram: { sampleCount: number; positiveDelta: number[] } }];
    expect(histogram.sampleCount).to.equal(5);
    expect(histogram.positiveDelta.length).to.be.above(3);
  });

  it('show the sum over scopes that have no labels', () => {
    const { reader, provider } = setUp();
    for (const scope of ['p', 'q']) provider.getMeter(scope).createCounter('c').add(2, { k: 1 });
    expect(reader.exportPrometheus(BARE)).to.equal('# TYPE c_total counter\nc_total{k="1"} 4\n');
    expect(protobufOf(reader)).to.have.length(1);
  });

  it('begin when the first of them did, and have the exemplars of all', () => {
    const reader = new SeqlockMetricReader();
    const provider = opened({ readers: [reader], exemplarFilter: 'always_on' });
    const histogram = provider
      .getMeter('s')
      .createHistogram('h', { advice: { explicitBucketBoundaries: [1] } });
    histogram.record(0.5, {});
    histogram.record(2, { user: '' });
    const made = new PrometheusText(OPEN, { scopeInfoEnabled: false, targetInfoEnabled: false });
    const columns = sourceOf(reader.producer)!.columns();
    columns.columns[0]!.starts[0] = 2000;
    columns.columns[0]!.starts[1] = 1000;
    made.update(columns);
    expect(made.toString()).to.match(/_bucket\{le="1\.0"\} 1 # \{.*\} 0\.5 /);
    expect(made.toString()).to.match(/_bucket\{le="\+Inf"\} 2 # \{.*\} 2 /);
    expect(made.toString()).to.include('h_created 1\n');
  });

  it('keep the first where values do not add up, and say so', () => {
    const { reader, provider } = setUp();
    provider.getMeter('p').createGauge('g').record(1);
    provider.getMeter('q').createGauge('g').record(2);
    for (const [scope, bound] of [
      ['p', 1],
      ['q', 2],
    ] as const)
      provider
        .getMeter(scope)
        .createHistogram('h', { advice: { explicitBucketBoundaries: [bound] } })
        .record(1);
    const { warnings, stop } = collectWarnings();
    const text = reader.exportPrometheus(BARE);
    stop();
    expect(text).to.include('g 1\n').and.include('h_count 1\n');
    expect(warnings.filter((warning) => warning.includes('left out'))).to.have.length(2);
    expect(protobufOf(reader)).to.deep.equal([
      { gauge: { value: 1 } },
      { histogram: { sampleCount: 1, sampleSum: 1 } },
    ]);
  });
});
