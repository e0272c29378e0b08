/** A worker that joins, counts once through the global API, and may start the next one. */
import { metrics } from '@opentelemetry/api';
import { once } from 'node:events';
import { Worker, workerData } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../src/index.ts';

metrics.setGlobalMeterProvider(new SeqlockMeterProvider());
metrics.getMeter('joining').createCounter('joined').add(1);
const { depth = 0 } = (workerData ?? {}) as { depth?: number };
if (depth > 0) await once(new Worker(new URL(import.meta.url), { workerData: { depth: depth - 1 } }), 'exit');
