/**
 * An app with something to look at, for the page's tests. Prints its port, then answers lines on standard
 * input: `hang <ms>` blocks a worker, `total` prints what was counted.
 */
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { SeqlockMeterProvider, startExporterThread } from '../../src/index.ts';

const ROUTES = [
  '/cart',
  '/checkout',
  '/search',
  '/item/:id',
  '/login',
  '/health',
  '/api/v1/orders',
  '/api/v1/users',
  '/api/v1/prices',
  '/static',
  '/feed',
  '/events',
  '/admin',
];

if (isMainThread) {
  const provider = new SeqlockMeterProvider({
    resource: {
      attributes: {
        'service.name': 'shop',
        'service.version': '2.4.1',
        'deployment.environment.name': 'test',
        'host.name': 'web-1',
      },
    },
    views: [{ instrumentName: 'http.requests', aggregationCardinalityLimit: 300 }],
  });
  const meter = provider.getMeter('shop');
  const thread = await startExporterThread({
    store: provider.store,
    prometheus: { host: '127.0.0.1', port: Number(process.argv[2] ?? 0) },
    ...(process.argv[3] === 'push' && {
      otlp: { url: 'http://127.0.0.1:9/v1/metrics', intervalMillis: 1000 },
    }),
  });
  const requests = meter.createCounter('http.requests', {
    unit: '{request}',
    description: 'Requests that were answered, by user.',
  });
  const duration = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    description: 'How long requests took.',
  });
  const queue = meter.createUpDownCounter('jobs.queued', {
    unit: '{job}',
    description: 'Jobs that wait for a worker.',
  });
  const memory = meter.createGauge('cache.size', {
    unit: 'By',
    description: 'Memory that the cache takes, by region.',
  });
  const sent = meter.createCounter('network.sent', { unit: 'By', description: 'Bytes that were sent.' });
  const exact = meter.createCounter('exact', { description: 'Seven at a time.' });
  const worker = new Worker(new URL(import.meta.url));
  let users = 0;
  let queued = 0;
  let total = 0;
  setInterval(() => {
    const load = 1.5 + Math.sin(Date.now() / 20_000) + Math.random() * 0.3;
    for (let i = 0; i < 12 * load; i++) {
      const route = ROUTES[Math.floor(Math.random() ** 2 * ROUTES.length)]!;
      users += Math.random() < 0.02 ? 1 : 0;
      requests.add(1, { 'http.route': route, 'user.id': `u${Math.floor(Math.random() * (40 + users))}` });
      const slow = Math.random() < 0.03 ? 1 + Math.random() : 0;
      duration.record(0.01 + Math.random() ** 4 * 0.6 * load + slow, {
        'http.route': route,
        'http.request.method': Math.random() < 0.8 ? 'GET' : 'POST',
      });
      sent.add(Math.floor(Math.random() * 60_000), { 'http.route': route });
    }
    const step = Math.random() < 0.5 ? 1 : queued > 0 ? -1 : 0;
    queued += step;
    queue.add(step);
    for (const region of ['eu', 'us', 'asia'])
      memory.record(2e7 * (1 + Math.sin(Date.now() / 30_000) / 4) * region.length, { region });
    exact.add(7);
    total += 7;
  }, 50);
  createInterface(process.stdin).on('line', (line) => {
    const [command, argument] = line.split(' ');
    if (command === 'hang') worker.postMessage(Number(argument));
    if (command === 'total') console.log(`total ${total}`);
  });
  console.log(`port ${thread.address!.port}`);
} else {
  const provider = new SeqlockMeterProvider();
  const jobs = provider
    .getMeter('shop')
    .createCounter('jobs.done', { unit: '{job}', description: 'Jobs that a worker has done.' });
  setInterval(
    () => jobs.add(Math.ceil(Math.random() * 5), { kind: Math.random() < 0.7 ? 'mail' : 'pdf' }),
    40,
  );
  parentPort!.on('message', (millis: number) =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis),
  );
}
