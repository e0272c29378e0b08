/** Four threads, one total. The file runs in the main thread and in each worker. */
import { metrics } from '@opentelemetry/api';
import { once } from 'node:events';
import { isMainThread, Worker } from 'node:worker_threads';
import { SeqlockMeterProvider, SeqlockMetricReader } from 'seqlock-metrics';

const WORKERS = 4;
const TIMES = 250_000;

if (isMainThread) {
  const reader = new SeqlockMetricReader();
  const provider = new SeqlockMeterProvider({ readers: [reader] });
  const workers = Array.from({ length: WORKERS }, () => new Worker(new URL(import.meta.url)));
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  const [rounds] = reader.snapshot().scopeMetrics[0]!.metrics;
  console.log(rounds!.dataPoints[0]!.value, `= ${WORKERS} x ${TIMES}, from threads that are gone`);
  await provider.shutdown();
} else {
  metrics.setGlobalMeterProvider(new SeqlockMeterProvider()); // joins the store of the main thread
  const rounds = metrics.getMeter('work').createCounter('rounds');
  for (let i = 0; i < TIMES; i++) rounds.add(1, { kind: 'demo' });
}
