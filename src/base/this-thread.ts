import workerThreads from 'node:worker_threads';

/**
 * What all copies of the package in a thread share. The first copy makes it.
 *
 * A thread may have several realms, each with its own `globalThis`: jest and vitest's `vmThreads` run each
 * test file in a vm context. Node's own modules are the same objects in all realms of a thread, and other
 * objects in another thread. So one of them holds what is shared.
 */
export function ofThisThread<T>(name: string, make: () => T): T {
  // The type of the module does not have our symbols.
  const shared = workerThreads as unknown as Record<symbol, T | undefined>;
  return (shared[Symbol.for(`seqlock-metrics.${name}`)] ??= make());
}
