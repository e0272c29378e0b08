import { AsyncResource } from 'node:async_hooks';

/** Made at load. If an app loads its metrics first, there is no context yet. */
const root = new AsyncResource('seqlock-metrics', { requireManualDestroy: true });

// The package may be loaded late, inside a request. These are the properties in which Node keeps the context
// (20 and 22; 24 and later). If a Node keeps it elsewhere, the context stays.
for (const key of Object.getOwnPropertySymbols(root))
  if (key.description === 'kResourceStore' || key.description === 'context_frame')
    Reflect.set(root, key, undefined);

/**
 * Does `work` in no context of `AsyncLocalStorage`. Use it for every promise, timer, listener and handle that
 * outlives the call it is made in. Such a thing would hold the caller's context for as long as it exists, and
 * its callbacks would run in a request that may have ended long ago.
 */
export function withoutContext<T>(work: () => T): T {
  return root.runInAsyncScope(work);
}
