/** The readers of the app: the official exporters over real HTTP, and this package's own endpoint. */
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as OtlpJsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { PeriodicExportingMetricReader, type IMetricReader } from '@opentelemetry/sdk-metrics';
import { createServer } from 'node:http';
import { createPrometheusHandler, SeqlockMetricReader, type PrometheusHandler } from '../../../src/index.ts';
import type { Output } from './protocol.ts';

export function readerFor(output: Output): IMetricReader {
  if (output.kind !== 'otlp') return endpoint(output.kind, output.port);
  const { protocol, url, temporality, intervalMillis, timeoutMillis } = output;
  const Exporter = protocol === 'http/json' ? OtlpJsonExporter : OtlpProtobufExporter;
  const exporter = new Exporter({
    url,
    temporalityPreference:
      temporality === 'delta'
        ? AggregationTemporalityPreference.DELTA
        : AggregationTemporalityPreference.CUMULATIVE,
    timeoutMillis,
  });
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMillis,
    exportTimeoutMillis: timeoutMillis,
  });
}

function endpoint(kind: 'official endpoint' | 'own endpoint', port: number): IMetricReader {
  if (kind === 'official endpoint') return new PrometheusExporter({ host: '127.0.0.1', port });
  const reader = new SeqlockMetricReader();
  let handler: PrometheusHandler | undefined; // made when the reader has its provider
  createServer((request, response) => void (handler ??= createPrometheusHandler(reader))(request, response))
    .listen(port, '127.0.0.1')
    .unref();
  return reader;
}
