/**
 * An app with an exporter thread, run as a process of its own: exporter-app.js <how it goes> <OTLP receiver> [lastExport as JSON].
 * It prints the exporter's address as JSON once it is up, and has counted 5 by then.
 */
import { metrics } from '@opentelemetry/api';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { onExit } from 'signal-exit';
import { SeqlockMeterProvider, startExporterThread } from '../../src/index.ts';
import { eventually } from './eventually.ts';

export type AppWay =
  | 'natural'
  | 'process.exit'
  | 'throw'
  | 'reject'
  | 'wait' // for a signal
  | 'wait with a listener that exits'
  | 'wait with a listener for once, called first'
  | 'wait with a listener that goes on'
  | 'wait with signal-exit'
  | 'wait, exporter killed'
  | 'exit, exporter killed'
  | 'natural, exporter killed'
  | 'exit before it fails to start'
  | 'hang'
  | 'observe'
  | 'worker ends';

const [way, receiver, lastExport] = process.argv.slice(2) as [AppWay, string, string?];

async function main(): Promise<void> {
  const say = (text: string): void => void writeSync(1, `${text}\n`);
  const exporters: Worker[] = [];
  process.on('worker', (worker) => exporters.push(worker));
  metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
  const counter = metrics.getMeter('app').createCounter('counted');
  if (way === 'exit before it fails to start') {
    const thief = createServer().listen(0, '127.0.0.1');
    await once(thief, 'listening');
    const { port } = thief.address() as AddressInfo;
    const lastExport = { timeoutMillis: 60_000 };
    void startExporterThread({ prometheus: { host: '127.0.0.1', port }, otlp: {}, lastExport });
    process.exit(5);
  }
  const exporter = await startExporterThread({
    prometheus: { host: '127.0.0.1', port: 0 },
    otlp: { url: `${receiver}/v1/metrics`, intervalMillis: way === 'hang' ? 200 : 60_000 },
    ...(lastExport !== undefined && { lastExport: JSON.parse(lastExport) as object }),
  });
  counter.add(5);
  switch (way) {
    case 'natural':
    case 'observe':
      process.on('beforeExit', () => say('beforeExit'));
      if (way === 'observe')
        metrics
          .getMeter('app')
          .createObservableGauge('observed')
          .addCallback((result) => result.observe(7));
      setTimeout(() => counter.add(2), 20);
      break;
    case 'process.exit':
      setTimeout(() => (counter.add(2), process.exit(7)), 20);
      break;
    case 'throw':
      setTimeout(() => {
        counter.add(2);
        throw new Error('on purpose');
      }, 20);
      break;
    case 'reject':
      setTimeout(() => (counter.add(2), void Promise.reject(new Error('on purpose'))), 20);
      break;
    case 'wait with signal-exit':
      onExit(() => counter.add(2)); // is called when the listeners are off, just before the end
      break;
    case 'wait with a listener that exits':
      process.on('SIGTERM', () => setTimeout(() => (counter.add(2), process.exit(8)), 50));
      break;
    case 'wait with a listener for once, called first':
      process.prependOnceListener('SIGTERM', () =>
        setTimeout(() => {
          counter.add(100);
          process.exit(9);
        }, 50),
      );
      break;
    case 'wait with a listener that goes on':
      process.on('SIGTERM', () => {
        counter.add(2);
        setTimeout(() => process.exit(0), 200);
      });
      break;
    case 'wait, exporter killed':
    case 'exit, exporter killed':
    case 'natural, exporter killed':
      await exporters[0]!.terminate();
      counter.add(2);
      if (way === 'exit, exporter killed') process.exit(6);
      break;
    case 'hang':
      new Worker(new URL(import.meta.url), { workerData: 'hang' });
      new Worker(new URL(import.meta.url), { workerData: 'count' });
      new Worker(new URL(import.meta.url), { workerData: 'idle' });
      await eventually(async () => {
        const text = await (await fetch(`http://127.0.0.1:${exporter.address!.port}/metrics`)).text();
        return ['live_total', 'hung_total', 'idle_total'].every((name) => text.includes(name))
          ? true
          : undefined;
      });
      break;
    case 'worker ends':
      new Worker(new URL(import.meta.url), { workerData: 'exit' });
      break;
  }
  say(JSON.stringify(exporter.address));
  if (way === 'hang') for (;;);
  if (way.startsWith('wait')) setInterval(() => {}, 1000);
}

function worker(): void {
  metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
  const meter = metrics.getMeter('app');
  if (workerData === 'hang') {
    meter.createCounter('hung').add(1);
    for (;;);
  }
  if (workerData === 'idle') {
    meter.createCounter('idle').add(1);
    // As an idle worker of a pool.
    setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 100);
    return;
  }
  if (workerData === 'exit') {
    meter.createCounter('counted').add(2);
    process.exit(1);
  }
  const live = meter.createCounter('live');
  setInterval(() => live.add(1), 1);
}

if (isMainThread) await main();
else worker();
