/**
 * An HTTP server that leaves heavy work to workers. GET /primes?below=1000000 counts primes in one of them.
 * GET /metrics shows what all threads have measured. The file is the server and, in each worker, the work.
 */
import { createServer } from 'node:http';
import { isMainThread, parentPort, threadId, Worker } from 'node:worker_threads';
import { createPrometheusHandler, SeqlockMeterProvider } from 'seqlock-metrics';

const WORKERS = 2;
const provider = new SeqlockMeterProvider(); // in a worker: joins the store of the server's thread
const meter = provider.getMeter('primes');

function countPrimes(below: number): number {
  const isComposite = new Uint8Array(below);
  let primes = 0;
  for (let n = 2; n < below; n++) {
    if (isComposite[n] === 1) continue;
    primes++;
    for (let multiple = n * n; multiple < below; multiple += n) isComposite[multiple] = 1;
  }
  return primes;
}

function work(): void {
  const duration = meter.createHistogram('primes.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.01, 0.1, 1] },
  });
  // One row for each worker that is alive, told apart by thread.id.
  const largest = meter.createGauge('primes.largest_task', { merge: 'per-writer' });
  let most = 0;
  parentPort!.on('message', ({ id, below }: { id: number; below: number }) => {
    const started = performance.now();
    const primes = countPrimes(below);
    duration.record((performance.now() - started) / 1000);
    largest.record((most = Math.max(most, below)));
    parentPort!.postMessage({ id, primes, by: threadId });
  });
}

function serve(): void {
  const requests = meter.createCounter('http.server.requests', { unit: '{request}' });
  const metrics = createPrometheusHandler(provider.store, { selfMetrics: true });
  const waiting = new Map<number, (answer: object) => void>();
  const workers = Array.from({ length: WORKERS }, () => {
    const worker = new Worker(new URL(import.meta.url));
    worker.on('message', ({ id, ...answer }: { id: number }) => {
      waiting.get(id)?.(answer);
      waiting.delete(id);
    });
    return worker;
  });
  let last = 0;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/metrics') {
      void metrics(request, response);
      return;
    }
    requests.add(1, { path: pathname === '/primes' ? pathname : 'other' }); // few values
    const below = Number(searchParams.get('below'));
    if (pathname !== '/primes' || !(below >= 0 && below <= 1e8)) {
      response.writeHead(404).end();
      return;
    }
    const id = ++last;
    waiting.set(id, (answer) => response.end(JSON.stringify(answer)));
    workers[id % WORKERS]!.postMessage({ id, below });
  });
  const port = Number(process.env['PORT'] ?? 8080);
  server.listen(port, () => console.log(`http://localhost:${port}/primes?below=1000000 and /metrics`));
}

if (isMainThread) serve();
else work();
