/** Prints by how many bytes the resident memory of this process grew when the thing named on the command line was made. */
import { Region } from '../../src/memory/region.ts';
import { MetricStore } from '../../src/state/store.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter } from './descriptions.ts';
import { recordTo } from './record-to.ts';

function resident(): number {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    least = Math.min(least, process.memoryUsage().rss);
  }
  return least;
}

function makeStore(): MetricStore {
  const store = MetricStore.create();
  recordTo(new StoreWriter(store.region).stream(counter('idle'), 2000), 1, { method: 'GET' });
  return store;
}

// Code is loaded and compiled before the first look, so that memory alone is compared.
recordTo(new StoreWriter(Region.create(2 ** 20)).stream(counter('warm'), 10), 1, { method: 'GET' });
const what = process.argv[2];
const before = resident();
const kept = what === 'nothing' ? undefined : makeStore();
if (what === 'full') {
  const extent = kept!.region.claimExtent(0, 24 * 2 ** 20)!;
  kept!.region.bytes.fill(1, extent.offset + 64, extent.offset + extent.bytes);
}
console.log(resident() - before);
kept?.close();
