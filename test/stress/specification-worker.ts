/** A thread that reads, or reads and writes, the metrics `c`, `g` and `h`, and checks all it reads. See `specification-crew.ts`. */
import { workerData } from 'node:worker_threads';
// Not from the index: 64 threads load what they need and no more.
import { SeqlockMetricsProvider } from '../../src/facade/metrics/seqlock-metrics-provider.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import * as crew from './specification-crew.ts';

const { index, control, lock } = workerData as crew.CrewData;
const report = crew.FIRST_REPORT + crew.REPORT_WORDS * index;
const metrics = new SeqlockMetricsProvider();
const counter = metrics.counter('c', '');
const gauge = metrics.gauge('g', '');
const histogram = metrics.histogram('h', '', crew.BUCKETS);
const seqlock = new Seqlock(lock, 0, 1);
let [lastValue, lastCount, writes] = [0, 0, 0];

/** False when anything is not as it must be in every state. */
function readIsRight(): boolean {
  const value = counter.value();
  const { count, sum, buckets } = histogram.stats();
  const [ones, tens, all] = buckets.map(({ cumulativeCount }) => cumulativeCount) as [number, number, number];
  const sumOfBuckets =
    ones * crew.OBSERVED[0] + (tens - ones) * crew.OBSERVED[1] + (all - tens) * crew.OBSERVED[2];
  const isRight =
    value >= lastValue &&
    count >= lastCount &&
    all === count &&
    sum === sumOfBuckets &&
    Number.isInteger(gauge.value());
  [lastValue, lastCount] = [value, count];
  return isRight;
}

function write(): void {
  counter.inc();
  gauge.inc();
  histogram.observe(crew.OBSERVED[writes % crew.OBSERVED.length]!);
  seqlock.update((state) => (state[0] = state[0]! + 1));
  writes++;
}

for (;;) {
  const phase = Atomics.load(control, crew.PHASE);
  if (phase === crew.IDLE || index >= Atomics.load(control, crew.ACTIVE)) {
    Atomics.store(control, report + crew.IS_IDLE, 1);
    Atomics.wait(control, crew.PHASE, phase);
    Atomics.store(control, report + crew.IS_IDLE, 0);
    continue;
  }
  if (phase === crew.MIXED) {
    write();
    Atomics.add(control, report + crew.WRITES, 1);
  }
  if (!readIsRight()) Atomics.add(control, report + crew.FAULTS, 1);
  Atomics.add(control, report + crew.READS, 1);
}
