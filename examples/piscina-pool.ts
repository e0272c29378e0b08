/**
 * A worker pool whose tasks count in the store of the main thread. The file is the app and, in the pool's
 * workers, the task.
 */
import { metrics } from '@opentelemetry/api';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';

const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider(isMainThread ? { readers: [reader] } : {}); // in a worker: joins
metrics.setGlobalMeterProvider(provider);

const meter = metrics.getMeter('pool');
const hashed = meter.createCounter('hashed', { unit: 'By' });
const busy = meter.createHistogram('task.duration', { unit: 'ms' });

/** The task: runs in the workers. */
export default function hash(text: string): string {
  const started = performance.now();
  const digest = createHash('sha256').update(text).digest('hex');
  hashed.add(text.length, { algorithm: 'sha256' });
  busy.record(performance.now() - started);
  return digest;
}

if (isMainThread) {
  const pool = new Piscina({ filename: fileURLToPath(import.meta.url), maxThreads: 4 });
  await Promise.all(Array.from({ length: 100 }, () => pool.run('x'.repeat(1000))));
  await pool.destroy(); // the workers are gone, and what they counted stays
  for (const { descriptor, dataPoints } of reader.snapshot().scopeMetrics[0]!.metrics)
    console.log(descriptor.name, dataPoints[0]!.value);
  await provider.shutdown();
}
