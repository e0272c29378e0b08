/** Row 11: a recorder whose descriptors in the store's `writers/` other code of its process closes. Says what it was warned of. */
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { diag } from '@opentelemetry/api';
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { Acknowledged, COUNTED, TIMED } from './acknowledged.ts';
import { ROUTES, type RecorderJob } from './jobs.ts';

const job = JSON.parse(process.argv.at(-1)!) as RecorderJob;
const warnings: string[] = [];
const ignore = (): void => {};
diag.setLogger({
  verbose: ignore,
  debug: ignore,
  info: ignore,
  error: ignore,
  warn: (text: string) => warnings.push(text),
});
const store = MetricStore.open({ directory: job.directory, maxBytes: 16 * 2 ** 20 });
const meter = new SeqlockMeterProvider({ store }).getMeter('recorder');
const counted = meter.createCounter('counted');
const timed = meter.createHistogram('timed');
const notes = new Acknowledged(job.acknowledged);
let next = 0;

/** Into series that the recorders have too, and into new ones all the time, so that memory is claimed. */
async function record(millis: number): Promise<void> {
  for (const until = performance.now() + millis; performance.now() < until; await new Promise(setImmediate))
    for (let i = 0; i < 1000; i++) {
      const route = i < 990 ? `/${i % ROUTES}` : `/robbed/${next++}`;
      (i < 990 ? counted : meter.createCounter(`counted_${next >> 9}`)).add(1, { route });
      notes.words[notes.index(job.place, COUNTED)]!++;
      timed.record(i, { route: `/${i % ROUTES}` });
      notes.words[notes.index(job.place, TIMED)]!++;
    }
}

await record(300);
let closed = 0;
for (const fd of readdirSync('/proc/self/fd').map(Number))
  try {
    if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${job.directory}/writers/`)) continue;
    closeSync(fd);
    closed++;
  } catch {
    // The descriptor of the folder itself, which is gone by now.
  }
process.send!({ closed });
await record(3000);
process.send!({ warnings });
process.disconnect();
