/**
 * What `start.ts` times, in a process of its own: start-app.js <task as JSON>. Nothing of a contender is loaded
 * before the clock runs. Prints what it took, or serves until it is killed.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export type Starting = 'none' | 'ours' | 'official';
export type StartTask =
  /** Imports an entry point. */
  | { readonly what: 'import'; readonly url: string }
  /** A worker that makes a provider and records, in a process whose main thread has one. */
  | { readonly what: 'worker'; readonly contender: Starting; readonly ours: string }
  | { readonly what: 'exporter thread'; readonly ours: string }
  /** An app that serves its metrics at a port. `ours` is served by what was imported before this file. */
  | { readonly what: 'process'; readonly contender: Starting; readonly port: number };

/** Milliseconds it took, and bytes of memory that came to the process. */
export interface StartFigures {
  readonly millis: number;
  readonly bytes: number;
}

type Ours = typeof import('../src/index.ts');

async function record(contender: Starting, ours: string): Promise<void> {
  if (contender === 'none') return;
  const provider = contender === 'ours' ? await ownProvider(ours) : await officialProvider();
  provider.getMeter('bench').createCounter('started').add(1, { a: 'b' });
}

async function ownProvider(ours: string) {
  const { SeqlockMeterProvider } = (await import(ours)) as Ours;
  return new SeqlockMeterProvider();
}

async function officialProvider() {
  const { MeterProvider, MetricReader } = await import('@opentelemetry/sdk-metrics');
  class Reader extends MetricReader {
    protected override async onShutdown(): Promise<void> {}
    protected override async onForceFlush(): Promise<void> {}
  }
  return new MeterProvider({ readers: [new Reader()] });
}

async function timed(start: () => Promise<unknown>): Promise<StartFigures> {
  const before = process.memoryUsage.rss();
  const from = performance.now();
  await start();
  const millis = performance.now() - from;
  return { millis, bytes: process.memoryUsage.rss() - before };
}

async function serve(contender: Starting, port: number): Promise<void> {
  setInterval(() => {}, 60_000); // what serves metrics keeps no process alive
  if (contender === 'ours') return;
  if (contender === 'none') {
    createServer((_, response) => response.end()).listen(port, '127.0.0.1');
    return;
  }
  const { PrometheusExporter } = await import('@opentelemetry/exporter-prometheus');
  const { MeterProvider } = await import('@opentelemetry/sdk-metrics');
  const { metrics } = await import('@opentelemetry/api');
  const exporter = new PrometheusExporter({ host: '127.0.0.1', port });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
}

async function run(task: StartTask): Promise<StartFigures | undefined> {
  switch (task.what) {
    case 'import':
      return timed(() => import(task.url));
    case 'worker': {
      if (task.contender === 'ours') await record('ours', task.ours);
      let worker: Worker | undefined;
      const figures = await timed(async () => {
        worker = new Worker(new URL(import.meta.url), { workerData: task });
        await once(worker, 'message');
      });
      await worker!.terminate();
      return figures;
    }
    case 'exporter thread': {
      const { MetricStore, startExporterThread } = (await import(task.ours)) as Ours;
      const store = MetricStore.open();
      return timed(() => startExporterThread({ store, prometheus: { port: 0 } }));
    }
    case 'process':
      await serve(task.contender, task.port);
      return undefined;
  }
}

if (isMainThread) {
  const figures = await run(JSON.parse(process.argv[2]!) as StartTask);
  if (figures !== undefined) {
    console.log(JSON.stringify(figures));
    process.exit();
  }
} else {
  const { contender, ours } = workerData as StartTask & { readonly what: 'worker' };
  await record(contender, ours);
  parentPort!.on('message', () => {}); // it stays, and so does its memory
  parentPort!.postMessage('recorded');
}
