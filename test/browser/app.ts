/**
 * An app with something to look at, for tests of the page. Its argument says which: `shop`, `large`
 * (100,000 series), `many` (10,000 metrics, and attributes that mean harm) or `busy` (1,000 counters that all
 * change each second). Prints its port; then each line on standard input is a command.
 */
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { MetricStore, SeqlockMeterProvider, startExporterThread } from '../../src/index.ts';
import { HOSTILE } from './hostile.ts';

type Meter = ReturnType<SeqlockMeterProvider['getMeter']>;

const ROUTES =
  '/cart /checkout /search /item/:id /login /health /api/orders /api/users /api/prices /static /feed /events /admin'.split(
    ' ',
  );

async function main(): Promise<void> {
  const store = MetricStore.open({ maxBytes: 256 * 2 ** 20 });
  const limited = { instrumentName: 'http.requests', aggregationCardinalityLimit: 300 };
  const provider = new SeqlockMeterProvider({
    store,
    resource: { attributes: { 'service.name': 'shop', 'service.version': '2.4.1', 'host.name': 'web-1' } },
    views: [limited],
  });
  const { address } = await startExporterThread({ store, prometheus: { host: '127.0.0.1', port: 0 } });
  const meter = provider.getMeter('shop');
  const worker = new Worker(new URL(import.meta.url));
  const level = meter.createUpDownCounter('manual.level', { unit: '{job}' });
  const manual = meter.createHistogram('manual.histogram', {
    unit: 's',
    advice: { explicitBucketBoundaries: [1, 2, 4] },
  });
  createInterface(process.stdin).on('line', (line) => {
    const [command, argument] = line.split(' ');
    if (command === 'hang') worker.postMessage(Number(argument));
    if (command === 'level') level.add(Number(argument));
    if (command === 'record') manual.record(Number(argument));
  });
  KINDS[process.argv[2] as keyof typeof KINDS](meter);
  console.log(`port ${address!.port}`);
}

/** Records something, and is told to block its thread. */
function hangWhenTold(): void {
  const jobs = new SeqlockMeterProvider()
    .getMeter('shop')
    .createCounter('jobs.done', { unit: '{job}', description: 'Jobs that a worker has done.' });
  setInterval(() => jobs.add(2, { kind: Math.random() < 0.7 ? 'mail' : 'pdf' }), 40);
  parentPort!.on('message', (millis: number) =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis),
  );
}

const KINDS = {
  shop(meter: Meter): void {
    const requests = meter.createCounter('http.requests', {
      unit: '{request}',
      description: 'Requests that were answered, by route and user.',
    });
    const duration = meter.createHistogram('http.server.request.duration', {
      unit: 's',
      description: 'How long requests took.',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
    });
    const queue = meter.createUpDownCounter('jobs.queued', { unit: '{job}', description: 'Jobs that wait.' });
    const cache = meter.createGauge('cache.size', { unit: 'By', description: 'Memory of the cache.' });
    const sent = meter.createCounter('network.sent', { unit: 'By', description: 'Bytes that were sent.' });
    let queued = 0;
    let users = 40;
    setInterval(() => {
      const load = 1.4 + Math.sin(Date.now() / 20_000) + 0.3 * Math.random();
      for (let i = 0; i < 8 * load; i++) {
        const route = ROUTES[Math.floor(Math.random() ** 2 * ROUTES.length)]!;
        users += Math.random() < 0.02 ? 1 : 0;
        requests.add(1, { 'http.route': route, 'user.id': `u${Math.floor(Math.random() * users)}` });
        const slow = Math.random() < 0.02 * load ? Math.random() : 0;
        const method = Math.random() < 0.8 ? 'GET' : 'POST';
        duration.record(0.004 + Math.random() ** 3 * 0.2 * load + slow, {
          'http.route': route,
          'http.request.method': method,
        });
        sent.add(Math.floor(Math.random() * 60_000), { 'http.route': route });
      }
      const step = Math.random() < 0.5 + (load - 1.4) / 8 ? 1 : queued > 0 ? -1 : 0;
      queued += step;
      queue.add(step);
      for (const region of ['eu', 'us', 'asia'])
        cache.record(2e7 * (1 + Math.sin(Date.now() / 30_000) / 4) * region.length, { region });
    }, 50);
  },
  large(meter: Meter): void {
    const counters = Array.from({ length: 50 }, (_none, i) => meter.createCounter(`large.${i}`));
    for (const counter of counters)
      for (let i = 0; i < 2000; i++) counter.add(1, { route: `/r${i % 40}`, user: `u${Math.floor(i / 40)}` });
  },
  many(meter: Meter): void {
    for (let i = 0; i < 10_000; i++) meter.createCounter(`many.${i}`).add(i);
    for (const text of HOSTILE) {
      meter.createCounter('hostile', { description: text }).add(1, { [text]: text, key: text });
    }
  },
  busy(meter: Meter): void {
    const counters = Array.from({ length: 1000 }, (_none, i) => meter.createCounter(`busy.${i}`));
    setInterval(() => {
      for (const counter of counters) counter.add(1 + Math.floor(Math.random() * 100));
    }, 200);
  },
};

if (isMainThread) await main();
else hangWhenTold();
