/** A thread that reads, writes or only computes, without a pause, until it is terminated. Tells when it begins. */
import { parentPort, workerData } from 'node:worker_threads';
import { SeqlockMetricsProvider } from '../src/facade/metrics/seqlock-metrics-provider.ts';

export type ContentionRole = 'read' | 'write' | 'spin';

const metrics = new SeqlockMetricsProvider();
const counter = metrics.counter('c', '');
const histogram = metrics.histogram('h', '');
let total = 0;

const ROLES: Readonly<Record<ContentionRole, () => void>> = {
  read: () => (total += counter.value() + histogram.stats().count),
  write: () => {
    counter.inc();
    histogram.observe(0.1);
  },
  spin: () => (total += Math.sqrt(total + 1)),
};

const act = ROLES[workerData as ContentionRole];
act();
parentPort!.postMessage('up');
for (;;) act();
