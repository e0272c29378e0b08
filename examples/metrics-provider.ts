/**
 * The integration example of the founding specification as an HTTP service. It counts requests, shows how
 * many are under way, and times each.
 *
 *   node build/examples/metrics-provider.js                    # seqlock mode
 *   node build/examples/metrics-provider.js standard           # or compare
 *   node build/examples/metrics-provider.js path/to/app.toml   # [event_processor] enabled = true
 *
 * GET /work?ms=20 works for 20 ms. /metrics is the Prometheus text, /metrics.json the JSON. PORT changes the
 * port.
 */
import { diag, DiagConsoleLogger, DiagLogLevel } from '@opentelemetry/api';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { createMetricsProvider, Timer, type MetricsMode, type MetricsProvider } from 'seqlock-metrics';

diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.INFO); // says which mode was started, and why

const [, , argument = 'seqlock'] = process.argv;
const isMode = (text: string): text is MetricsMode => ['seqlock', 'standard', 'compare'].includes(text);
const metrics: MetricsProvider = createMetricsProvider(isMode(argument) ? { mode: argument } : argument);

async function processRequest(url: URL): Promise<string> {
  await wait(Number(url.searchParams.get('ms') ?? 1));
  return 'done\n';
}

async function handleRequest(request: IncomingMessage, url: URL): Promise<string> {
  // Track request count
  const requests = metrics.counter('api_requests_total', 'Total API requests', { labelNames: ['method'] });
  requests.labels({ method: request.method ?? '' }).inc();

  // Track active requests
  const active = metrics.gauge('api_requests_active', 'Active API requests');
  active.inc();

  // Time the request: recorded when the function ends, however it ends
  const duration = metrics.histogram(
    'api_request_duration_seconds',
    'API request duration',
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  );
  using _timer = new Timer(duration);
  try {
    return await processRequest(url);
  } finally {
    active.dec();
  }
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  switch (url.pathname) {
    case '/metrics':
      response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
      response.end(metrics.exportPrometheus());
      return;
    case '/metrics.json':
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ uptimeSeconds: metrics.uptimeSeconds(), ...metrics.exportJson() }));
      return;
    default:
      response.end(await handleRequest(request, url));
  }
}

const port = Number(process.env['PORT'] ?? 8080);
const server = createServer((request, response) => {
  respond(request, response).catch((error: unknown) => {
    response.statusCode = 500;
    response.end(`${String(error)}\n`);
  });
});
server.listen(port, () => console.log(`http://localhost:${port}/metrics`));

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void metrics.shutdown(); // in compare mode it says where the two differ and what each costs
});
