/** Starts `store-worker.ts`. A store is told by when it was made, which no two in these tests have in common. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export interface StoreJob {
  /** Makes a store of its own before it looks for the published one. */
  readonly ownFirst?: boolean;
  readonly closeInherited?: boolean;
  /** Opens a store as a user does, rather than only looking. */
  readonly open?: boolean;
  /** Workers within workers. */
  readonly depth?: number;
}

export interface FoundStores {
  readonly own: number | undefined;
  readonly published: number | undefined;
  readonly afterwards: number | undefined;
  readonly nested: FoundStores | undefined;
  readonly error?: string;
}

export async function startStoreWorker(job: StoreJob): Promise<FoundStores> {
  const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: job });
  const [found] = (await once(worker, 'message')) as [FoundStores];
  return found;
}
