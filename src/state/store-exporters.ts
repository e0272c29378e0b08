/**
 * Exporters of a store that run in threads of their own. The providers of the store, in the thread that
 * started them, can ask them for a flush. All copies of this package in the thread share one list.
 */

interface Deadline {
  readonly timeoutMillis?: number;
}

/** An exporter in another thread. */
export interface StoreExporter {
  /** Pushes now. Rejects when the push was not delivered. */
  forceFlush(options?: Deadline): Promise<void>;
  /** Pushes once more and ends. */
  stop(options?: Deadline): Promise<void>;
}

const LIST: unique symbol = Symbol.for('seqlock-metrics.exporters-of-this-thread.1') as never;
const ofThread = globalThis as { [LIST]?: WeakMap<SharedArrayBuffer, Set<StoreExporter>> };
const exportersOf = (ofThread[LIST] ??= new WeakMap());

/** Lists an exporter of the store in `buffer`. Returns a function that removes it. */
export function listExporter(buffer: SharedArrayBuffer, exporter: StoreExporter): () => void {
  const exporters = exportersOf.get(buffer) ?? new Set();
  exportersOf.set(buffer, exporters);
  exporters.add(exporter);
  return () => exporters.delete(exporter);
}

/** The exporters that this thread has started for the store in `buffer`. */
export function exportersOfStore(buffer: SharedArrayBuffer): StoreExporter[] {
  return [...(exportersOf.get(buffer) ?? [])];
}
