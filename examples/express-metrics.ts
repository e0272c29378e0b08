/** Metrics of an express application. The handler is a request listener, so it is a route as it stands. */
import express from 'express';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const provider = new SeqlockMeterProvider();
const requests = provider.getMeter('example').createCounter('http.server.requests', { unit: '{request}' });

const app = express();
app.all('/metrics', createPrometheusHandler(provider.store));
app.use((request, response) => {
  requests.add(1, { method: request.method });
  response.send('hello\n');
});

const port = Number(process.env['PORT'] ?? 8080);
app.listen(port, () => console.log(`http://localhost:${port}/metrics`));
