/**
 * A process of a shared store whose workers record and are terminated, one after the other: `node sharing-workers.js <directory> <workers>`. Prints
 * what came of it as JSON.
 */
import { readFileSync } from 'node:fs';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { isSlabDead, slabOwner, slabsUsed } from '../../src/memory/slab.ts';
import { MetricStore } from '../../src/state/store.ts';

if (!isMainThread) {
  const { noted } = workerData as { noted: Int32Array };
  const counter = new SeqlockMeterProvider().getMeter('m').createCounter('hits');
  for (;;) {
    counter.add(1);
    Atomics.add(noted, 0, 1);
    Atomics.notify(noted, 0);
  }
}

const [directory, workers] = process.argv.slice(2);
const store = MetricStore.open({ directory: directory! });
const reader = new SeqlockMetricReader();
const provider = new SeqlockMeterProvider({ store, readers: [reader] });
provider.getMeter('m').createUpDownCounter('other').add(1);
const noted = new Int32Array(new SharedArrayBuffer(4));
const { region } = store;

const pause = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));
const liveSlabs = (): number => {
  let live = 0;
  for (let slab = 0; slab < slabsUsed(region); slab++)
    if (slabOwner(region, slab) !== 0 && !isSlabDead(region, slab)) live++;
  return live;
};

let longestFree = 0;
for (let i = 0; i < Number(workers); i++) {
  const before = Atomics.load(noted, 0);
  const worker = new Worker(new URL(import.meta.url), { workerData: { noted } });
  while (Atomics.load(noted, 0) < before + 1000) await pause(1);
  await worker.terminate();
  const ended = performance.now();
  while (liveSlabs() > 1) await pause(1);
  longestFree = Math.max(longestFree, performance.now() - ended);
}
const { metrics } = reader.snapshot().scopeMetrics[0]!;
const hits = metrics.find(({ descriptor }) => descriptor.name === 'hits')!;
const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
console.log(
  JSON.stringify({
    missed: (hits.dataPoints[0]!.value as number) - Atomics.load(noted, 0),
    slabs: slabsUsed(region),
    maps: maps.filter((line) => line.includes('/region-')).length,
    lockMaps: maps.filter((line) => line.includes('/writers/')).length,
    longestFree,
  }),
);
process.exit();
