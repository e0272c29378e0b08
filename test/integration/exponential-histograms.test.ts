/** Exponential histograms through the official reader and exporters, chosen as users choose them, over real HTTP. */
import { OTLPMetricExporter as OtlpJsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import {
  AggregationTemporality,
  AggregationType,
  createAllowListAttributesProcessor,
  InstrumentType,
  PeriodicExportingMetricReader,
  type AggregationOption,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { findMetric } from '../../examples/demo/otlp-read.ts';
import {
  startOtlpReceiver,
  type ExponentialHistogramDataPoint,
  type OtlpReceiver,
} from '../../examples/demo/otlp-receiver.ts';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import type { HistogramInstrument } from '../../src/sdk/instruments.ts';
import { collectWarnings } from '../support/warnings.ts';

const DELTA = 1; // AggregationTemporality of OTLP
const CUMULATIVE = 2;

const aggregationPreference = (kind: InstrumentType): AggregationOption =>
  kind === InstrumentType.HISTOGRAM || kind === InstrumentType.UP_DOWN_COUNTER
    ? { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 8 } }
    : { type: AggregationType.DEFAULT };

const EXPORTERS: readonly [string, (url: string, temporalityPreference: number) => PushMetricExporter][] = [
  ['JSON', (url, t) => new OtlpJsonExporter({ url, aggregationPreference, temporalityPreference: t })],
  [
    'protobuf',
    (url, t) => new OtlpProtobufExporter({ url, aggregationPreference, temporalityPreference: t }),
  ],
];

/** A point as both encodings have it. */
function plain({
  count,
  sum,
  min,
  max,
  scale,
  zeroCount,
  positive,
  negative,
}: ExponentialHistogramDataPoint) {
  const buckets = (of: typeof positive): unknown[] => [of?.offset ?? 0, (of?.bucketCounts ?? []).map(Number)];
  return {
    count: Number(count),
    sum,
    min,
    max,
    scale: scale ?? 0,
    zeroCount: Number(zeroCount ?? 0),
    positive: buckets(positive),
    negative: buckets(negative),
  };
}

for (const [name, exporterFor] of EXPORTERS)
  describe(`exponential histograms by OTLP ${name}`, () => {
    let receiver: OtlpReceiver;
    before(async () => (receiver = await startOtlpReceiver()));
    after(() => receiver.close());

    async function pushed(temporality: AggregationTemporality, path: string): Promise<OtlpReceiver['inbox']> {
      const exporter = exporterFor(`${receiver.url}/${path}`, temporality);
      const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
      const provider = new SeqlockMeterProvider({ readers: [reader] });
      const sizes = provider.getMeter('m').createHistogram('sizes');
      const level = provider.getMeter('m').createUpDownCounter('level');
      for (const value of [0, 1, 2, 4, 1024]) sizes.record(value);
      for (const value of [-3, 5]) level.add(value);
      await provider.forceFlush();
      sizes.record(2 ** 20);
      await provider.shutdown();
      return receiver.inbox;
    }

    it('arrive whole, cumulative', async () => {
      const { requests } = (await pushed(AggregationTemporality.CUMULATIVE, 'total'))('/total');
      const [first, second] = requests.map((request) => findMetric(request, 'sizes')!.exponentialHistogram!);
      expect(first!.aggregationTemporality).to.equal(CUMULATIVE);
      // 1, 2, 4 and 1024 lie ten octaves apart: eight buckets of two octaves hold them, (1/4, 1], (1, 4], ... (256, 1024].
      expect(plain(first!.dataPoints[0]!)).to.deep.equal({
        count: 5,
        sum: 1031,
        min: 0,
        max: 1024,
        scale: -1,
        zeroCount: 1,
        positive: [-1, [1, 2, 0, 0, 0, 1]],
        negative: [0, []],
      });
      expect(plain(second!.dataPoints[0]!)).to.deep.equal({
        count: 6,
        sum: 1031 + 2 ** 20,
        min: 0,
        max: 2 ** 20,
        scale: -2,
        zeroCount: 1,
        positive: [-1, [1, 2, 0, 1, 0, 1]],
        negative: [0, []],
      });
      const level = findMetric(requests[0]!, 'level')!.exponentialHistogram!.dataPoints[0]!;
      expect(plain(level)).to.include({ count: 2, sum: undefined, min: -3, max: 5, scale: 20 });
      expect(plain(level).negative[1]).to.deep.equal([1]);
    });

    it('arrive as what came since the push before, delta', async () => {
      const { requests } = (await pushed(AggregationTemporality.DELTA, 'delta'))('/delta');
      const [first, second] = requests.map((request) => findMetric(request, 'sizes')!.exponentialHistogram!);
      expect(first!.aggregationTemporality).to.equal(DELTA);
      expect(plain(first!.dataPoints[0]!)).to.include({ count: 5, sum: 1031, scale: -1, zeroCount: 1 });
      expect(plain(second!.dataPoints[0]!)).to.deep.include({
        count: 1,
        sum: 2 ** 20,
        scale: 20, // the highest, whatever came before
        zeroCount: 0,
        positive: [20 * 2 ** 20 - 1, [1]],
      });
    });
  });

describe('exponential histograms by a view', () => {
  const aggregation = {
    type: AggregationType.EXPONENTIAL_HISTOGRAM as const,
    options: { maxSize: 4, maxScale: 1, recordMinMax: false },
  };

  it('have the options of the view, maxScale too, and what its attribute processor leaves', async () => {
    const reader = new SeqlockMetricReader();
    const provider = new SeqlockMeterProvider({
      readers: [reader],
      views: [
        {
          instrumentName: 'sizes',
          name: 'spread',
          aggregation,
          attributesProcessors: [createAllowListAttributesProcessor(['kept'])],
        },
      ],
    });
    const sizes = provider.getMeter('m').createHistogram('sizes') as HistogramInstrument;
    sizes.record(2, { kept: 1, dropped: 1 });
    sizes.record(2, { kept: 1, dropped: 2 });
    sizes.bind({ kept: 1 }).record(0);
    const [metric, ...others] = reader.snapshot().scopeMetrics[0]!.metrics;
    expect(others).to.deep.equal([]);
    expect(metric!.descriptor.name).to.equal('spread');
    expect(metric!.dataPoints.map(({ attributes, value }) => [attributes, value])).to.deep.equal([
      [
        { kept: 1 },
        {
          sum: 4,
          count: 3,
          scale: 1,
          zeroCount: 1,
          positive: { offset: 1, bucketCounts: [2] },
          negative: { offset: 0, bucketCounts: [] },
        },
      ],
    ]);
    await provider.shutdown();
  });

  it('are refused where callbacks observe: one warning, and the default', () => {
    const { warnings, stop } = collectWarnings();
    const provider = new SeqlockMeterProvider({ views: [{ instrumentName: '*', aggregation }] });
    provider.getMeter('m').createObservableGauge('level');
    stop();
    expect(warnings.filter((warning) => warning.includes('level'))).to.have.length(1);
    return provider.shutdown();
  });
});
