import { Environment } from '../base/environment.ts';
import { OptionError } from '../base/errors.ts';
import { flag, milliseconds, rule, table, wholeNumber, type Check } from '../base/options.ts';
import { tellOfLoss } from '../base/warnings.ts';
import { ANSWER_CHECKS, type PrometheusHandlerOptions } from '../export/prometheus-handler.ts';
import { EXPOSITION_CHECKS } from '../export/prometheus-text.ts';
import { OTLP_CHECK, otlpWithDefaults, type OtlpPlan, type OtlpPushOptions } from './otlp-options.ts';
import type { AddressInfo } from 'node:net';

/** Where metrics are served to Prometheus, who may ask, and what the text is like. */
export interface PrometheusServerOptions extends Omit<PrometheusHandlerOptions, 'selfMetrics'> {
  /**
   * Host name or address to listen on; `0.0.0.0` or `::` for all. Default `OTEL_EXPORTER_PROMETHEUS_HOST`,
   * else `localhost`.
   */
  readonly host?: string;
  /** Port, 0 to 65535; 0 for any free one. Default `OTEL_EXPORTER_PROMETHEUS_PORT`, else 9464. */
  readonly port?: number;
  /** Path of the metrics: default `/metrics`. */
  readonly endpoint?: string;
  /**
   * How many connections may be open. One more takes the place of the connection that has been idle longest.
   * Default 512, or a quarter of the descriptors that the process may have (`ulimit -n`) where that is less.
   */
  readonly maxConnections?: number;
  /**
   * How long a request may take to arrive, counted from the connection or the previous answer, in
   * milliseconds. Default 10,000.
   */
  readonly headerTimeoutMillis?: number;
  /** How long a connection is kept for the next request, in milliseconds. Default 5,000. */
  readonly idleTimeoutMillis?: number;
}

/** Ways out of the process. At least one of `prometheus`, `otlp` and `console` is needed. */
export interface ExporterOptions {
  /** Serves Prometheus; `{}` for all defaults. */
  readonly prometheus?: PrometheusServerOptions;
  /** Pushes by OTLP; `{}` for all defaults. */
  readonly otlp?: OtlpPushOptions;
  /**
   * Prints all metrics to standard output every `intervalMillis` (default 10,000), to look at them. Their
   * form may change at any time.
   */
  readonly console?: { readonly intervalMillis?: number };
  /**
   * Exports the `seqlock.*` metrics of store and reader too, and how pushes go: the `otel.sdk.exporter.*` and
   * `otel.sdk.metric_reader.*` metrics of the semantic conventions. Default false.
   */
  readonly selfMetrics?: boolean;
  /**
   * Exports `seqlock.thread.blocked`: for how many seconds the event loop of each thread has been blocked.
   * Default true.
   */
  readonly blockedThreads?: boolean;
  /**
   * Serves a live page at `/` of the Prometheus address, to those who may ask for the metrics; not if the
   * metrics themselves are there. Default `SEQLOCK_METRICS_PAGE`, else true.
   */
  readonly page?: boolean;
}

/** What an exporter does: the options with their defaults. Plain data, which can be sent to a thread. */
export interface ExporterPlan {
  readonly prometheus: Required<Pick<PrometheusServerOptions, 'host' | 'port' | 'endpoint'>> | undefined;
  readonly exposition: Omit<PrometheusServerOptions, 'host' | 'port' | 'endpoint'>;
  readonly otlp: OtlpPlan | undefined;
  readonly console: { readonly intervalMillis: number } | undefined;
  readonly selfMetrics: boolean;
  readonly blockedThreads: boolean;
  readonly page: boolean;
  readonly histogramSelection?: string | undefined;
}

export const DEFAULT_PORT = 9464;
export const DEFAULT_CONSOLE_INTERVAL_MILLIS = 10_000;
const METRICS_PATH = '/metrics';
const PAGE_PATH = '/';

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
    maxConnections: wholeNumber(1, Infinity),
    headerTimeoutMillis: milliseconds,
    idleTimeoutMillis: milliseconds,
  }),
  otlp: OTLP_CHECK,
  console: table<NonNullable<ExporterOptions['console']>>({ intervalMillis: milliseconds }),
  selfMetrics: flag,
  blockedThreads: flag,
  page: flag,
};

/**
 * Throws an `OptionError` that names the wrong option. `where` names the options as a whole, which `check`
 * checks. Warns about wrong environment variables.
 */
export function planOf(
  options: ExporterOptions,
  where: string,
  check: Check = table<ExporterOptions>(EXPORTER_CHECKS, { prefix: '' }),
  environment: Environment = new Environment(process.env, (message) => tellOfLoss('warn', message)),
): ExporterPlan {
  check(options, where);
  const { prometheus, otlp, console, selfMetrics = false, blockedThreads = true, page } = options;
  if (prometheus === undefined && otlp === undefined && console === undefined)
    throw new OptionError(
      where,
      options,
      'an object with prometheus or otlp or both, such as { prometheus: { port: 9464 } }',
    );
  const { host, port, endpoint, ...exposition } = prometheus ?? {};
  return {
    prometheus: prometheus && {
      host: host ?? hostFrom(environment),
      port: port ?? portFrom(environment),
      endpoint: endpoint ?? METRICS_PATH,
    },
    exposition,
    otlp: otlp && otlpWithDefaults(otlp, environment),
    console: console && { intervalMillis: console.intervalMillis ?? DEFAULT_CONSOLE_INTERVAL_MILLIS },
    selfMetrics,
    blockedThreads,
    page:
      prometheus !== undefined &&
      (endpoint ?? METRICS_PATH) !== PAGE_PATH &&
      (page ?? environment.oneOf(['SEQLOCK_METRICS_PAGE'], ['true', 'false'], 'true') === 'true'),
  };
}

export function hostFrom(environment: Environment): string {
  return environment.find('OTEL_EXPORTER_PROMETHEUS_HOST')?.value ?? 'localhost';
}

export function portFrom(environment: Environment): number {
  return environment.wholeNumber(['OTEL_EXPORTER_PROMETHEUS_PORT'], 0, 65_535, DEFAULT_PORT);
}

/**
 * One line that says where metrics are served and pushed. `address`: where the server listens; undefined
 * while it does not. Shows no credentials.
 */
export function summaryOf(
  { prometheus, otlp, console }: Pick<ExporterPlan, 'prometheus' | 'otlp' | 'console'>,
  address: AddressInfo | undefined,
): string {
  const ways: string[] = [];
  if (prometheus !== undefined) {
    const host = prometheus.host.includes(':') ? `[${prometheus.host}]` : prometheus.host;
    const at = `http://${host}:${address?.port ?? prometheus.port}${prometheus.endpoint}`;
    ways.push(`${address === undefined ? 'waits for its port to serve' : 'serves'} Prometheus at ${at}`);
  }
  if (otlp !== undefined)
    ways.push(
      `pushes by OTLP (${otlp.protocol}) to ${originAndPath(otlp.url)} every ${seconds(otlp.intervalMillis)}`,
    );
  if (console !== undefined) ways.push(`prints to standard output every ${seconds(console.intervalMillis)}`);
  return `seqlock-metrics: the exporter thread ${ways.join(', ')}`;
}

function originAndPath(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

function seconds(millis: number): string {
  return millis % 1000 === 0 ? `${millis / 1000} s` : `${millis} ms`;
}
