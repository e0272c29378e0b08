/** Counts in workers that end in all ways, where only exit events tell of deaths; prints what came of it as JSON. */
import { MARK_KIND } from '../../src/memory/liveness.ts';
import { acquireSlab, slabsUsed } from '../../src/memory/slab.ts';
import { MetricStore } from '../../src/state/store.ts';
import { totalOf } from './region-contents.ts';
import { ACKNOWLEDGED, exitOf, makeControl, message, start, startRegionWorker } from './region-job.ts';

const store = MetricStore.create();
for (let i = 0; i < 20; i++) MetricStore.create().close(); // further stores add no listeners
const { region } = store;
const control = makeControl();
let started = 0;
for (const end of ['return', 'exit', 'throw'] as const) {
  const worker = startRegionWorker(region, { kind: 'count', times: 100, end }, control);
  const exit = exitOf(worker);
  await start(control, ++started);
  await exit;
}
const killed = startRegionWorker(region, { kind: 'count', times: Infinity, end: 'return' }, control);
const exit = exitOf(killed);
await start(control, ++started);
while (Atomics.load(control, ACKNOWLEDGED) < 1000) await new Promise((go) => setTimeout(go, 1));
await killed.terminate();
await exit;
const acknowledged = Atomics.load(control, ACKNOWLEDGED);

// A thread that is alive and silent keeps its slab.
const holder = startRegionWorker(region, { kind: 'hold', how: 'suspended' }, makeControl());
const { owned } = await message<{ owned: { slab: number; adopted: boolean } }>(holder);
const own = acquireSlab(region);
const gone = exitOf(holder);
await holder.terminate();
await gone;
const after = acquireSlab(region);

console.log(
  JSON.stringify({
    markKind: MARK_KIND,
    missed: totalOf(region) - acknowledged,
    holder: owned,
    own,
    after,
    slabs: slabsUsed(region),
    listeners: process.listenerCount('worker'),
  }),
);
