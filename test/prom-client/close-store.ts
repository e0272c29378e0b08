import { MetricStore } from '../../src/state/store.ts';

/**
 * The drop-in opens the store of the process when it is imported, for threads that start before the first
 * metric. Tests of other files that run later in the same process must not find it.
 */
export function closeStore(): void {
  for (let store; (store = MetricStore.published()) !== undefined;) store.close();
}
