import type { Environment } from '../base/environment.ts';
import { LONGEST_TIMER } from '../base/options.ts';
import { DEFAULT_CONSOLE_INTERVAL_MILLIS, hostFrom, portFrom } from '../exporter/options.ts';
import {
  DEFAULT_INTERVAL_MILLIS,
  OTLP_PROTOCOLS,
  otlpWithDefaults,
  type OtlpPushOptions,
} from '../exporter/otlp-options.ts';
import type { SeqlockMeterProviderOptions } from '../facade/meter-provider.ts';
import type { ProviderResource } from '../facade/resource.ts';
import type { ReaderWishes } from './exporter-reader.ts';
import { SIGNALS, type ExporterThreadOptions } from '../thread/options.ts';

const EXPORTERS = ['otlp', 'prometheus', 'console', 'none'] as const;
const HISTOGRAMS = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
const OTLP = 'OTEL_EXPORTER_OTLP';
const OTLP_PROTOCOL_VARIABLES = [`${OTLP}_METRICS_PROTOCOL`, `${OTLP}_PROTOCOL`] as const;

/** Levels of a configuration file, the least severe first. */
export const SEVERITIES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** What a configuration file says besides the exporters. */
export interface Declared extends Required<Pick<SeqlockMeterProviderOptions, 'views' | 'exemplarFilter'>> {
  /** The least severe level that is logged. */
  readonly logLevel: (typeof SEVERITIES)[number];
  /** Call it in one thread only. */
  readonly resource: () => ProviderResource;
}

export interface Settings {
  readonly disabled: boolean;
  /** Undefined if nothing is exported. */
  readonly exporterThread: Omit<ExporterThreadOptions, 'store'> | undefined;
  /** What the exporters want of the store. That of OTLP is the first, if metrics are pushed by it. */
  readonly readers: readonly ReaderWishes[];
  /** What a file says besides; undefined where variables decide. */
  readonly declared?: Declared;
}

/** What the standard environment variables of OpenTelemetry ask for. */
export function settingsFrom(environment: Environment): Settings {
  const disabled = environment.flag('OTEL_SDK_DISABLED');
  const histograms = environment.oneOf(
    [`${OTLP}_METRICS_DEFAULT_HISTOGRAM_AGGREGATION`],
    HISTOGRAMS,
    'explicit_bucket_histogram',
  );
  const exporterThread = disabled ? undefined : exporterThreadFrom(environment);
  const { otlp, prometheus, console } = exporterThread ?? {};
  const exponentialHistograms = histograms === 'base2_exponential_bucket_histogram';
  const readers: ReaderWishes[] = [];
  if (otlp !== undefined)
    readers.push({ temporality: otlp.temporality ?? 'cumulative', exponentialHistograms });
  if (prometheus !== undefined || console !== undefined)
    readers.push({ temporality: 'cumulative', exponentialHistograms: false });
  return { disabled, exporterThread, readers };
}

function exporterThreadFrom(environment: Environment): Settings['exporterThread'] {
  // The first is for apps whose other SDK, such as that of auto-instrumentations, must not export metrics:
  // the second is `none` there.
  const exporters = environment.listOf(
    ['SEQLOCK_METRICS_EXPORTER', 'OTEL_METRICS_EXPORTER'],
    EXPORTERS,
    'otlp',
  );
  if (exporters.includes('none')) return undefined;
  const intervalMillis = (fallback: number): number =>
    environment.wholeNumber(['OTEL_METRIC_EXPORT_INTERVAL'], 1, LONGEST_TIMER, fallback);
  return {
    ...(exporters.includes('prometheus') && {
      prometheus: { host: hostFrom(environment), port: portFrom(environment) },
    }),
    ...(exporters.includes('otlp') && {
      otlp: otlpFrom(environment, intervalMillis(DEFAULT_INTERVAL_MILLIS)),
    }),
    ...(exporters.includes('console') && {
      console: { intervalMillis: intervalMillis(DEFAULT_CONSOLE_INTERVAL_MILLIS) },
    }),
    ...ownSettings(environment),
  };
}

/** What variables of this package say of the exporter thread, whatever else it is told by. */
export function ownSettings(
  environment: Environment,
): Pick<ExporterThreadOptions, 'blockedThreads' | 'lastExport' | 'selfMetrics'> {
  const signals = signalsFrom(environment);
  return {
    ...(environment.oneOf(['SEQLOCK_METRICS_BLOCKED_THREADS'], ['true', 'false'], 'true') === 'false' && {
      blockedThreads: false,
    }),
    ...(environment.flag('SEQLOCK_METRICS_SELF_METRICS') && { selfMetrics: true }),
    ...(signals && { lastExport: { signals } }),
  };
}

/** Undefined for the default. */
function signalsFrom(environment: Environment): readonly NodeJS.Signals[] | undefined {
  const found = environment.find('SEQLOCK_METRICS_SIGNALS');
  if (found === undefined) return undefined;
  const names = found.value.split(',').map((name) => name.trim().toUpperCase());
  const signals = SIGNALS.filter((signal) => names.includes(signal));
  if (names.every((name) => name === 'NONE' || name === '' || (SIGNALS as readonly string[]).includes(name)))
    return signals;
  environment.wrong(
    found.name,
    found.value,
    'none, or a list of signals such as SIGTERM,SIGINT',
    'the default',
  );
  return undefined;
}

function otlpFrom(environment: Environment, intervalMillis: number): OtlpPushOptions {
  const { timeoutMillis, ...otlp } = otlpWithDefaults(
    { intervalMillis, protocol: environment.oneOf(OTLP_PROTOCOL_VARIABLES, OTLP_PROTOCOLS, 'http/protobuf') },
    environment,
  );
  const longest = environment.timeout(['OTEL_METRIC_EXPORT_TIMEOUT'], 30_000);
  return { ...otlp, timeoutMillis: Math.min(timeoutMillis, longest) };
}
