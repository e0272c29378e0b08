/** A metric with many series and an address to scrape it at, for each contender: what the benchmarks of scrapes have in common. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import * as pio from '@prometheus-io/client';
import * as prom from 'prom-client';
import { createPrometheusHandler, SeqlockMeterProvider, startExporterThread } from '../src/index.ts';

/** `ours` is served by the exporter thread; `handler` is ours as well, served by the app's own thread as the others are. */
export type Exposing = 'none' | 'official' | 'prom' | 'pio' | 'ours' | 'handler';
export type ExposedKind = 'counter' | 'histogram';
export type Labels = Record<string, string>;

export interface Exposed {
  /** Adds 1 to a series of a counter; a histogram takes the value. */
  readonly record: (labels: Labels, value: number) => void;
  /** Where metrics are served; 0 for `none`. */
  readonly port: number;
}

export const NAME = 'bench_requests';
export const PROM_LABELS = ['route', 'method', 'status'];
/** The default bounds of OpenTelemetry, given to prom-client too. */
export const PROM_BUCKETS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];
/** More than any benchmark makes. */
export const MAX_SERIES = 200_000;
export const PUSH_EVERY_MILLIS = 2000;

export interface ExposeOptions {
  readonly kind?: ExposedKind;
  /** In a worker thread nothing is served: it joins what the main thread has exposed. */
  readonly isWorker?: boolean;
  /** Workers record too. `pio` then exports those of workers alone: it has one or the other. */
  readonly hasWorkers?: boolean;
  /** There is an observable gauge too, in each thread: a scrape then has something to ask a thread for that may hang. */
  readonly observes?: boolean;
  /** Where contenders that push OTLP do so, beside being scraped. */
  readonly otlpUrl?: string | undefined;
}

export function labelsOf(series: number): Labels {
  return { route: `/api/v1/resource/${series}`, method: 'GET', status: '200' };
}

export async function expose(
  contender: Exposing,
  {
    kind = 'counter',
    isWorker = false,
    hasWorkers = isWorker,
    observes = false,
    otlpUrl: url,
  }: ExposeOptions = {},
): Promise<Exposed> {
  const { observeOtel, observeProm } = observes ? OBSERVING : NOT_OBSERVING;
  switch (contender) {
    case 'none':
      return { record: () => {}, port: 0 };
    case 'official': {
      const exporter = new PrometheusExporter({ preventServerStart: true });
      Object.assign(exporter, { _cardinalitySelector: () => MAX_SERIES }); // it has no option for it
      const readers = [exporter, ...(url === undefined ? [] : [officialPush(url)])];
      const provider = new MeterProvider({ readers });
      observeOtel(provider);
      const record = otelRecord(provider, kind);
      const port = await serve((request, response) => exporter.getMetricsRequestHandler(request, response));
      return { record, port };
    }
    case 'prom': {
      const registers = [new prom.Registry()];
      const options = { name: NAME, help: 'h', labelNames: PROM_LABELS, registers };
      observeProm((gauge) => new prom.Gauge({ ...gauge, registers }));
      const record = promRecord(
        kind === 'counter'
          ? new prom.Counter(options)
          : new prom.Histogram({ ...options, buckets: PROM_BUCKETS }),
      );
      const port = await serve(
        (_, response) => void registers[0]!.metrics().then((text) => response.end(text)),
      );
      return { record, port };
    }
    case 'pio': {
      const options = { name: NAME, help: 'h', labelNames: PROM_LABELS };
      observeProm((gauge) => new pio.Gauge(gauge));
      const record = promRecord(
        kind === 'counter'
          ? new pio.Counter(options)
          : new pio.Histogram({ ...options, buckets: PROM_BUCKETS }),
      );
      const workers = hasWorkers ? new pio.WorkerRegistry() : undefined;
      const answer: RequestListener = (_, response) =>
        void (workers?.workerMetrics() ?? pio.register.metrics()).then(
          (text) => response.end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      return { record, port: isWorker ? 0 : await serve(answer) };
    }
    case 'ours':
    case 'handler': {
      const views = [{ instrumentName: '*', aggregationCardinalityLimit: MAX_SERIES }]; // workers follow
      const provider = new SeqlockMeterProvider(isWorker ? {} : { views });
      observeOtel(provider);
      const record = otelRecord(provider, kind);
      if (isWorker) return { record, port: 0 };
      if (contender === 'handler') {
        const handler = createPrometheusHandler(provider.store);
        return { record, port: await serve((request, response) => void handler(request, response)) };
      }
      const exporter = await startExporterThread({
        prometheus: { host: '127.0.0.1', port: 0 },
        ...(url !== undefined && { otlp: { url, intervalMillis: PUSH_EVERY_MILLIS } }),
      });
      return { record, port: exporter.address!.port };
    }
  }
}

interface ObservedGauge {
  readonly name: string;
  readonly help: string;
  collect(this: { set(value: number): void }): void;
}

const OBSERVING = {
  observeOtel: (provider: ApiMeterProvider): void =>
    provider
      .getMeter('bench')
      .createObservableGauge('bench_uptime')
      .addCallback((result) => result.observe(process.uptime())),
  observeProm: (make: (gauge: ObservedGauge) => unknown): void =>
    void make({
      name: 'bench_uptime',
      help: 'h',
      collect() {
        this.set(process.uptime());
      },
    }),
};
const NOT_OBSERVING: typeof OBSERVING = { observeOtel: () => {}, observeProm: () => {} };

function officialPush(url: string): PeriodicExportingMetricReader {
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url }),
    exportIntervalMillis: PUSH_EVERY_MILLIS,
    exportTimeoutMillis: PUSH_EVERY_MILLIS,
    cardinalityLimits: { default: MAX_SERIES },
  });
}

function otelRecord(provider: ApiMeterProvider, kind: ExposedKind): Exposed['record'] {
  const meter = provider.getMeter('bench');
  if (kind === 'counter') {
    const counter = meter.createCounter(NAME);
    return (labels) => counter.add(1, labels);
  }
  const histogram = meter.createHistogram(NAME);
  return (labels, value) => histogram.record(value, labels);
}

function promRecord(metric: Pick<prom.Counter, 'inc'> | Pick<prom.Histogram, 'observe'>): Exposed['record'] {
  return 'inc' in metric
    ? (labels) => metric.inc(labels, 1)
    : (labels, value) => metric.observe(labels, value);
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
