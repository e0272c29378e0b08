/** The official exporters, unchanged, over real HTTP. */
import type { Attributes, Meter } from '@opentelemetry/api';
import { OTLPMetricExporter as OtlpJsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { PeriodicExportingMetricReader, type IMetricReader } from '@opentelemetry/sdk-metrics';
import { expect } from 'chai';
import { freePort } from '../../examples/demo/free-port.ts';
import { attributesOf, findMetric } from '../../examples/demo/otlp-read.ts';
import { startOtlpReceiver, type OtlpReceiver, type OtlpRequest } from '../../examples/demo/otlp-receiver.ts';
import { SeqlockMeterProvider } from '../../src/index.ts';

const RESOURCE = resourceFromAttributes({ 'service.name': 'integration', 'service.version': '1.2.3' });
const ATTRIBUTES: Attributes = {
  route: '/a',
  code: 200,
  ok: true,
  share: 0.5,
  tags: ['x', 'y'],
  sizes: [1, 2],
};
const CUMULATIVE = 2; // AggregationTemporality of OTLP

const REQUESTS = { unit: '{request}', description: 'Requests "answered"' };

function meterOf(provider: SeqlockMeterProvider): Meter {
  return provider.getMeter('scope', '4.5.6', { schemaUrl: 'https://example.org/schema' });
}

/** The same measurements for every exporter. */
function record(provider: SeqlockMeterProvider): void {
  const meter = meterOf(provider);
  const counter = meter.createCounter('requests', REQUESTS);
  counter.add(2, ATTRIBUTES);
  counter.add(0.5, ATTRIBUTES);
  counter.add(7);
  const upDown = meter.createUpDownCounter('connections');
  upDown.add(5);
  upDown.add(-8);
  const gauge = meter.createGauge('temperature', { unit: 'Cel' });
  gauge.record(20, { room: 'north' });
  gauge.record(-3.25, { room: 'north' });
  const histogram = meter.createHistogram('latency', {
    unit: 'ms',
    advice: { explicitBucketBoundaries: [1, 10, 100] },
  });
  for (const value of [0.5, 1, 7, 10.5, 99, 1000]) histogram.record(value, { route: '/a' });
}

describe('PrometheusExporter', () => {
  let provider: SeqlockMeterProvider;
  let url: string;

  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/metrics`;
    await new Promise<void>((resolve, reject) => {
      const started = (error: Error | void): void => (error ? reject(error) : resolve());
      provider = new SeqlockMeterProvider({
        resource: RESOURCE,
        readers: [new PrometheusExporter({ host: '127.0.0.1', port }, started)],
      });
    });
    record(provider);
  });
  after(() => provider.shutdown());

  const SCOPE =
    'otel_scope_name="scope",otel_scope_schema_url="https://example.org/schema",otel_scope_version="4.5.6"';
  const scrape = async (): Promise<string[]> => (await (await fetch(url)).text()).split('\n');

  it('gives every value', async () => {
    const lines = await scrape();
    const tagged = 'code="200",ok="true",route="/a",share="0.5",sizes="[1,2]",tags="[\\"x\\",\\"y\\"]"';
    expect(lines).to.include.members([
      `requests_total{${tagged},${SCOPE}} 2.5`,
      `requests_total{${SCOPE}} 7`,
      `connections{${SCOPE}} -3`,
      `temperature{room="north",${SCOPE}} -3.25`,
      `latency_count{route="/a",${SCOPE}} 6`,
      `latency_sum{route="/a",${SCOPE}} 1118`,
      `latency_bucket{route="/a",${SCOPE},le="1"} 2`,
      `latency_bucket{route="/a",${SCOPE},le="10"} 3`,
      `latency_bucket{route="/a",${SCOPE},le="100"} 5`,
      `latency_bucket{route="/a",${SCOPE},le="+Inf"} 6`,
    ]);
  });

  it('gives types, help, units and the resource', async () => {
    expect(await scrape()).to.include.members([
      '# TYPE requests_total counter',
      '# HELP requests_total Requests "answered"',
      '# UNIT temperature Cel',
      '# TYPE connections gauge',
      '# TYPE temperature gauge',
      '# TYPE latency histogram',
      'target_info{service_name="integration",service_version="1.2.3"} 1',
    ]);
  });

  it('goes on from the last value with the next scrape', async () => {
    provider.getMeter('other').createCounter('later').add(1);
    expect(await scrape()).to.include('later_total{otel_scope_name="other"} 1');
    provider.getMeter('other').createCounter('later').add(1);
    expect(await scrape()).to.include('later_total{otel_scope_name="other"} 2');
  });
});

const PUSHES: readonly [string, string, (url: string) => IMetricReader][] = [
  ['http/json', 'application/json', (url) => periodic(new OtlpJsonExporter({ url }))],
  ['http/protobuf', 'application/x-protobuf', (url) => periodic(new OtlpProtobufExporter({ url }))],
];

/** Exports when it is told to; the interval is longer than the test. */
function periodic(
  exporter: ConstructorParameters<typeof PeriodicExportingMetricReader>[0]['exporter'],
): IMetricReader {
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
}

for (const [name, contentType, readerFor] of PUSHES) {
  describe(`OTLPMetricExporter, ${name}`, () => {
    let receiver: OtlpReceiver;
    let provider: SeqlockMeterProvider;
    let request: OtlpRequest;
    let madeBefore: number;
    let recordedAt: number;

    before(async () => {
      receiver = await startOtlpReceiver();
      provider = new SeqlockMeterProvider({
        resource: RESOURCE,
        readers: [readerFor(`${receiver.url}/v1/metrics`)],
      });
      madeBefore = Date.now();
      record(provider);
      recordedAt = Date.now();
      await provider.forceFlush();
      request = receiver.inbox('/v1/metrics').requests[0]!;
    });
    after(async () => {
      await provider.shutdown();
      await receiver.close();
    });

    it('pushes the resource and the scope', () => {
      expect(receiver.inbox('/v1/metrics').contentTypes[0]).to.equal(contentType);
      const [resourceMetrics, ...others] = request.resourceMetrics;
      expect(others).to.deep.equal([]);
      const expected = { 'service.name': 'integration', 'service.version': '1.2.3' };
      expect(attributesOf(resourceMetrics!.resource!.attributes)).to.deep.equal(expected);
      const [scopeMetrics] = resourceMetrics!.scopeMetrics;
      expect(scopeMetrics!.scope).to.include({ name: 'scope', version: '4.5.6' });
      expect(scopeMetrics!.metrics.map((metric) => metric.name)).to.deep.equal([
        'requests',
        'connections',
        'temperature',
        'latency',
      ]);
    });

    it('pushes sums, with attributes of every type', () => {
      const { sum, unit, description } = findMetric(request, 'requests')!;
      expect({ unit, description }).to.deep.equal({ unit: '{request}', description: 'Requests "answered"' });
      expect(sum).to.include({ aggregationTemporality: CUMULATIVE, isMonotonic: true });
      const points = sum!.dataPoints.map((point) => [attributesOf(point.attributes), point.asDouble]);
      expect(points).to.have.deep.members([
        [ATTRIBUTES, 2.5],
        [{}, 7],
      ]);
      const upDown = findMetric(request, 'connections')!.sum!;
      expect(upDown.aggregationTemporality).to.equal(CUMULATIVE);
      expect(upDown.isMonotonic ?? false).to.equal(false); // proto3 leaves false out
      expect(upDown.dataPoints[0]!.asDouble).to.equal(-3);
    });

    it('pushes gauges', () => {
      const [point] = findMetric(request, 'temperature')!.gauge!.dataPoints;
      expect(point!.asDouble).to.equal(-3.25);
      expect(attributesOf(point!.attributes)).to.deep.equal({ room: 'north' });
    });

    it('pushes histograms with count, sum, min, max and buckets', () => {
      const { dataPoints, aggregationTemporality } = findMetric(request, 'latency')!.histogram!;
      expect(aggregationTemporality).to.equal(CUMULATIVE);
      const [{ count, sum, min, max, bucketCounts, explicitBounds }] = dataPoints as [
        (typeof dataPoints)[number],
      ];
      expect({ count: Number(count), sum, min, max }).to.deep.equal({
        count: 6,
        sum: 1118,
        min: 0.5,
        max: 1000,
      });
      expect(bucketCounts.map(Number)).to.deep.equal([2, 1, 2, 1]);
      expect(explicitBounds).to.deep.equal([1, 10, 100]);
    });

    it('pushes the time of the first measurement as the start, now and with every push', async () => {
      const startOf = ({ startTimeUnixNano }: { startTimeUnixNano: string | number }): number =>
        Number(BigInt(startTimeUnixNano) / 1_000_000n);
      const [first] = findMetric(request, 'latency')!.histogram!.dataPoints;
      expect(startOf(first!)).to.be.within(madeBefore, recordedAt);
      expect(Number(BigInt(first!.timeUnixNano) / 1_000_000n)).to.be.within(recordedAt, Date.now());
      meterOf(provider).createCounter('requests', REQUESTS).add(1);
      await provider.forceFlush();
      const second = receiver.inbox('/v1/metrics').requests[1]!;
      const bare = findMetric(second, 'requests')!.sum!.dataPoints.find(
        ({ attributes = [] }) => attributes.length === 0,
      )!;
      expect(bare.asDouble).to.equal(8);
      const before = findMetric(request, 'requests')!.sum!.dataPoints.find(
        ({ attributes = [] }) => attributes.length === 0,
      )!;
      expect(String(bare.startTimeUnixNano)).to.equal(String(before.startTimeUnixNano));
      expect(BigInt(bare.timeUnixNano) >= BigInt(before.timeUnixNano)).to.equal(true);
    });
  });
}
