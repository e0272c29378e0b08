/** The app that is abused, in a process of its own: `node app.js <AppOptions as JSON>`. It says where it listens, and does what it is told. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, open } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import {
  createPrometheusHandler,
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  startExporterThread,
  type PrometheusServerOptions,
} from '../../src/index.ts';

export interface AppOptions {
  /** Who serves: the exporter thread, or a handler in the app's own server, over its reader. */
  readonly serves: 'thread' | 'handler';
  readonly series: number;
  /** Has a callback that works for so long. */
  readonly callbackMillis?: number;
  /** Has a callback that never ends. */
  readonly hangs?: boolean;
  readonly prometheus?: PrometheusServerOptions;
  readonly maxBytes?: number;
}

export type AppCommand = 'report' | 'end the exporter thread' | 'fill the store' | 'block the pool';

export interface AppReport {
  /** Where metrics are. */
  readonly metricsPort: number;
  /** Where the app answers. */
  readonly appPort: number;
  readonly callbacks: number;
  /** Of the event loop's time since the last report. */
  readonly busy: number;
}

const { serves, series, callbackMillis, hangs, prometheus, maxBytes } = JSON.parse(
  process.argv[2]!,
) as AppOptions;
const PER_COUNTER = 2000;

let exporterThread: Worker | undefined;
process.on('worker', (worker) => (exporterThread = worker));

const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider({
  store: MetricStore.open({ maxBytes: maxBytes ?? 256 * 2 ** 20 }),
  readers: serves === 'handler' ? [reader] : [],
});
const meter = provider.getMeter('abuse');
for (let made = 0; made < series; made += PER_COUNTER) {
  const counter = meter.createCounter(`requests_${made / PER_COUNTER}`);
  for (let i = 0; i < Math.min(PER_COUNTER, series - made); i++)
    counter.add(i * 7919, {
      route: `/api/v1/items/${i}`,
      method: i % 2 === 0 ? 'GET' : 'POST',
      status: 200 + (i % 5),
    });
}
const ticks = meter.createCounter('ticks');
setInterval(() => ticks.add(1), 10);

let callbacks = 0;
if (callbackMillis !== undefined)
  meter.createObservableGauge('observed').addCallback((result) => {
    callbacks++;
    const until = performance.now() + callbackMillis;
    while (performance.now() < until);
    result.observe(callbacks);
  });
if (hangs === true) meter.createObservableGauge('stuck').addCallback(() => new Promise(() => {}));

async function listening(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

let utilization = performance.eventLoopUtilization();
const appPort = await listening((_request, response) => response.end('the app\n'));
const metricsPort = await serve();

async function serve(): Promise<number> {
  if (serves === 'thread') {
    const local = { host: '127.0.0.1', port: 0, ...prometheus };
    return (await startExporterThread({ prometheus: local, lastExport: false })).address!.port;
  }
  const handler = createPrometheusHandler(reader, prometheus);
  return listening((request, response) => void handler(request, response));
}

function report(): void {
  const busy = performance.eventLoopUtilization(utilization).utilization;
  utilization = performance.eventLoopUtilization();
  process.send!({ metricsPort, appPort, callbacks, busy } satisfies AppReport);
}

process.on('message', (command: AppCommand) => {
  if (command === 'report') report();
  // In good order, for which it is started again: Node 20 aborts the process where a thread is terminated amid its HTTP parser.
  else if (command === 'end the exporter thread') exporterThread?.postMessage({ stop: true });
  else if (command === 'fill the store') {
    const filler = meter.createCounter('filler');
    for (let i = 0; i < 5000; i++) filler.add(1, { text: `${i}`.padEnd(500, 'x') });
  } else {
    // A pipe that nobody writes to: to open it takes a thread of the pool until the process ends, and no time of a processor.
    const pipe = join(mkdtempSync(join(tmpdir(), 'seqlock-abuse-')), 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (let i = 0; i < 4; i++) open(pipe, () => {});
  }
});
process.on('disconnect', () => process.exit());
report();
