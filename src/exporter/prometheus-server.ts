import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricSource } from '../collect/metric-source.ts';
import { createPrometheusHandler } from '../export/prometheus-handler.ts';
import type { ExporterPlan } from './options.ts';

export interface PrometheusServer {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

/** Serves a source's metrics. Rejects with the system's error when it cannot listen. */
export async function servePrometheus(
  source: MetricSource,
  { host, port, endpoint }: NonNullable<ExporterPlan['prometheus']>,
  exposition: ExporterPlan['exposition'],
): Promise<PrometheusServer> {
  const handle = createPrometheusHandler(source, exposition);
  const server = createServer((request, response) => {
    if (request.url?.split('?', 1)[0] === endpoint) void handle(request, response);
    else response.writeHead(404, { 'content-type': 'text/plain' }).end(`metrics are at ${endpoint}\n`);
  });
  await listen(server, host, port);
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
