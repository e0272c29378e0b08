/** A thread with a `SeqlockMetricsProvider` of its own, which does what it is told. See `metrics-thread.ts`. */
import { parentPort } from 'node:worker_threads';
import { SeqlockMetricsProvider } from '../../src/index.ts';
import type { MetricsJob } from './metrics-thread.ts';

const metrics = new SeqlockMetricsProvider();
const counter = metrics.counter('jobs_total', 'Jobs');
const gauge = metrics.gauge('level', 'Level');
const histogram = metrics.histogram('size', 'Size', [1, 10, 100]);

function perform(job: MetricsJob): unknown {
  switch (job.do) {
    case 'record':
      for (let i = 0; i < job.times; i++) {
        counter.inc();
        gauge.inc(2);
        gauge.dec();
        histogram.observe(i % 200);
      }
      return undefined;
    case 'set':
      gauge.set(job.value);
      return undefined;
    case 'add':
      gauge.inc(job.value);
      return undefined;
    case 'read':
      return { counter: counter.value(), gauge: gauge.value(), count: histogram.stats().count };
    case 'set until told': {
      let sets = 0;
      while (Atomics.load(job.stop, 0) === 0) gauge.set(++sets * job.step);
      return sets;
    }
    case 'add until told': {
      let additions = 0;
      for (; Atomics.load(job.stop, 0) === 0; additions++) gauge.inc();
      return additions;
    }
  }
}

parentPort!.on('message', ({ id, job }: { id: number; job: MetricsJob }) =>
  parentPort!.postMessage({ id, reply: perform(job) }),
);
