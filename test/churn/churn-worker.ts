/** One short-lived writer. It joins as any worker does, records, acknowledges each record, and ends as it was told. */
import { workerData } from 'node:worker_threads';
import { SeqlockMeterProvider } from '../../src/index.ts';
import { COUNTED, LEVELLED, ROUNDS, ROUTES, TIMED, WRITER_KINDS, type ChurnJob } from './churn-job.ts';

const { number, fate, acknowledged } = workerData as ChurnJob;
const kind = number % WRITER_KINDS;
const meter = new SeqlockMeterProvider().getMeter(`writers of kind ${kind}`);
const counted = meter.createCounter('counted');
const level = meter.createUpDownCounter('level');
const times = meter.createHistogram('times');
const last = meter.createGauge('last');

function record(round: number): void {
  const route = `/route/${round % ROUTES}`;
  counted.add(1, { route });
  Atomics.add(acknowledged, COUNTED, 1);
  level.add(1, { kind });
  Atomics.add(acknowledged, LEVELLED, 1);
  times.record(round % 100, { route, kind });
  Atomics.add(acknowledged, TIMED, 1);
  last.record(number, { kind });
}

const isTerminated = fate === 'terminated' || fate === 'terminated while it starts';
for (let round = 0; isTerminated || round < ROUNDS; round++) record(round);
switch (fate) {
  case 'uncaught exception':
    throw new Error('on purpose');
  case 'process.exit':
    process.exit(7);
  case 'out of memory': {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 10_000 }, () => kept.length));
  }
  default: // it returns
}
