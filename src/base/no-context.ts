import { AsyncResource } from 'node:async_hooks';

/** Made at load, before any context is there in an app that loads its metrics first. */
const root = new AsyncResource('seqlock-metrics', { requireManualDestroy: true });

// Loaded late, inside of a request: what Node keeps the context in (20 and 22, and from 24 on). Where it is
// kept otherwise, it stays.
for (const key of Object.getOwnPropertySymbols(root))
  if (key.description === 'kResourceStore' || key.description === 'context_frame')
    Reflect.set(root, key, undefined);

/**
 * Does `work` in no context of `AsyncLocalStorage`. For every promise, timer, listener and handle that
 * outlives the call it is made in: it would hold the caller's context for as long as it is there, and what it
 * calls later would run in it, be it a request that has long ended.
 */
export function withoutContext<T>(work: () => T): T {
  return root.runInAsyncScope(work);
}
