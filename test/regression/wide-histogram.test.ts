/** A histogram with so many boundaries that its buckets cannot be the arguments of one call. */
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { AggregationTemporality, type DataPoint, type Histogram } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { prometheusProtobuf } from '../../src/export/prometheus-protobuf.ts';
import { PrometheusText } from '../../src/export/prometheus-text.ts';
import { sourceOf } from '../../src/export/metric-producer.ts';
import { Warnings } from '../../src/base/warnings.ts';
import { SeqlockMetricReader } from '../../src/facade/metric-reader.ts';
import { opened, shutDownOpened } from '../support/opened.ts';

const BOUNDS = 120_000;

describe('a histogram with 120,000 boundaries', () => {
  afterEach(shutDownOpened);

  it('is in every format and in deltas', async () => {
    const reader = new SeqlockMetricReader();
    const delta = new SeqlockMetricReader({
      aggregationTemporalitySelector: () => AggregationTemporality.DELTA,
    });
    const meter = opened({ readers: [reader, delta] }).getMeter('m');
    const histogram = meter.createHistogram('h', {
      advice: { explicitBucketBoundaries: Array.from({ length: BOUNDS }, (_, i) => i) },
    });
    for (const value of [0, 70_000.5, BOUNDS + 1]) histogram.record(value);

    expect(reader.exportPrometheus()).to.match(/^h_bucket\{.*le="70001"\} 2$/m);
    const columns = sourceOf(reader.producer)!.columns();
    const open = new PrometheusText({ openMetrics: true, escaping: 'underscores' });
    open.update(columns);
    expect(open.toString()).to.match(/^h_bucket\{.*le="\+Inf"\} 3$/m);
    const pieces = [...prometheusProtobuf(columns, 'underscores', {}, new Warnings())];
    expect(pieces.reduce((sum, piece) => sum + (piece?.length ?? 0), 0)).to.be.above(BOUNDS);
    const [json] = reader.exportJson().scopes[0]!.metrics;
    expect(json!.points).to.have.length(1);

    for (const times of [3, 1]) {
      const { resourceMetrics, errors } = await delta.collect();
      expect(errors).to.deep.equal([]);
      const [{ value }] = resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints as unknown as [
        DataPoint<Histogram>,
      ];
      expect(value.count).to.equal(times);
      expect(value.buckets.counts).to.have.length(BOUNDS + 1);
      for (const { serializeRequest } of [JsonMetricsSerializer, ProtobufMetricsSerializer])
        expect(serializeRequest(resourceMetrics)!.length).to.be.above(BOUNDS);
      histogram.record(5);
    }
  });
});
