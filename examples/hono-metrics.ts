/**
 * Metrics of a hono application on Node. The bindings hold Node's request and response, and the handler
 * answers these by itself.
 */
import { serve, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const provider = new SeqlockMeterProvider();
const requests = provider.getMeter('example').createCounter('http.server.requests', { unit: '{request}' });
const metrics = createPrometheusHandler(provider.store);

const app = new Hono<{ Bindings: HttpBindings }>();
app.get('/metrics', async (context) => {
  await metrics(context.env.incoming, context.env.outgoing);
  return RESPONSE_ALREADY_SENT;
});
app.get('/*', (context) => {
  requests.add(1, { method: context.req.method });
  return context.text('hello\n');
});

const port = Number(process.env['PORT'] ?? 8080);
serve({ fetch: app.fetch, port }, () => console.log(`http://localhost:${port}/metrics`));
