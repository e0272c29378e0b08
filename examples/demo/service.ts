/**
 * A small HTTP service: GET /checksum/<algorithm>/<bytes>. Instrumented with the API of OpenTelemetry alone;
 * it does not know which SDK records.
 */
import { metrics } from '@opentelemetry/api';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorkerPool } from './worker-pool.ts';

const ROUTE = /^\/checksum\/(md5|sha1|sha256)\/(\d{1,6})$/;

export interface Service {
  readonly url: string;
  readonly server: Server;
}

/** Call it after the thread's provider was registered. Instruments made before that would record nothing. */
export async function startService(pool: WorkerPool): Promise<Service> {
  const meter = metrics.getMeter('checksum-service', '1.0.0');
  const requests = meter.createCounter('http.server.requests', {
    unit: '{request}',
    description: 'Requests answered',
  });
  const active = meter.createUpDownCounter('http.server.active_requests', { unit: '{request}' });
  const largest = meter.createGauge('checksum.last_size', {
    unit: 'By',
    description: 'Input of the last request',
  });
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] },
  });

  const server = createServer((request, response) => {
    const method = request.method ?? '';
    const started = performance.now();
    const [, algorithm, bytes] = ROUTE.exec(request.url ?? '') ?? [];
    const answer = (status: number, route: string, body: string): void => {
      const attributes = {
        'http.request.method': method,
        'http.route': route,
        'http.response.status_code': status,
      };
      requests.add(1, attributes);
      duration.record((performance.now() - started) / 1000, attributes);
      active.add(-1, { 'http.request.method': method });
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body);
    };
    active.add(1, { 'http.request.method': method });
    if (algorithm === undefined || bytes === undefined) {
      answer(404, '*', 'not found\n');
      return;
    }
    largest.record(Number(bytes));
    pool.run(algorithm, Number(bytes)).then(
      (digest) => answer(200, '/checksum/:algorithm/:bytes', `${digest}\n`),
      (error: unknown) => answer(500, '/checksum/:algorithm/:bytes', `${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
