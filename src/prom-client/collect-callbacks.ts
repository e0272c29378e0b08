/**
 * `collect` callbacks run in the thread that has them. When this thread exports its metrics, it asks the
 * other threads to run theirs, as readers ask for observable callbacks.
 */
import { setImmediate } from '../base/platform.ts';
import { observeOthers } from '../collect/observation.ts';
import { registryOf } from '../sdk/observable-registry.ts';
import { writerOf } from '../state/store-writer.ts';
import { storeView } from './metric-store.ts';

interface MetricSet {
  readonly _metrics: Readonly<Record<string, object>>;
}

/** Registries of this thread. */
const registries = new Set<WeakRef<MetricSet>>();
/** How often this thread is just asking the others: it runs its own callbacks by itself then. */
let asking = 0;
let isListening = false;

export function noteRegistry(registry: MetricSet): void {
  registries.add(new WeakRef(registry));
}

/** From now on this thread runs its callbacks when another thread exports. */
export function answerOtherThreads(): void {
  if (isListening) return;
  isListening = true;
  const writer = writerOf(storeView().region);
  writer.acquire();
  registryOf(writer).add({
    callback: runCallbacks,
    isBatch: true,
    owners: [],
    streams: [],
    call: () => (asking > 0 ? undefined : runCallbacks()),
  });
}

/** Runs the callbacks of all metrics of this thread that are in a registry. */
export async function runCallbacks(): Promise<void> {
  const metrics = new Set<{ collect?: unknown }>();
  for (const reference of registries) {
    const registry = reference.deref();
    if (registry === undefined) registries.delete(reference);
    else for (const metric of Object.values(registry._metrics)) metrics.add(metric);
  }
  await Promise.all(
    [...metrics].map((metric) => (typeof metric.collect === 'function' ? metric.collect() : undefined)),
  );
}

/** Asks the other threads to run their callbacks. Undefined if none has any. */
export function observeOtherThreads(): Promise<void> | undefined {
  const answered = observeOthers(storeView().region);
  if (answered === undefined) return undefined;
  asking++;
  return answered.finally(() => setImmediate(() => asking--));
}
