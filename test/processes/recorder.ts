/** One process that records until it is killed, and notes each record after the call has returned. */
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { MetricStore, SeqlockMeterProvider } from '../../src/index.ts';
import { tryLock } from '../../src/memory/native.ts';
import { slabEpoch, slabProcess, slabsUsed, slabThread } from '../../src/memory/slab.ts';
import { Acknowledged, COUNTED, TIMED } from './acknowledged.ts';
import { ROUTES, type RecorderJob, type RecorderMessage } from './jobs.ts';

const job = (isMainThread ? JSON.parse(process.argv.at(-1)!) : workerData) as RecorderJob;
const store = MetricStore.open({ directory: job.directory });
const say = (message: RecorderMessage): void => {
  if (isMainThread) process.send!(message);
  else parentPort!.postMessage(message);
};

async function recordForEver(): Promise<void> {
  const meter = new SeqlockMeterProvider({ store }).getMeter('recorder');
  const counted = meter.createCounter('counted');
  const timed = meter.createHistogram('timed');
  const notes = new Acknowledged(job.acknowledged);
  const countedIndex = notes.index(job.place, COUNTED);
  const timedIndex = notes.index(job.place, TIMED);
  for (let n = 0; ; n++) {
    // A new route now and then: deaths fall among the making of series, too.
    const route = `/${Math.min(n >> 6, n % ROUTES)}`;
    counted.add(1, { route });
    notes.words[countedIndex]!++;
    timed.record(n % 1000, { route });
    notes.words[timedIndex]!++;
    if (n === 0) say('recording');
    if (n % 1024 === 0) await (job.pauseMillis ? setTimeout(job.pauseMillis) : setImmediate());
  }
}

function slabOf(thread: number): number | undefined {
  for (let slab = 0; slab < slabsUsed(store.region); slab++)
    if (slabThread(store.region, slab) === thread && slabProcess(store.region, slab) === process.pid)
      return slab;
  return undefined;
}

/** `epoch`: of the owner that died. Where the slab has another owner by now, it was free. */
async function millisUntilFree(slab: number, epoch: number): Promise<number> {
  const from = performance.now();
  for (;;) {
    const fd = openSync(join(job.directory, 'writers', String(slab)), 'r+');
    const isFree = tryLock(fd, 'shared');
    closeSync(fd);
    if (isFree || slabEpoch(store.region, slab) !== epoch) return performance.now() - from;
    await setTimeout(1);
  }
}

/** Workers that come and are terminated, for ever. */
async function superviseThreads(): Promise<void> {
  let place = job.place;
  const freeAfterMillis: number[] = [];
  let terminated = 0;
  let mappings = 0;
  say('recording');
  await Promise.all(
    Array.from({ length: job.threads }, async () => {
      for (;;) {
        const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { ...job, place: place++ } });
        await once(worker, 'message');
        await setTimeout(Math.random() * 200);
        const slab = slabOf(worker.threadId);
        const epoch = slab === undefined ? 0 : slabEpoch(store.region, slab);
        await worker.terminate();
        terminated++;
        if (slab !== undefined) freeAfterMillis.push(await millisUntilFree(slab, epoch));
        const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
        mappings = Math.max(
          mappings,
          maps.filter((line) => line.includes(`${job.directory}/region-`)).length,
        );
        say({ terminated, freeAfterMillis, mappings });
      }
    }),
  );
}

await (isMainThread && job.threads > 0 ? superviseThreads() : recordForEver());
