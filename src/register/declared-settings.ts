/**
 * What a file of OpenTelemetry's declarative configuration asks for, as far as it is about metrics. The
 * schema: github.com/open-telemetry/opentelemetry-configuration, version 1.1. What is asked for and not
 * supported is an error that names it. Parts for other signals are not looked at.
 */
import type { Attributes } from '@opentelemetry/api';
import type { Environment, Variables } from '../base/environment.ts';
import { OptionError } from '../base/errors.ts';
import {
  anything,
  flag,
  listOf,
  LONGEST_TIMER,
  rule,
  text,
  wholeNumber,
  type Check,
} from '../base/options.ts';
import { DEFAULT_PORT, type ExporterOptions, type PrometheusServerOptions } from '../exporter/options.ts';
import {
  DEFAULT_INTERVAL_MILLIS,
  DEFAULT_TIMEOUT_MILLIS,
  DEFAULT_URL,
  OTLP_URL_CHECK,
  readHeaders,
  type OtlpPushOptions,
  type Temporality,
} from '../exporter/otlp-options.ts';
import type { ProviderResource } from '../facade/resource.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';
import { readConfigurationFile } from './configuration-file.ts';
import type { ReaderWishes } from './exporter-reader.ts';
import { readAttributes, resourceOf, type Detector } from './resource-detection.ts';
import { Section } from './section.ts';
import { ownSettings, SEVERITIES, type Declared, type Settings } from './settings.ts';

const FILE_VARIABLES = ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE'] as const;
/** Of the schema: another major version is refused, a later minor version is warned of. */
const VERSION = [1, 1] as const;

const DURATION = wholeNumber(1, LONGEST_TIMER, 'a whole number of milliseconds');
const TIMEOUT = wholeNumber(0, LONGEST_TIMER, 'a whole number of milliseconds, 0 for no limit,');
const TEXTS = listOf(text, 'a list of strings');

const KINDS = {
  counter: 'COUNTER',
  gauge: 'GAUGE',
  histogram: 'HISTOGRAM',
  observable_counter: 'OBSERVABLE_COUNTER',
  observable_gauge: 'OBSERVABLE_GAUGE',
  observable_up_down_counter: 'OBSERVABLE_UP_DOWN_COUNTER',
  up_down_counter: 'UP_DOWN_COUNTER',
} as const satisfies Record<string, InstrumentKind>;

const TEMPORALITIES = { cumulative: 'cumulative', delta: 'delta', low_memory: 'lowmemory' } as const;
const HISTOGRAMS = {
  explicit_bucket_histogram: false,
  base2_exponential_bucket_histogram: true,
} as const;
const STRATEGIES: Readonly<Record<string, NonNullable<PrometheusServerOptions['translationStrategy']>>> = {
  underscore_escaping_with_suffixes: 'UnderscoreEscapingWithSuffixes',
  'underscore_escaping_without_suffixes/development': 'UnderscoreEscapingWithoutSuffixes',
  'no_utf8_escaping_with_suffixes/development': 'NoUTF8EscapingWithSuffixes',
  'no_translation/development': 'NoTranslation',
};

/** In the order of `AggregationType` of `@opentelemetry/sdk-metrics`. */
const AGGREGATIONS = [
  'default',
  'drop',
  'sum',
  'last_value',
  'explicit_bucket_histogram',
  'base2_exponential_bucket_histogram',
] as const;

/** What detectors of the schema are here. There is none for containers. */
const SCHEMA_DETECTORS: Readonly<Record<string, readonly Detector[]>> = {
  host: ['host', 'os'],
  process: ['process'],
  service: ['serviceinstance'],
};

/** A file that cannot be used. The message says which, what is wrong, and where. */
export class ConfigurationFileError extends Error {}

/**
 * The settings of the file that the environment names; undefined if it names none. Then all other variables
 * of OpenTelemetry are ignored, but those that the file refers to (specification, environment variables).
 * Throws a `ConfigurationFileError` if the file cannot be used.
 */
export function declaredSettings(environment: Environment, variables: Variables): Settings | undefined {
  const file = environment.find(...FILE_VARIABLES);
  if (file === undefined) return undefined;
  try {
    const settings = settingsOf(readConfigurationFile(file.value, variables), variables, (message) =>
      environment.warn(message),
    );
    const { exporterThread } = settings;
    return exporterThread === undefined
      ? settings
      : { ...settings, exporterThread: { ...exporterThread, ...ownSettings(environment) } };
  } catch (error) {
    throw new ConfigurationFileError(`${file.name} is ${file.value}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Throws an `OptionError` that names what is wrong or not supported. */
export function settingsOf(
  configuration: unknown,
  variables: Variables,
  warn: (message: string) => void,
): Settings {
  const top = new Section(configuration, '');
  checkVersion(top, warn);
  const disabled = top.value<boolean>('disabled', flag) ?? false;
  const provider = top.section('meter_provider');
  const logLevel = top.oneOf('log_level', severities()) ?? 'info';
  const resource = resourceFrom(top.section('resource'), variables, warn);
  const readers = provider?.sections('readers').map(readerFrom) ?? [];
  const declared: Declared = {
    logLevel,
    resource,
    views: provider?.sections('views').map(viewFrom) ?? [],
    exemplarFilter:
      provider?.oneOf('exemplar_filter', {
        always_on: 'always_on',
        always_off: 'always_off',
        trace_based: 'trace_based',
      } as const) ?? 'trace_based',
  };
  provider?.end();
  if (provider !== undefined && readers.length === 0)
    throw new OptionError('meter_provider.readers', undefined, 'a list of readers');
  for (const [i, { exporter }] of readers.entries())
    if (readers.findIndex((other) => other.exporter === exporter) < i)
      throw new OptionError(
        `meter_provider.readers[${i}]`,
        exporter,
        'another exporter: one of each kind is supported',
      );
  const of = (name: Reader['exporter']): Reader | undefined =>
    readers.find(({ exporter }) => exporter === name);
  const wishes = (...names: Reader['exporter'][]): ReaderWishes[] =>
    names.flatMap((name) => of(name)?.wishes ?? []);
  const isOff = disabled || provider === undefined;
  return {
    disabled: isOff,
    exporterThread: isOff ? undefined : Object.assign({}, ...readers.map(({ options }) => options)),
    readers: [...wishes('otlp'), ...wishes('prometheus'), ...wishes('console')],
    declared,
  };
}

function checkVersion(top: Section, warn: (message: string) => void): void {
  const version = top.value<string>('file_format', text);
  const [, major, minor] = /^(\d+)\.(\d+)(?:-.*)?$/.exec(version ?? '') ?? [];
  if (Number(major) !== VERSION[0])
    throw new OptionError(
      'file_format',
      version,
      `a text such as "${VERSION.join('.')}", with the major version ${VERSION[0]}`,
    );
  if (Number(minor) > VERSION[1])
    warn(
      `seqlock-metrics: the configuration has file_format ${version}, and ${VERSION.join('.')} is known. What is new in it is an error, or has no effect`,
    );
}

/** `info`, `info2` and so on, and what they are without their number. */
function severities(): Record<string, (typeof SEVERITIES)[number]> {
  return Object.fromEntries(
    SEVERITIES.flatMap((level) => ['', '2', '3', '4'].map((step) => [level + step, level])),
  );
}

interface Reader {
  readonly exporter: 'otlp' | 'prometheus' | 'console';
  readonly options: ExporterOptions;
  readonly wishes: ReaderWishes;
}

function readerFrom(section: Section): Reader {
  const [kind, reader] = section.choice(['periodic', 'pull']);
  const read = kind === 'pull' ? pullReaderFrom(reader) : periodicReaderFrom(reader);
  const limits = limitsFrom(reader.section('cardinality_limits'));
  reader.end();
  return { ...read, wishes: { ...read.wishes, ...limits } };
}

function periodicReaderFrom(reader: Section): Reader {
  const exporter = new Section(reader.value('exporter', needed) ?? null, `${reader.path}.exporter`);
  const [name, options] = exporter.choice(['otlp_http', 'console']);
  const intervalMillis = reader.value<number>('interval', DURATION);
  const longest = reader.value<number>('timeout', TIMEOUT) ?? 30_000;
  if (name === 'console') {
    // It prints totals and explicit buckets.
    options.oneOf('temporality_preference', { cumulative: 'cumulative' });
    options.oneOf('default_histogram_aggregation', { explicit_bucket_histogram: false });
    options.end();
    return {
      exporter: 'console',
      options: { console: { intervalMillis: intervalMillis ?? DEFAULT_INTERVAL_MILLIS } },
      wishes: { temporality: 'cumulative', exponentialHistograms: false },
    };
  }
  const temporality: Temporality = options.oneOf('temporality_preference', TEMPORALITIES) ?? 'cumulative';
  const exponentialHistograms = options.oneOf<boolean>('default_histogram_aggregation', HISTOGRAMS) ?? false;
  const timeout = options.value<number>('timeout', TIMEOUT) ?? DEFAULT_TIMEOUT_MILLIS;
  const otlp: OtlpPushOptions = {
    url: options.value<string>('endpoint', OTLP_URL_CHECK) ?? DEFAULT_URL,
    protocol:
      options.oneOf('encoding', { protobuf: 'http/protobuf', json: 'http/json' } as const) ?? 'http/protobuf',
    headers: headersFrom(options),
    tls: tlsFrom(options.section('tls')),
    compression: options.oneOf('compression', { none: 'none', gzip: 'gzip' } as const) ?? 'none',
    intervalMillis: intervalMillis ?? DEFAULT_INTERVAL_MILLIS,
    timeoutMillis: Math.min(timeout || LONGEST_TIMER, longest || LONGEST_TIMER),
    temporality,
  };
  options.end();
  return { exporter: 'otlp', options: { otlp }, wishes: { temporality, exponentialHistograms } };
}

const needed: Check = anything;

function headersFrom(options: Section): Record<string, string> {
  const list = options.value<string>('headers_list', (value, path) => {
    if (typeof value !== 'string') throw new OptionError(`${path}.headers`, value, 'a string');
  });
  const headers = readHeaders(list ?? '', () => {
    throw new OptionError(
      `${options.path}.headers_list.headers`,
      list,
      'a list of key=value, percent-encoded',
    );
  });
  for (const header of options.sections('headers')) {
    const name = header.value<string>('name', text);
    // Values are secrets: an error must not show them.
    const value = header.value<string>('value', (given, path) => {
      if (typeof given !== 'string')
        throw new OptionError(`${path}.headers`, given, 'a string, in quotes if it is a number');
    });
    header.end();
    if (name === undefined) throw new OptionError(`${header.path}.name`, name, 'a string');
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

function tlsFrom(tls: Section | undefined): NonNullable<OtlpPushOptions['tls']> {
  const [caFile, certFile, keyFile] = ['ca_file', 'cert_file', 'key_file'].map((key) =>
    tls?.value<string>(key, text),
  );
  tls?.end();
  return {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  };
}

function pullReaderFrom(reader: Section): Reader {
  const exporter = new Section(reader.value('exporter', needed) ?? null, `${reader.path}.exporter`);
  const [, options] = exporter.choice(['prometheus/development']);
  const labels = options.section('resource_constant_labels');
  const prometheus: PrometheusServerOptions = {
    host: options.value<string>('host', text) ?? 'localhost',
    port: options.value<number>('port', wholeNumber(0, 65_535)) ?? DEFAULT_PORT,
    scopeInfoEnabled: options.value<boolean>('scope_info_enabled', flag) ?? true,
    targetInfoEnabled: options.value<boolean>('target_info_enabled/development', flag) ?? true,
    ...(labels && { resourceConstantLabels: patternOf(labels) }),
    translationStrategy:
      options.oneOf('translation_strategy', STRATEGIES) ?? 'UnderscoreEscapingWithSuffixes',
  };
  options.end();
  return {
    exporter: 'prometheus',
    options: { prometheus },
    wishes: { temporality: 'cumulative', exponentialHistograms: false },
  };
}

function limitsFrom(section: Section | undefined): Pick<ReaderWishes, 'limits'> {
  if (section === undefined) return {};
  const check = wholeNumber(1, 2 ** 31 - 1);
  const all = section.value<number>('default', check);
  const limits: Partial<Record<InstrumentKind, number>> = {};
  for (const [key, kind] of Object.entries(KINDS)) {
    const limit = section.value<number>(key, check) ?? all;
    if (limit !== undefined) limits[kind] = limit;
  }
  section.end();
  return { limits };
}

function viewFrom(view: Section): Declared['views'][number] {
  const selector = view.section('selector') ?? new Section(null, `${view.path}.selector`);
  const stream = view.section('stream') ?? new Section(null, `${view.path}.stream`);
  view.end();
  const aggregation = stream.section('aggregation');
  const keys = stream.section('attribute_keys');
  const pattern = keys && patternOf(keys);
  const options = {
    instrumentName: selector.value('instrument_name', text),
    instrumentType: selector.oneOf('instrument_type', KINDS),
    instrumentUnit: selector.value('unit', text),
    meterName: selector.value('meter_name', text),
    meterVersion: selector.value('meter_version', text),
    meterSchemaUrl: selector.value('meter_schema_url', text),
    name: stream.value('name', text),
    description: stream.value('description', text),
    aggregation: aggregation && aggregationFrom(aggregation),
    aggregationCardinalityLimit: stream.value('aggregation_cardinality_limit', wholeNumber(1, 2 ** 31 - 1)),
    attributesProcessors: pattern && [{ process: (given: Attributes) => matching(given, pattern) }],
  };
  selector.end();
  stream.end();
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function aggregationFrom(section: Section): { type: number; options?: object } {
  const [name, options] = section.choice(AGGREGATIONS);
  const given =
    name === 'explicit_bucket_histogram'
      ? {
          boundaries: options.value('boundaries', anything),
          recordMinMax: options.value('record_min_max', flag),
        }
      : name === 'base2_exponential_bucket_histogram'
        ? {
            maxScale: options.value('max_scale', anything),
            maxSize: options.value('max_size', anything),
            recordMinMax: options.value('record_min_max', flag),
          }
        : {};
  options.end();
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    type: AGGREGATIONS.indexOf(name),
    ...(known.length > 0 && { options: Object.fromEntries(known) }),
  };
}

/** Matches what is included and not excluded. Patterns may have `*` and `?`. */
function patternOf(section: Section): RegExp {
  const [included = '.*', excluded] = ['included', 'excluded'].map((key) =>
    section
      .value<readonly string[]>(key, TEXTS)
      ?.map((pattern) =>
        pattern
          .replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`)
          .replaceAll('?', '.')
          .replaceAll(/\*+/g, '.*'),
      )
      .join('|'),
  );
  section.end();
  return new RegExp(`^${excluded === undefined ? '' : `(?!(?:${excluded})$)`}(?:${included})$`, 's');
}

function matching(attributes: Attributes, pattern: RegExp): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => pattern.test(key)));
}

/** Reads the section now; the resource is made when it is asked for. */
function resourceFrom(
  section: Section | undefined,
  variables: Variables,
  warn: (message: string) => void,
): () => ProviderResource {
  if (section === undefined) return () => resourceOf([], {});
  const list = section.value<string>('attributes_list', text) ?? '';
  const listed = readAttributes(list, () => {
    throw new OptionError('resource.attributes_list', list, 'a list of key=value, percent-encoded');
  });
  const attributes = Object.fromEntries(section.sections('attributes').flatMap(attributeFrom));
  const schemaUrl = section.value<string>('schema_url', text);
  const detection = section.section('detection/development');
  const names = detection?.sections('detectors').flatMap((one) => detectorsFrom(one, warn)) ?? [];
  const wanted = detection?.section('attributes');
  const pattern = wanted && patternOf(wanted);
  detection?.end();
  section.end();
  const serviceName = variables['OTEL_SERVICE_NAME'] ?? '';
  const isNamed = names.includes('serviceinstance') && serviceName !== '';
  const given = { ...(isNamed && { 'service.name': serviceName }), ...listed, ...attributes };
  return () => resourceOf(names, given, { wanted: pattern, schemaUrl });
}

function detectorsFrom(section: Section, warn: (message: string) => void): readonly Detector[] {
  const [name] = section.choice([...Object.keys(SCHEMA_DETECTORS), 'container']);
  if (name === 'container')
    warn(
      `seqlock-metrics: there is no detector for containers, so ${section.path} has no effect. Write the attributes that you need in resource.attributes`,
    );
  return SCHEMA_DETECTORS[name] ?? [];
}

const ATTRIBUTE_TYPES = {
  string: 'string',
  bool: 'boolean',
  int: 'integer',
  double: 'number',
} as const;
type AttributeType = (typeof ATTRIBUTE_TYPES)[keyof typeof ATTRIBUTE_TYPES];

function attributeFrom(section: Section): [string, Attributes[string]][] {
  const name = section.value<string>('name', text);
  const types: Record<string, [AttributeType, boolean]> = {};
  for (const [type, of] of Object.entries(ATTRIBUTE_TYPES)) {
    types[type] = [of, false];
    types[`${type}_array`] = [of, true];
  }
  const [type, isList] = section.oneOf('type', types) ?? ['string', false];
  const isRight = (value: unknown): boolean =>
    type === 'integer' ? Number.isInteger(value) : typeof value === type;
  const value = section.value<Attributes[string]>(
    'value',
    rule(isList ? `a list of ${type} values` : `a ${type}, as its type says`, (given) =>
      isList ? Array.isArray(given) && given.every(isRight) : isRight(given),
    ),
  );
  section.end();
  if (name === undefined) throw new OptionError(`${section.path}.name`, name, 'a string');
  return value === undefined ? [] : [[name, value]];
}
