/**
 * An app whose event loop hangs on purpose, for five seconds at a time. Scrape it meanwhile:
 *
 *   npm run build && node build/examples/hanging-app.js
 *   curl http://localhost:9464/metrics
 *
 * The exporter thread answers. It shows what the worker goes on counting, and for how long the main thread
 * has hung.
 */
import { metrics } from '@opentelemetry/api';
import { isMainThread, Worker } from 'node:worker_threads';
import { SeqlockMeterProvider, startExporterThread } from 'seqlock-metrics';

const HANG_MILLIS = 5000;

function hang(): void {
  for (const end = performance.now() + HANG_MILLIS; performance.now() < end;);
  setImmediate(hang);
}

metrics.setGlobalMeterProvider(new SeqlockMeterProvider()); // in the worker: joins that of the main thread
const beats = metrics.getMeter('hanging-app').createCounter('beats');

if (isMainThread) {
  const { address } = await startExporterThread({ prometheus: {} });
  beats.add(1, { by: 'main' });
  const worker = new Worker(new URL(import.meta.url));
  console.log(`http://localhost:${address!.port}/metrics`, `and thread ${worker.threadId} goes on counting`);
  setTimeout(hang, 200);
} else setInterval(() => beats.add(1, { by: 'worker' }), 10);
