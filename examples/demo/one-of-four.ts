/**
 * One process of a service. It does nothing for its metrics but count: it is started with
 * `--import seqlock-metrics/register`, and with a store directory that all four processes share.
 */
import { metrics } from '@opentelemetry/api';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const requests = metrics.getMeter('shop').createCounter('shop.requests');
const server = createServer((request, response) => {
  requests.add(1, { 'http.request.method': request.method ?? '' });
  response.end('ok\n');
});
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port));
