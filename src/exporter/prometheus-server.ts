import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { clearTimeout, performance, setTimeout } from '../base/platform.ts';
import { tellOfLoss } from '../base/warnings.ts';
import type { MetricSource } from '../collect/metric-source.ts';
import { unguardedHandler } from '../export/prometheus-handler.ts';
import type { DeliveryRecord } from './delivery-record.ts';
import { guardedServer } from './guarded-server.ts';
import type { HostNames } from './host-names.ts';
import type { ExporterPlan } from './options.ts';
import type { Page } from './page.ts';

export interface PrometheusServer {
  /** Undefined while another process has the port. */
  address(): AddressInfo | undefined;
  /** Stops listening. Connections have a second to end. */
  close(): Promise<void>;
}

export interface PrometheusExtras {
  /** Keeps account of scrapes. */
  readonly scrapes?: DeliveryRecord | undefined;
  /** Answers what is not for the metrics. It is closed with the server. */
  readonly page?: Page | undefined;
}

/** How often a port that is taken is tried again. */
const PORT_TRY_MILLIS = 500;
/**
 * A process that was killed may still be giving up its port. So it is tried for this long before anything is
 * said.
 */
const PATIENCE_MILLIS = 200;
const PATIENT_TRY_MILLIS = 20;
const DRAIN_MILLIS = 1000;

/**
 * Serves a source's metrics to those who may ask. Rejects with the system's error if it cannot listen, or if
 * a file with access rules cannot be used. A port that is taken is tried until it is free: when an app is
 * replaced, the new process starts before the old one has ended.
 */
export async function servePrometheus(
  source: MetricSource,
  { host, port, endpoint }: NonNullable<ExporterPlan['prometheus']>,
  exposition: ExporterPlan['exposition'],
  names: HostNames,
  onListening: (address: AddressInfo) => void = () => {},
  { scrapes, page }: PrometheusExtras = {},
): Promise<PrometheusServer> {
  const handle = unguardedHandler(source, exposition);
  const server = guardedServer(exposition, host, async (request, response) => {
    if (request.url?.split('?', 1)[0] === endpoint) {
      if (scrapes !== undefined) recordScrape(response, scrapes);
      await handle(request, response);
    } else if (page?.answer(request, response) !== true)
      response.writeHead(404, { 'content-type': 'text/plain' }).end(`metrics are at ${endpoint}\n`);
  });
  server.on('listening', () => onListening(server.address() as AddressInfo));
  const { address } = (await names.find(host))[0]!;
  let timer: NodeJS.Timeout | undefined;
  const listenWhenFree = (): void => {
    timer = setTimeout(() => void listen(server, address, port).catch(listenWhenFree), PORT_TRY_MILLIS);
  };
  if (!(await listenPatiently(server, address, port))) {
    tellOfLoss(
      'warn',
      `seqlock-metrics: Prometheus cannot be served at ${host}:${port} yet: something else listens there, for example the app's previous process, another app, or another process of a cluster that has a store of its own. The port is tried again until it is free. If it stays taken, choose another prometheus.port (OTEL_EXPORTER_PROMETHEUS_PORT), 0 takes any free port; or give the processes of a cluster one store (SEQLOCK_METRICS_DIRECTORY)`,
    );
    listenWhenFree();
  }
  return {
    address: () => (server.address() as AddressInfo | null) ?? undefined,
    close: () =>
      new Promise((resolve) => {
        clearTimeout(timer);
        page?.close();
        const drain = setTimeout(() => server.closeAllConnections(), DRAIN_MILLIS);
        server.close(() => {
          clearTimeout(drain);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** False if the port is taken. Rejects with any other error. */
async function listenPatiently(server: Server, host: string, port: number): Promise<boolean> {
  const end = performance.now() + PATIENCE_MILLIS;
  for (;;)
    try {
      await listen(server, host, port);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, PATIENT_TRY_MILLIS));
    }
}

function recordScrape(response: ServerResponse, scrapes: DeliveryRecord): void {
  const begun = performance.now();
  response.once('close', () => {
    const { statusCode, writableFinished } = response;
    if (statusCode >= 400) scrapes.failed(`the answer was ${statusCode} ${response.statusMessage}`);
    else if (!writableFinished) scrapes.failed('the scraper was gone before it had the answer');
    else scrapes.succeeded(performance.now() - begun, Number(response.getHeader('content-length')));
  });
}

/** `exclusive`: otherwise the primary process of a cluster would listen for its workers. */
async function listen(server: Server, host: string, port: number): Promise<void> {
  const listening = once(server, 'listening');
  server.listen({ host, port, exclusive: true });
  await listening;
}
