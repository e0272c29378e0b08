/**
 * A user of the packed package with SDK 3.x; check-sdk3.mjs copies it into the project it makes. Prints `ok ...` or `not ok ...`
 * for each thing it looks at. Argument: the module of the OTLP receiver.
 */
import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter as OtlpJsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { isMainThread, Worker } from 'node:worker_threads';
import {
  createMetricsProvider,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  startExporterThread,
} from 'seqlock-metrics';

function record() {
  const meter = metrics.getMeter('sdk3');
  meter.createCounter('requests').add(3, { tags: ['a', 'b'] });
  meter.createHistogram('latency', { advice: { explicitBucketBoundaries: [1, 10] } }).record(5);
  meter.createUpDownCounter('connections').add(-2);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function look(what, inspect) {
  try {
    await inspect();
    console.log(`ok ${what}`);
  } catch (error) {
    console.log(`not ok ${what}\n${error.stack}`);
    process.exitCode = 1;
  }
}

function pointsOf(request, name) {
  const found = request.resourceMetrics[0].scopeMetrics
    .flatMap((scope) => scope.metrics)
    .find((metric) => metric.name === name);
  return (found.sum ?? found.histogram).dataPoints;
}

/** In the shape of the SDK. */
function valueOf({ scopeMetrics }, name) {
  return scopeMetrics.flatMap((scope) => scope.metrics).find(({ descriptor }) => descriptor.name === name)
    .dataPoints[0].value;
}

async function main() {
  const { startOtlpReceiver } = await import(pathToFileURL(process.argv[2]).href);
  const receiver = await startOtlpReceiver();
  const port = await freePort();
  const reader = new SeqlockMetricReader();
  const periodic = (exporter) =>
    new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 });
  const provider = await new Promise((resolve, reject) => {
    const made = new SeqlockMeterProvider({
      resource: resourceFromAttributes({ 'service.name': 'sdk3' }),
      sdkMetricsEnabled: true,
      readers: [
        reader,
        new PrometheusExporter({ host: '127.0.0.1', port }, (error) =>
          error ? reject(error) : resolve(made),
        ),
        periodic(new OtlpJsonExporter({ url: `${receiver.url}/json` })),
        periodic(new OtlpProtobufExporter({ url: `${receiver.url}/protobuf` })),
      ],
    });
  });
  metrics.setGlobalMeterProvider(provider);
  record();
  await once(new Worker(new URL(import.meta.url)), 'exit');

  await look('a snapshot has both threads', () => {
    assert.equal(valueOf(reader.snapshot(), 'requests'), 6);
  });
  await look('a scrape has both threads', async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(text, /^requests_total\{tags="\[\\"a\\",\\"b\\"\]",otel_scope_name="sdk3"\} 6$/m);
    assert.match(text, /^latency_bucket\{otel_scope_name="sdk3",le="10"\} 2$/m);
    assert.match(text, /^connections\{otel_scope_name="sdk3"\} -4$/m);
    assert.match(text, /^target_info\{service_name="sdk3"\} 1$/m);
  });
  await provider.forceFlush();
  for (const path of ['/json', '/protobuf'])
    await look(`an OTLP push to ${path} has both threads`, () => {
      const request = receiver.inbox(path).requests[0];
      assert.equal(pointsOf(request, 'requests')[0].asDouble, 6);
      const [{ count, sum, min, max, bucketCounts }] = pointsOf(request, 'latency');
      assert.deepEqual([Number(count), sum, min, max], [2, 10, 5, 5]);
      assert.deepEqual(bucketCounts.map(Number), [0, 2, 0]);
    });
  await look('collect gives what snapshot gives', async () => {
    const { resourceMetrics, errors } = await reader.collect();
    assert.deepEqual(errors, []);
    assert.equal(valueOf(resourceMetrics, 'requests'), 6);
  });
  await look('the readers record their own metrics', () => {
    const scopes = reader
      .snapshot()
      .scopeMetrics.flatMap(({ metrics: found }) => found.map(({ descriptor }) => descriptor.name));
    assert.ok(scopes.includes('otel.sdk.metric_reader.collection.duration'), scopes.join());
  });
  await look('metrics by name are the same on shared memory and on the official SDK', async () => {
    const compared = createMetricsProvider({ mode: 'compare' });
    compared.counter('c_total', '').labels({ a: 1 }).inc(2);
    compared.gauge('g', '').set(3);
    compared.histogram('h', '', [1]).observe(0.5);
    assert.deepEqual(compared.comparison().differences, []);
    assert.match(compared.exportPrometheus(), /^c_total\{a="1"\} 2$/m);
    await compared.shutdown();
  });
  await look('an exporter thread serves and pushes', async () => {
    const exporter = await startExporterThread({
      prometheus: { host: '127.0.0.1', port: 0 },
      otlp: { url: `${receiver.url}/thread`, temporality: 'delta' },
    });
    const text = await (await fetch(`http://127.0.0.1:${exporter.address.port}/metrics`)).text();
    assert.match(text, /^connections\{otel_scope_name="sdk3"\} -4$/m);
    await exporter.stop();
    assert.equal(pointsOf(receiver.inbox('/thread').requests[0], 'requests')[0].asDouble, 6);
  });
  await look('shutdown ends everything', async () => {
    await provider.shutdown();
    await receiver.close();
  });
}

if (isMainThread) await main();
else {
  metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
  record();
}
