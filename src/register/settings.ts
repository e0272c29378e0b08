import {
  DEFAULT_PORT,
  OTLP_PROTOCOLS,
  type ExporterOptions,
  type OtlpPushOptions,
} from '../exporter/options.ts';
import type { Environment } from './environment.ts';

const EXPORTERS = ['otlp', 'prometheus', 'console', 'none'] as const;
const HISTOGRAMS = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
const TEMPORALITIES = ['cumulative', 'delta', 'lowmemory'] as const;
const OTLP = 'OTEL_EXPORTER_OTLP';
const DEFAULT_OTLP_URL = 'http://localhost:4318/v1/metrics';
const LONGEST_TIMER = 2 ** 31 - 1;

export interface Settings {
  readonly disabled: boolean;
  /** Undefined where nothing is to be exported. */
  readonly exporterThread: ExporterOptions | undefined;
  /** Of histograms that are pushed by OTLP. */
  readonly histograms: (typeof HISTOGRAMS)[number];
}

/** What the standard environment variables of OpenTelemetry ask for. */
export function settingsFrom(environment: Environment): Settings {
  const disabled = environment.flag('OTEL_SDK_DISABLED');
  const histograms = environment.oneOf(
    [`${OTLP}_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`],
    HISTOGRAMS,
    'explicit_bucket_histogram',
  );
  return { disabled, histograms, exporterThread: disabled ? undefined : exporterThreadFrom(environment) };
}

function exporterThreadFrom(environment: Environment): ExporterOptions | undefined {
  const exporters = environment.listOf('OTEL_METRICS_EXPORTER', EXPORTERS, 'otlp');
  if (exporters.includes('none')) return undefined;
  const intervalMillis = environment.wholeNumber(['OTEL_METRIC_EXPORT_INTERVAL'], 1, LONGEST_TIMER, 60_000);
  return {
    ...(exporters.includes('prometheus') && {
      prometheus: {
        host: environment.find('OTEL_EXPORTER_PROMETHEUS_HOST')?.value ?? 'localhost',
        port: environment.wholeNumber(['OTEL_EXPORTER_PROMETHEUS_PORT'], 0, 65_535, DEFAULT_PORT),
      },
    }),
    ...(exporters.includes('otlp') && { otlp: otlpFrom(environment, intervalMillis) }),
    ...(exporters.includes('console') && { console: { intervalMillis } }),
  };
}

/** Certificates are left to the official exporter, which reads their variables itself. */
function otlpFrom(environment: Environment, intervalMillis: number): OtlpPushOptions {
  const both = (suffix: string): [string, string] => [`${OTLP}_METRICS_${suffix}`, `${OTLP}_${suffix}`];
  return {
    url: urlFrom(environment),
    protocol: environment.oneOf(both('PROTOCOL'), OTLP_PROTOCOLS, 'http/protobuf'),
    headers: headersFrom(environment),
    intervalMillis,
    timeoutMillis: Math.min(
      environment.wholeNumber(both('TIMEOUT'), 1, LONGEST_TIMER, 10_000),
      environment.wholeNumber(['OTEL_METRIC_EXPORT_TIMEOUT'], 1, LONGEST_TIMER, 30_000),
    ),
    compression: environment.oneOf(both('COMPRESSION'), ['none', 'gzip'], 'none'),
    temporality: environment.oneOf([`${OTLP}_METRICS_TEMPORALITY_PREFERENCE`], TEMPORALITIES, 'cumulative'),
  };
}

/** The endpoint of metrics is a whole URL; that of all signals is what their paths are added to. */
function urlFrom(environment: Environment): string {
  const ofMetrics = environment.find(`${OTLP}_METRICS_ENDPOINT`);
  const found = ofMetrics ?? environment.find(`${OTLP}_ENDPOINT`);
  if (found === undefined) return DEFAULT_OTLP_URL;
  if (!URL.canParse(found.value) || !/^https?:$/.test(new URL(found.value).protocol)) {
    environment.wrong(found.name, found.value, 'an http or https URL', DEFAULT_OTLP_URL);
    return DEFAULT_OTLP_URL;
  }
  if (ofMetrics !== undefined) return new URL(found.value).href;
  return `${found.value.replace(/\/$/, '')}/v1/metrics`;
}

/** Those of metrics stand over those of all signals. Values are secrets: none is ever printed. */
function headersFrom(environment: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of [`${OTLP}_HEADERS`, `${OTLP}_METRICS_HEADERS`]) {
    const pairs = environment.find(name)?.value.split(',') ?? [];
    for (const pair of pairs) {
      const parsed = headerOf(pair);
      if (parsed !== undefined) headers[parsed[0]] = parsed[1];
      else if (pair.trim() !== '')
        environment.wrong(name, '(hidden)', 'a list of key=value, percent-encoded', 'all its other pairs');
    }
  }
  return headers;
}

function headerOf(pair: string): [string, string] | undefined {
  const [, key, value] = /^\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*([^;]*?)\s*(?:;.*)?$/.exec(pair) ?? [];
  if (key === undefined || value === undefined) return undefined;
  try {
    return [decodeURIComponent(key), decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}
