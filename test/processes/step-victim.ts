/** Opens a store and records once, counting steps; says how many there were if it survives. */
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { Acknowledged, COUNTED, TIMED } from './acknowledged.ts';
import type { RecorderJob } from './jobs.ts';
import { countSteps, steps } from './killed-at-step.ts';

const job = JSON.parse(process.argv.at(-1)!) as RecorderJob;
const notes = new Acknowledged(job.acknowledged);
countSteps();
const store = MetricStore.open({ directory: job.directory, maxBytes: 2 ** 20 });
const meter = new SeqlockMeterProvider({ store }).getMeter('victim');
const counter = meter.createCounter('counted');
const histogram = meter.createHistogram('timed');
for (let i = 0; i < 3; i++) {
  counter.add(1, { i });
  notes.words[notes.index(job.place, COUNTED)]!++;
  histogram.record(i, { i });
  notes.words[notes.index(job.place, TIMED)]!++;
}
// An extent more: series with long values, until the slab has grown.
const before = store.usedBytes;
for (let i = 0; store.usedBytes === before; i++) {
  counter.add(1, { long: `${i}`.padEnd(200, 'x') });
  notes.words[notes.index(job.place, COUNTED)]!++;
}
const { count, names } = { ...steps, names: [...steps.names] };
process.send!({ count, names });
process.disconnect();
