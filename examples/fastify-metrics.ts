/**
 * Metrics of a fastify application. The handler is a route as it stands: it takes the reply over and writes
 * the answer itself.
 */
import { fastify } from 'fastify';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const provider = new SeqlockMeterProvider();
const requests = provider.getMeter('example').createCounter('http.server.requests', { unit: '{request}' });

const app = fastify();
app.get('/metrics', createPrometheusHandler(provider.store));
app.get('/*', (request, reply) => {
  requests.add(1, { method: request.method });
  void reply.send('hello\n');
});

const port = Number(process.env['PORT'] ?? 8080);
await app.listen({ port });
console.log(`http://localhost:${port}/metrics`);
