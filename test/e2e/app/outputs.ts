/** The ways out of the app: the official exporters over real HTTP, this package's own endpoint, and its exporter thread. */
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as OtlpJsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import {
  AggregationType,
  InstrumentType,
  PeriodicExportingMetricReader,
  type AggregationOption,
  type IMetricReader,
} from '@opentelemetry/sdk-metrics';
import { createServer } from 'node:http';
import {
  createPrometheusHandler,
  SeqlockMetricReader,
  startExporterThread,
  type ExporterThread,
  type MetricStore,
  type PrometheusHandler,
} from '../../../src/index.ts';
import type { Output, Push } from './protocol.ts';

/** Those of the main thread. */
export function readersFor(outputs: readonly Output[]): IMetricReader[] {
  return outputs.flatMap((output) => {
    if (output.kind === 'otlp') return [pushing(output)];
    if (output.kind === 'own endpoint') return [ownEndpoint(output.port)];
    if (output.kind === 'official endpoint')
      return [new PrometheusExporter({ host: '127.0.0.1', port: output.port })];
    return [];
  });
}

export async function threadFor(
  outputs: readonly Output[],
  store: MetricStore,
): Promise<ExporterThread | undefined> {
  const output = outputs.find(({ kind }) => kind === 'thread');
  if (output?.kind !== 'thread') return undefined;
  return startExporterThread({
    store,
    ...(output.push !== undefined && { otlp: output.push }),
    ...(output.port !== undefined && { prometheus: { host: '127.0.0.1', port: output.port } }),
  });
}

function pushing(push: Push): IMetricReader {
  const { protocol, url, temporality, intervalMillis, timeoutMillis, exponential = false } = push;
  const Exporter = protocol === 'http/json' ? OtlpJsonExporter : OtlpProtobufExporter;
  const exporter = new Exporter({
    url,
    temporalityPreference:
      temporality === 'delta'
        ? AggregationTemporalityPreference.DELTA
        : AggregationTemporalityPreference.CUMULATIVE,
    timeoutMillis,
    ...(exponential && {
      aggregationPreference: (type: InstrumentType): AggregationOption => ({
        type:
          type === InstrumentType.HISTOGRAM ? AggregationType.EXPONENTIAL_HISTOGRAM : AggregationType.DEFAULT,
      }),
    }),
  });
  return new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: intervalMillis,
    exportTimeoutMillis: timeoutMillis,
  });
}

function ownEndpoint(port: number): IMetricReader {
  const reader = new SeqlockMetricReader();
  let handler: PrometheusHandler | undefined; // made when the reader has its provider
  createServer((request, response) => void (handler ??= createPrometheusHandler(reader))(request, response))
    .listen(port, '127.0.0.1')
    .unref();
  return reader;
}
