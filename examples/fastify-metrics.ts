/** Metrics of a fastify application: the reply is hijacked, since the handler writes the answer itself, piece by piece. */
import { fastify } from 'fastify';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const provider = new SeqlockMeterProvider();
const requests = provider.getMeter('example').createCounter('http.server.requests', { unit: '{request}' });
const metrics = createPrometheusHandler(provider.store);

const app = fastify();
app.get('/metrics', async (request, reply) => {
  reply.hijack();
  await metrics(request.raw, reply.raw);
});
app.get('/*', (request, reply) => {
  requests.add(1, { method: request.method });
  void reply.send('hello\n');
});

await app.listen({ port: Number(process.env['PORT'] ?? 8080) });
console.log(app.server.address());
