import { OptionError } from '../base/errors.ts';
import {
  flag,
  mapOf,
  milliseconds,
  oneOf,
  rule,
  table,
  text,
  wholeNumber,
  type Check,
} from '../base/options.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { ANSWER_CHECKS } from '../export/prometheus-handler.ts';
import { EXPOSITION_CHECKS } from '../export/prometheus-text.ts';

/** Where metrics are served to Prometheus, and what the text is like. */
export interface PrometheusServerOptions extends ExpositionOptions {
  /** Address to listen on: default `OTEL_EXPORTER_PROMETHEUS_HOST`, else `localhost`; `0.0.0.0` or `::` for all. */
  readonly host?: string;
  /** Default `OTEL_EXPORTER_PROMETHEUS_PORT`, else 9464; 0 for any free port, which `address` then tells. */
  readonly port?: number;
  /** Path of the metrics: default `/metrics`. */
  readonly endpoint?: string;
  /** Answers are compressed for those who accept it. Default true. */
  readonly compression?: boolean;
  /** How long a scrape may take that says nothing of its own timeout. Default 10,000. */
  readonly timeoutMillis?: number;
}

export const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

/** In the order of the official exporter's `AggregationTemporalityPreference`. */
export const TEMPORALITIES = ['delta', 'cumulative', 'lowmemory'] as const;
export type Temporality = (typeof TEMPORALITIES)[number];

/** Where and how metrics are pushed. What is left out, the official exporter takes from its environment variables. */
export interface OtlpPushOptions {
  /** The whole URL. Default `http://localhost:4318/v1/metrics`. */
  readonly url?: string;
  /** Default `http/protobuf`. Each needs a package: `@opentelemetry/exporter-metrics-otlp-proto`, `-http` for JSON. */
  readonly protocol?: OtlpProtocol;
  readonly headers?: Readonly<Record<string, string>>;
  /** From one push to the next: default 60,000. */
  readonly intervalMillis?: number;
  /** How long a push may take with all its tries: default 10,000, and no longer than the interval. */
  readonly timeoutMillis?: number;
  /** Default `cumulative`. */
  readonly temporality?: Temporality;
  /** Default `none`. */
  readonly compression?: 'none' | 'gzip';
}

/** Ways out: at least one of the first three. */
export interface ExporterOptions {
  readonly prometheus?: PrometheusServerOptions;
  readonly otlp?: OtlpPushOptions;
  /** Prints all metrics to standard output at this interval, for a look at them. */
  readonly console?: { readonly intervalMillis?: number };
  /** Exports the `seqlock.*` metrics of store and reader too. Default false; `seqlock.thread.blocked` always is. */
  readonly selfMetrics?: boolean;
}

/** What an exporter is to do: the options with their defaults. Plain data, which can be sent to a thread. */
export interface ExporterPlan {
  readonly prometheus: Required<Pick<PrometheusServerOptions, 'host' | 'port' | 'endpoint'>> | undefined;
  readonly exposition: Omit<PrometheusServerOptions, 'host' | 'port' | 'endpoint'>;
  readonly otlp:
    (OtlpPushOptions & { readonly protocol: OtlpProtocol; readonly intervalMillis: number }) | undefined;
  readonly console: { readonly intervalMillis: number } | undefined;
  readonly selfMetrics: boolean;
  readonly histogramSelection?: string | undefined;
}

export const DEFAULT_PORT = 9464;
const DEFAULT_INTERVAL_MILLIS = 60_000;

/** What each option may be. */
export const EXPORTER_CHECKS: { readonly [K in keyof Required<ExporterOptions>]: Check } = {
  prometheus: table<PrometheusServerOptions>({
    ...EXPOSITION_CHECKS,
    ...ANSWER_CHECKS,
    host: rule('a host name or an address', (value) => typeof value === 'string' && value !== ''),
    port: wholeNumber(0, 65_535),
    endpoint: rule(
      "a path such as '/metrics'",
      (value) => typeof value === 'string' && /^\/[^?#\s]*$/.test(value),
    ),
  }),
  otlp: table<OtlpPushOptions>({
    url: rule('a URL such as http://localhost:4318/v1/metrics', isHttpUrl),
    protocol: oneOf(OTLP_PROTOCOLS),
    headers: mapOf(text, 'an object such as { authorization: "..." }'),
    intervalMillis: milliseconds,
    timeoutMillis: milliseconds,
    temporality: oneOf(TEMPORALITIES),
    compression: oneOf(['none', 'gzip']),
  }),
  console: table<NonNullable<ExporterOptions['console']>>({ intervalMillis: milliseconds }),
  selfMetrics: flag,
};

/** Throws an `OptionError` that names the wrong option; `where` names the options as a whole, which `check` checks. */
export function planOf(
  options: ExporterOptions,
  where: string,
  check: Check = table<ExporterOptions>(EXPORTER_CHECKS, { prefix: '' }),
): ExporterPlan {
  check(options, where);
  const { prometheus, otlp, console, selfMetrics = false } = options;
  if (prometheus === undefined && otlp === undefined && console === undefined)
    throw new OptionError(
      where,
      options,
      'an object with prometheus or otlp or both, such as { prometheus: { port: 9464 } }',
    );
  const { host, port, endpoint, ...exposition } = prometheus ?? {};
  return {
    prometheus: prometheus && {
      host: host ?? (process.env['OTEL_EXPORTER_PROMETHEUS_HOST'] || 'localhost'),
      port: port ?? portOfEnvironment(),
      endpoint: endpoint ?? '/metrics',
    },
    exposition,
    otlp: otlp && { ...otlp, protocol: otlp.protocol ?? 'http/protobuf', intervalMillis: intervalOf(otlp) },
    console: console && { intervalMillis: intervalOf(console) },
    selfMetrics,
  };
}

function portOfEnvironment(): number {
  const given = process.env['OTEL_EXPORTER_PROMETHEUS_PORT'];
  if (given === undefined || given.trim() === '') return DEFAULT_PORT;
  const port = Number(given);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new OptionError('OTEL_EXPORTER_PROMETHEUS_PORT', given, 'a whole number from 0 to 65535');
}

function intervalOf({
  intervalMillis = DEFAULT_INTERVAL_MILLIS,
}: {
  readonly intervalMillis?: number;
}): number {
  return intervalMillis;
}

function isHttpUrl(url: unknown): boolean {
  return typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
