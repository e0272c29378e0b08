/**
 * Who exports a store from a thread of its own, so that the store's providers in the thread that started it
 * can ask for a flush. One list for all copies of this package in the thread.
 */

interface Deadline {
  readonly timeoutMillis?: number;
}

/** An exporter in another thread. */
export interface StoreExporter {
  /** Pushes now. Rejects when it was not delivered. */
  forceFlush(options?: Deadline): Promise<void>;
  /** Pushes once more and ends. */
  stop(options?: Deadline): Promise<void>;
}

const LIST: unique symbol = Symbol.for('seqlock-metrics.exporters-of-this-thread.1') as never;
const ofThread = globalThis as { [LIST]?: WeakMap<SharedArrayBuffer, Set<StoreExporter>> };
const exportersOf = (ofThread[LIST] ??= new WeakMap());

/** Lists an exporter of the store in `buffer`. Returns what takes it off. */
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
