/** A worker that says which store it finds published, and may make one of its own and further workers first. */
import { parentPort, workerData } from 'node:worker_threads';
import { MetricStore } from '../../src/state/store.ts';
import { startStoreWorker, type FoundStores, type StoreJob } from './store-job.ts';

const { ownFirst = false, closeInherited = false, depth = 0, open = false } = workerData as StoreJob;

async function look(): Promise<FoundStores> {
  const own = ownFirst ? MetricStore.create({ maxBytes: 2 ** 19 }) : undefined;
  const published = open ? MetricStore.open() : MetricStore.published();
  if (closeInherited) published?.close();
  const nested = depth > 0 ? await startStoreWorker({ open, depth: depth - 1 }) : undefined;
  return {
    own: own?.region.created,
    published: published?.region.created,
    afterwards: MetricStore.published()?.region.created,
    nested,
  };
}

try {
  parentPort!.postMessage(await look());
} catch (error) {
  parentPort!.postMessage({ error: (error as { code?: string }).code ?? String(error) });
}
