/**
 * `node --import seqlock-metrics/register app.js`: metrics of an app without code for them. Registers the
 * global provider before the app's first line, in the main thread and in every worker that preloads this.
 * Starts an exporter thread that exports what the standard environment variables say (docs/operations.md).
 */
import { diag, DiagLogLevel, metrics } from '@opentelemetry/api';
import { isMainThread, workerData } from 'node:worker_threads';
import { announce, hasLogger, tellOfLoss } from '../base/warnings.ts';
import { SeqlockMeterProvider, type SeqlockMeterProviderOptions } from '../facade/meter-provider.ts';
import { MetricStore, storeOfEnvironment } from '../state/store.ts';
import { ExporterThreadHost } from '../thread/exporter-thread.ts';
import type { ExporterThreadOptions } from '../thread/options.ts';
import type { ThreadData } from '../thread/protocol.ts';
import { Environment } from '../base/environment.ts';
import { ConfigurationFileError, declaredSettings } from './declared-settings.ts';
import { ExporterReader } from './exporter-reader.ts';
import { takePm2Variables } from './pm2-environment.ts';
import { detectedResource } from './resource-detection.ts';
import { settingsFrom, type Declared, type Settings } from './settings.ts';

const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;
/** By the names of the variable, and by those of a file. */
const DIAG_LEVELS = {
  fatal: DiagLogLevel.ERROR,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  trace: DiagLogLevel.VERBOSE,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
} as const;
type LogLevel = keyof typeof DIAG_LEVELS | 'none';

/** Whatever goes wrong, the app runs, if need be without metrics. */
function register(): void {
  try {
    registerMetrics();
  } catch (error) {
    if (error instanceof ConfigurationFileError && !isMainThread) return; // the main thread has told of it
    tellOfLoss(
      'error',
      `seqlock-metrics: this thread records no metrics, the app runs without: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function registerMetrics(): void {
  if ((workerData as Partial<ThreadData> | null)?.isSeqlockExporter === true) return;
  takePm2Variables(process.env);
  const early: string[] = []; // until it is known where warnings go
  let warn = (message: string): void => void early.push(message);
  const environment = new Environment(process.env, (message) => warn(message));
  const declared = declaredSettings(environment, process.env);
  showWarnings(declared?.declared?.logLevel ?? levelFrom(environment));
  // Once per process: workers have the same variables.
  warn = isMainThread ? (message): void => tellOfLoss('warn', message) : (): void => {};
  early.forEach(warn);
  const settings = declared ?? settingsFrom(environment);
  if (settings.disabled) return;
  if (isMainThread) registerApp(environment, settings);
  else joinApp(settings);
}

function registerApp(environment: Environment, { exporterThread, readers, declared }: Settings): void {
  const own = readers.map((wishes) => new ExporterReader(wishes));
  const shared = storeOfEnvironment();
  const provider = new SeqlockMeterProvider({
    ...viewsOf(declared),
    resource: declared === undefined ? detectedResource(environment) : declared.resource(),
    readers: own,
    ...(shared && { store: shared }),
  });
  if (!isGlobal(provider)) {
    void provider.shutdown();
    return;
  }
  if (exporterThread === undefined) return;
  const options = { ...exporterThread, store: provider.store };
  startExporter(options, own[0]!.histogramSelection());
}

function joinApp({ declared }: Settings): void {
  if (MetricStore.published() !== undefined) isGlobal(new SeqlockMeterProvider(viewsOf(declared)));
  else
    tellOfLoss(
      'warn',
      'seqlock-metrics: this worker records no metrics: it found no store of the main thread. Preload seqlock-metrics/register in the main thread too, not in a worker alone',
    );
}

/** The options of a file that all threads need: views may have code in them. */
function viewsOf(
  declared: Declared | undefined,
): Pick<SeqlockMeterProviderOptions, 'views' | 'exemplarFilter'> {
  if (declared === undefined) return {};
  const { views, exemplarFilter } = declared;
  return { exemplarFilter, ...(views.length > 0 && { views }) };
}

function isGlobal(provider: SeqlockMeterProvider): boolean {
  if (metrics.setGlobalMeterProvider(provider)) return true;
  tellOfLoss(
    'warn',
    'seqlock-metrics: another global meter provider is already registered and stays in place, so nothing is recorded here. Remove one of the two',
  );
  return false;
}

/**
 * Never keeps the app from starting or ending. If Prometheus cannot be served, pushing works all the same.
 */
function startExporter(options: ExporterThreadOptions, histogramSelection: string): void {
  const { prometheus, ...others } = options;
  const say = (message: string): void => announce(message, isLoggerOurs);
  const host = new ExporterThreadHost(options, { inBackground: true, histogramSelection, announce: say });
  host.started.then(
    () => say(host.summary()),
    (error: Error) => {
      tellOfLoss('error', `seqlock-metrics: ${error.message}`);
      if (prometheus !== undefined && (others.otlp !== undefined || others.console !== undefined))
        startExporter(others, histogramSelection);
    },
  );
}

/**
 * Shows warnings unless the environment says otherwise: no code of the app could set a logger before this.
 */
let isLoggerOurs = true;

function showWarnings(level: LogLevel): void {
  isLoggerOurs = !hasLogger();
  if (level === 'none' || !isLoggerOurs) return;
  const log = (...texts: unknown[]): void => console.error(...texts); // standard output is the app's
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DIAG_LEVELS[level]);
}

function levelFrom(environment: Environment): LogLevel {
  return environment.oneOf(['OTEL_LOG_LEVEL'], LOG_LEVELS, 'info');
}

register();
