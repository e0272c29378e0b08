/**
 * Both official ways out at once: a Prometheus endpoint that is scraped, and OTLP that is pushed.
 *
 *   node build/examples/export.js http://localhost:4318/v1/metrics
 *
 * The endpoint is http://localhost:9464/metrics; OTEL_EXPORTER_PROMETHEUS_PORT changes the port.
 */
import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { setTimeout as wait } from 'node:timers/promises';
import { SeqlockMeterProvider } from 'seqlock-metrics';

const exporter = new OTLPMetricExporter({ url: process.argv[2] ?? 'http://localhost:4318/v1/metrics' });
const provider = new SeqlockMeterProvider({
  resource: resourceFromAttributes({ 'service.name': 'export-example' }),
  readers: [
    new PrometheusExporter({ host: 'localhost' }),
    new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 500, exportTimeoutMillis: 500 }),
  ],
});
metrics.setGlobalMeterProvider(provider);

const ticks = metrics.getMeter('export-example').createCounter('ticks');
for (let i = 0; i < 10; i++) {
  ticks.add(1);
  await wait(100);
}
await provider.shutdown(); // pushes once more
