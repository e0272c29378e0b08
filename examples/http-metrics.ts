/**
 * Metrics of a `node:http` server, served by itself. `npm run build && node build/examples/http-metrics.js`,
 * then GET /metrics.
 */
import { createServer } from 'node:http';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const provider = new SeqlockMeterProvider();
const requests = provider.getMeter('example').createCounter('http.server.requests', { unit: '{request}' });
const metrics = createPrometheusHandler(provider.store);

const port = Number(process.env['PORT'] ?? 8080);
const server = createServer((request, response) => {
  if (request.url === '/metrics') {
    void metrics(request, response);
    return;
  }
  requests.add(1, { method: request.method ?? '' });
  response.end('hello\n');
});

server.listen(port, () => console.log(`http://localhost:${port}/metrics`));
