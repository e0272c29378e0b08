import type { Environment } from '../base/environment.ts';
import { mapOf, milliseconds, oneOf, rule, table, text, type Check } from '../base/options.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';

export const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const;
export type OtlpProtocol = (typeof OTLP_PROTOCOLS)[number];

const TEMPORALITIES = ['cumulative', 'delta', 'lowmemory'] as const;
const COMPRESSIONS = ['none', 'gzip'] as const;
export type Temporality = (typeof TEMPORALITIES)[number];

/**
 * Where and how metrics are pushed by OTLP. An option that is left out is taken from its environment variable
 * (`OTEL_EXPORTER_OTLP_...`) where that is set, else it has the default given here.
 */
export interface OtlpPushOptions {
  /** The whole URL. Default `http://localhost:4318/v1/metrics`. */
  readonly url?: string;
  /** Form of the requests. Default `http/protobuf`. */
  readonly protocol?: OtlpProtocol;
  /** Headers of each request, such as `authorization`. Default none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Time from one push to the next, in milliseconds. Default 60,000. */
  readonly intervalMillis?: number;
  /**
   * How long a push may take with all its tries, in milliseconds. Default 10,000; never longer than the
   * interval.
   */
  readonly timeoutMillis?: number;
  /**
   * Totals, or differences to the push before: of all but up-down counters, or (`lowmemory`) of
   * counters and histograms alone. Default `cumulative`.
   */
  readonly temporality?: Temporality;
  /** Coding of the requests. Default `none`. */
  readonly compression?: (typeof COMPRESSIONS)[number];
  /**
   * Files in PEM format, read when the exporter starts: what the collector's certificate is checked against,
   * and the client certificate and its key. Default: those of `OTEL_EXPORTER_OTLP_CERTIFICATE` and so on.
   */
  readonly tls?: OtlpTlsFiles;
}

/** Paths of files in PEM format. */
export interface OtlpTlsFiles {
  /** The certificates that the collector's is checked against. Default: those of Node.js. */
  readonly caFile?: string;
  /** The client certificate. */
  readonly certFile?: string;
  /** Its private key. */
  readonly keyFile?: string;
}

export type OtlpPlan = Required<Omit<OtlpPushOptions, 'tls'>> & Pick<OtlpPushOptions, 'tls'>;

/**
 * The kinds that are pushed as deltas for each preference (specification, OTLP exporter, temporality
 * preference).
 */
export const DELTA_KINDS: Readonly<Record<Temporality, readonly InstrumentKind[]>> = {
  cumulative: [],
  delta: ['COUNTER', 'OBSERVABLE_COUNTER', 'GAUGE', 'OBSERVABLE_GAUGE', 'HISTOGRAM'],
  lowmemory: ['COUNTER', 'HISTOGRAM'],
};

const OTLP = 'OTEL_EXPORTER_OTLP';
export const DEFAULT_URL = 'http://localhost:4318/v1/metrics';
export const DEFAULT_TIMEOUT_MILLIS = 10_000;
export const DEFAULT_INTERVAL_MILLIS = 60_000;

export const OTLP_URL_CHECK: Check = rule('a URL such as http://localhost:4318/v1/metrics', isHttpUrl);

/** What each option may be. */
export const OTLP_CHECK: Check = table<OtlpPushOptions>({
  url: OTLP_URL_CHECK,
  protocol: oneOf(OTLP_PROTOCOLS),
  headers: mapOf(text, 'an object such as { authorization: "..." }'),
  intervalMillis: milliseconds,
  timeoutMillis: milliseconds,
  temporality: oneOf(TEMPORALITIES),
  compression: oneOf(COMPRESSIONS),
  tls: table<OtlpTlsFiles>({ caFile: text, certFile: text, keyFile: text }),
});

/** The variable for metrics, and the one for all signals. */
const both = (suffix: string): [string, string] => [`${OTLP}_METRICS_${suffix}`, `${OTLP}_${suffix}`];

/**
 * Completes `options` from the variables of OTLP, else with the specification's defaults. A variable is not
 * read if its option is given.
 */
export function otlpWithDefaults(options: OtlpPushOptions, environment: Environment): OtlpPlan {
  const {
    url = urlFrom(environment),
    protocol = 'http/protobuf',
    headers = headersFrom(environment),
    intervalMillis = DEFAULT_INTERVAL_MILLIS,
    timeoutMillis = environment.timeout(both('TIMEOUT'), DEFAULT_TIMEOUT_MILLIS),
    compression = environment.oneOf(both('COMPRESSION'), COMPRESSIONS, 'none'),
    temporality = environment.oneOf([`${OTLP}_METRICS_TEMPORALITY_PREFERENCE`], TEMPORALITIES, 'cumulative'),
    tls,
  } = options;
  const plan = { url, protocol, headers, intervalMillis, timeoutMillis, compression, temporality };
  return tls === undefined ? plan : { ...plan, tls };
}

/** The endpoint for metrics is a whole URL. To the endpoint for all signals, the path of metrics is added. */
function urlFrom(environment: Environment): string {
  const ofMetrics = environment.find(`${OTLP}_METRICS_ENDPOINT`);
  const found = ofMetrics ?? environment.find(`${OTLP}_ENDPOINT`);
  if (found === undefined) return DEFAULT_URL;
  if (!URL.canParse(found.value) || !/^https?:$/.test(new URL(found.value).protocol)) {
    environment.wrong(found.name, found.value, 'an http or https URL', DEFAULT_URL);
    return DEFAULT_URL;
  }
  if (ofMetrics !== undefined) return new URL(found.value).href;
  // The query stays; a fragment is never sent.
  const [, base = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(found.value)!;
  return `${base.replace(/\/$/, '')}/v1/metrics${query}`;
}

/**
 * Headers for metrics take precedence over those for all signals. Values are secrets: none is ever printed.
 */
function headersFrom(environment: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of [`${OTLP}_HEADERS`, `${OTLP}_METRICS_HEADERS`])
    Object.assign(
      headers,
      readHeaders(environment.find(name)?.value ?? '', () =>
        environment.wrong(name, '(hidden)', 'a list of key=value, percent-encoded', 'all its other pairs'),
      ),
    );
  return headers;
}

/** Headers as the variables have them. `onWrong` is called for each pair that cannot be read. */
export function readHeaders(list: string, onWrong: () => void): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const pair of list.split(',').filter((one) => one.trim() !== '')) {
    const parsed = headerOf(pair);
    if (parsed === undefined) onWrong();
    else headers[parsed[0]] = parsed[1];
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

function isHttpUrl(url: unknown): boolean {
  return typeof url === 'string' && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}
