import { OptionError } from '../base/errors.ts';
import type { ExpositionOptions } from '../export/family-plan.ts';
import { checkHandlerOptions } from '../export/prometheus-handler.ts';

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
  readonly exposition: PrometheusServerOptions;
  readonly otlp:
    (OtlpPushOptions & { readonly protocol: OtlpProtocol; readonly intervalMillis: number }) | undefined;
  readonly console: { readonly intervalMillis: number } | undefined;
  readonly selfMetrics: boolean;
  readonly histogramSelection?: string | undefined;
}

export const DEFAULT_PORT = 9464;
const DEFAULT_INTERVAL_MILLIS = 60_000;
const LONGEST_TIMER = 2 ** 31 - 1;

/** Throws an `OptionError` that names the wrong option; `where` names the options as a whole. */
export function planOf(options: ExporterOptions, where: string): ExporterPlan {
  checkObject(where, options);
  const { prometheus, otlp, console, selfMetrics = false } = options;
  if (prometheus === undefined && otlp === undefined && console === undefined)
    throw new OptionError(
      where,
      options,
      'an object with prometheus or otlp or both, such as { prometheus: { port: 9464 } }',
    );
  if (typeof selfMetrics !== 'boolean') throw new OptionError('selfMetrics', selfMetrics, 'true or false');
  return {
    prometheus: prometheus && checkedServer(prometheus),
    exposition: prometheus ?? {},
    otlp: otlp && checkedOtlp(otlp),
    console: console && { intervalMillis: checkedInterval('console', console) },
    selfMetrics,
  };
}

function checkedServer(options: PrometheusServerOptions): NonNullable<ExporterPlan['prometheus']> {
  checkObject('prometheus', options);
  const { OTEL_EXPORTER_PROMETHEUS_HOST: hostVariable, OTEL_EXPORTER_PROMETHEUS_PORT: portVariable } =
    process.env;
  const { host = hostVariable || 'localhost', endpoint = '/metrics' } = options;
  const { port = portVariable ? Number(portVariable) : DEFAULT_PORT } = options;
  if (typeof host !== 'string' || host === '')
    throw new OptionError('prometheus.host', host, 'a host name or an address');
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new OptionError('prometheus.port', port, 'a whole number from 0 to 65535');
  if (typeof endpoint !== 'string' || !/^\/[^?#\s]*$/.test(endpoint))
    throw new OptionError('prometheus.endpoint', endpoint, "a path such as '/metrics'");
  checkHandlerOptions(options);
  return { host, port, endpoint };
}

function checkedOtlp(options: OtlpPushOptions): NonNullable<ExporterPlan['otlp']> {
  checkObject('otlp', options);
  const { url, protocol = 'http/protobuf', headers, timeoutMillis, temporality, compression } = options;
  if (url !== undefined && !isHttpUrl(url))
    throw new OptionError('otlp.url', url, 'a URL such as http://localhost:4318/v1/metrics');
  checkOneOf('otlp.protocol', protocol, OTLP_PROTOCOLS);
  checkOneOf('otlp.temporality', temporality, TEMPORALITIES);
  checkOneOf('otlp.compression', compression, ['none', 'gzip']);
  if (timeoutMillis !== undefined) checkMillis('otlp.timeoutMillis', timeoutMillis);
  if (headers !== undefined) {
    checkObject('otlp.headers', headers);
    for (const [name, value] of Object.entries(headers))
      if (typeof value !== 'string') throw new OptionError(`otlp.headers.${name}`, value, 'a string');
  }
  return { ...options, protocol, intervalMillis: checkedInterval('otlp', options) };
}

function checkedInterval(where: string, options: { readonly intervalMillis?: number }): number {
  checkObject(where, options);
  const { intervalMillis = DEFAULT_INTERVAL_MILLIS } = options;
  checkMillis(`${where}.intervalMillis`, intervalMillis);
  return intervalMillis;
}

export function checkObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw new OptionError(option, value, 'an object');
}

export function checkMillis(option: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > LONGEST_TIMER)
    throw new OptionError(option, value, `a whole number of milliseconds from 1 to ${LONGEST_TIMER}`);
}

function checkOneOf(option: string, value: unknown, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value as string))
    throw new OptionError(option, value, allowed.join(' or '));
}

function isHttpUrl(url: unknown): boolean {
  return typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
