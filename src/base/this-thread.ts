import workerThreads from 'node:worker_threads';

/**
 * What all copies of the package in a thread share, made by the first of them.
 *
 * A thread may have several realms, each with a `globalThis` of its own: jest and vitest's `vmThreads` run
 * each test file in a vm context. Node's own modules are the same objects in all realms of a thread, and
 * others in another thread, so one of them holds it.
 */
export function ofThisThread<T>(name: string, make: () => T): T {
  // The module's type has no symbols of ours.
  const shared = workerThreads as unknown as Record<symbol, T | undefined>;
  return (shared[Symbol.for(`seqlock-metrics.${name}`)] ??= make());
}
