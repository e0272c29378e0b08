/**
 * `node --import seqlock-metrics/register app.js`: metrics of an app without code for them. Registers the
 * global provider before the app's first line, in the main thread and in every worker that preloads this.
 * Starts an exporter thread that exports what the standard environment variables say (docs/operations.md).
 */
import { diag, DiagLogLevel, metrics } from '@opentelemetry/api';
import { isMainThread, workerData } from 'node:worker_threads';
import { announce, hasLogger, tellOfLoss } from '../base/warnings.ts';
import { SeqlockMeterProvider } from '../facade/meter-provider.ts';
import { MetricStore, storeOfEnvironment } from '../state/store.ts';
import { ExporterThreadHost } from '../thread/exporter-thread.ts';
import type { ExporterThreadOptions } from '../thread/options.ts';
import type { ThreadData } from '../thread/protocol.ts';
import { Environment } from '../base/environment.ts';
import { ExporterReader } from './exporter-reader.ts';
import { detectedResource } from './resource-detection.ts';
import { settingsFrom, type Settings } from './settings.ts';

const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const;

/** Whatever goes wrong, the app runs, if need be without metrics. */
function register(): void {
  try {
    registerMetrics();
  } catch (error) {
    tellOfLoss(
      'error',
      `seqlock-metrics: this thread records no metrics, the app runs without: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function registerMetrics(): void {
  if ((workerData as Partial<ThreadData> | null)?.isSeqlockExporter === true) return;
  const early: string[] = []; // until it is known where warnings go
  let warn = (message: string): void => void early.push(message);
  const environment = new Environment(process.env, (message) => warn(message));
  showWarnings(environment);
  // Once per process: workers have the same variables.
  warn = isMainThread ? (message): void => tellOfLoss('warn', message) : (): void => {};
  early.forEach(warn);
  const settings = settingsFrom(environment);
  if (settings.disabled) return;
  if (isMainThread) registerApp(environment, settings);
  else joinApp();
}

function registerApp(environment: Environment, { exporterThread, histograms }: Settings): void {
  const pushed = new ExporterReader({
    temporality: exporterThread?.otlp?.temporality ?? 'cumulative',
    exponentialHistograms: histograms === 'base2_exponential_bucket_histogram',
  });
  const other = new ExporterReader({ temporality: 'cumulative', exponentialHistograms: false });
  const readers = [
    ...(exporterThread?.otlp === undefined ? [] : [pushed]),
    ...(exporterThread?.prometheus === undefined && exporterThread?.console === undefined ? [] : [other]),
  ];
  const shared = storeOfEnvironment();
  const provider = new SeqlockMeterProvider({
    resource: detectedResource(environment),
    readers,
    ...(shared && { store: shared }),
  });
  if (!isGlobal(provider)) {
    void provider.shutdown();
    return;
  }
  if (exporterThread === undefined) return;
  const options = { ...exporterThread, store: provider.store };
  startExporter(options, pushed.histogramSelection());
}

function joinApp(): void {
  if (MetricStore.published() !== undefined) isGlobal(new SeqlockMeterProvider());
  else
    tellOfLoss(
      'warn',
      'seqlock-metrics: this worker records no metrics: it found no store of the main thread. Preload seqlock-metrics/register in the main thread too, not in a worker alone',
    );
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
  const host = new ExporterThreadHost(options, { inBackground: true, histogramSelection });
  host.started.then(
    () => announce(host.summary(), isLoggerOurs),
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

function showWarnings(environment: Environment): void {
  const level = environment.oneOf(['OTEL_LOG_LEVEL'], LOG_LEVELS, 'info');
  isLoggerOurs = !hasLogger();
  if (level === 'none' || !isLoggerOurs) return;
  const name = level.toUpperCase() as Uppercase<Exclude<typeof level, 'none'>>;
  const log = (...texts: unknown[]): void => console.error(...texts); // standard output is the app's
  diag.setLogger({ error: log, warn: log, info: log, debug: log, verbose: log }, DiagLogLevel[name]);
}

register();
