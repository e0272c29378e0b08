/**
 * An app that makes it hard for its exporter thread: hard-app.js <what> <OTLP receiver> [fifo]. It prints what it knows as JSON once it is
 * up, and has counted 5 by then.
 */
import { diag, metrics } from '@opentelemetry/api';
import { open, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import threads, { type Worker } from 'node:worker_threads';
import { SeqlockMeterProvider, startExporterThread } from '../../src/index.ts';

export type Hardship =
  | 'a thread pool that is full'
  | 'no thread, then one'
  | 'no thread at its end'
  | 'a stop that is not waited for'
  | 'a logger that throws'
  | 'nobody at the port'
  | 'nobody at the port, in mid-flush';

const [what, receiver, fifo] = process.argv.slice(2) as [Hardship, string, string];
const POOL_THREADS = 4;

const exporters: Worker[] = [];
process.on('worker', (worker) => exporters.push(worker));
if (what === 'a logger that throws') {
  const fail = (): never => {
    throw new Error('on purpose');
  };
  diag.setLogger({ error: fail, warn: fail, info: fail, debug: fail, verbose: fail });
}
const provider = new SeqlockMeterProvider();
metrics.setGlobalMeterProvider(provider);
const counter = metrics.getMeter('app').createCounter('counted');
const exporter = await startExporterThread({
  prometheus: { host: 'localhost', port: 0 },
  otlp: {
    url: `${receiver}/v1/metrics`,
    intervalMillis: what.startsWith('nobody') ? 60_000 : 300,
    compression: 'gzip',
  },
  lastExport: { timeoutMillis: 10_000 },
});
counter.add(5);

/** From here on the system has no thread to give. Returns what ends that. */
function refuseThreads(): () => void {
  const { Worker } = threads;
  const refuse = class {
    constructor() {
      throw Object.assign(new Error('no thread'), { code: 'ERR_WORKER_INIT_FAILED' });
    }
  };
  threads.Worker = refuse as never;
  syncBuiltinESMExports();
  return () => {
    threads.Worker = Worker;
    syncBuiltinESMExports();
  };
}

let giveThreads: (() => void) | undefined;
switch (what) {
  case 'a thread pool that is full':
    await wait(700); // a name that was never found cannot be kept
    for (let i = 0; i < 2 * POOL_THREADS; i++) open(fifo, 'r', () => {}); // waits until somebody writes
    break;
  case 'no thread, then one':
  case 'no thread at its end':
    giveThreads = refuseThreads();
    await exporters[0]!.terminate();
    break;
  case 'a logger that throws':
    await exporters[0]!.terminate(); // which is warned of
    break;
  case 'nobody at the port, in mid-flush':
    void exporter.forceFlush().catch(() => {}); // is tried for 10 seconds
    await wait(400);
    break;
}
writeSync(1, `${JSON.stringify({ port: exporter.address?.port })}\n`);

process.on('SIGUSR2', () => void exporters.at(-1)!.terminate());
process.on('SIGTERM', () => {
  counter.add(2);
  process.exit(7);
});
process.on('exit', () => writeSync(1, 'exit\n'));
switch (what) {
  case 'a thread pool that is full':
    setInterval(() => {}, 1000);
    break;
  case 'no thread, then one':
    setTimeout(() => giveThreads!(), 250);
    setInterval(() => {}, 1000);
    break;
  case 'a logger that throws':
    setInterval(() => {}, 1000);
    break;
  case 'nobody at the port, in mid-flush':
    setTimeout(() => process.exit(0)); // the flush would keep it up
    break;
  case 'a stop that is not waited for':
    counter.add(2);
    void exporter.stop();
    setTimeout(() => process.exit(7));
}
