/** A counter with many series and an address to scrape it at, for each contender: what the benchmarks of scrapes under load have in common. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as pio from '@prometheus-io/client';
import * as prom from 'prom-client';
import { SeqlockMeterProvider, startExporterThread } from '../src/index.ts';

export type Exposing = 'none' | 'official' | 'prom' | 'pio' | 'ours';
export type Labels = Record<string, string>;

export interface Exposed {
  /** Adds 1 to a series. */
  readonly add: (labels: Labels) => void;
  /** Where metrics are served; 0 for `none`. */
  readonly port: number;
}

const NAME = 'bench_requests';
const LABELS = ['route', 'method', 'status'];
/** More than any benchmark makes. */
export const MOST_SERIES = 200_000;

export function labelsOf(series: number): Labels {
  return { route: `/api/v1/resource/${series}`, method: 'GET', status: '200' };
}

/** In a worker thread nothing is served: it joins what the main thread has exposed. */
export async function expose(contender: Exposing, isWorker = false): Promise<Exposed> {
  switch (contender) {
    case 'none':
      return { add: () => {}, port: 0 };
    case 'official': {
      const exporter = new PrometheusExporter({ preventServerStart: true });
      Object.assign(exporter, { _cardinalitySelector: () => MOST_SERIES }); // it has no option for it
      const counter = new MeterProvider({ readers: [exporter] }).getMeter('bench').createCounter(NAME);
      const port = await serve((request, response) => exporter.getMetricsRequestHandler(request, response));
      return { add: (labels) => counter.add(1, labels), port };
    }
    case 'prom': {
      const registers = [new prom.Registry()];
      const counter = new prom.Counter({ name: NAME, help: 'h', labelNames: LABELS, registers });
      const port = await serve(
        (_, response) => void registers[0]!.metrics().then((text) => response.end(text)),
      );
      return { add: (labels) => counter.inc(labels, 1), port };
    }
    case 'pio': {
      const registry = new pio.WorkerRegistry();
      const counter = new pio.Counter({ name: NAME, help: 'h', labelNames: LABELS });
      const answer: RequestListener = (_, response) =>
        void registry.workerMetrics().then(
          (text) => response.end(text),
          (error: unknown) => response.writeHead(500).end(String(error)),
        );
      return { add: (labels) => counter.inc(labels, 1), port: isWorker ? 0 : await serve(answer) };
    }
    case 'ours': {
      const views = [{ instrumentName: '*', aggregationCardinalityLimit: MOST_SERIES }]; // workers follow
      const provider = new SeqlockMeterProvider(isWorker ? {} : { views });
      const counter = provider.getMeter('bench').createCounter(NAME);
      const add = (labels: Labels): void => counter.add(1, labels);
      if (isWorker) return { add, port: 0 };
      const exporter = await startExporterThread({ prometheus: { host: '127.0.0.1', port: 0 } });
      return { add, port: exporter.address!.port };
    }
  }
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
