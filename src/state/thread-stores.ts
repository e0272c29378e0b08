/**
 * The stores a thread inherited and made, known to all copies of the package in the thread: a dependency may bring its own copy, and a
 * bundler makes one. Of any version: a copy sees here that there is a store even where it cannot read its format.
 *
 * A store travels to workers as environment data of Node: the buffer, under a name that is the same for all versions.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';

const PUBLISHED = 'seqlock-metrics.store';
const STORES: unique symbol = Symbol.for('seqlock-metrics.stores-of-this-thread') as never;

/** A store as copies of any version can use it. */
export interface ListedStore {
  readonly buffer: SharedArrayBuffer;
  /** Answered by the copy that made it. */
  isOpen(): boolean;
}

interface ThreadStores {
  /** What the thread that made this worker had published. */
  readonly inherited: SharedArrayBuffer | undefined;
  /** Made by this thread, oldest first. */
  readonly made: ListedStore[];
}

const ofThread = globalThis as { [STORES]?: ThreadStores };
// Now: `publish` may put another store in the place of what was inherited.
const stores: ThreadStores = (ofThread[STORES] ??= { inherited: publishedTo(), made: [] });

function publishedTo(): SharedArrayBuffer | undefined {
  const published: unknown = isMainThread ? undefined : getEnvironmentData(PUBLISHED);
  // Not every runtime has it, and there nothing is published.
  const isShared = typeof SharedArrayBuffer === 'function' && published instanceof SharedArrayBuffer;
  return isShared ? published : undefined;
}

/** What the thread that made this worker had published; it may be closed by now, or no store. */
export function inheritedBuffer(): SharedArrayBuffer | undefined {
  return stores.inherited;
}

/** Adds a store that this thread made. */
export function listStore(store: ListedStore): void {
  stores.made.push(store);
}

/** The first store this thread made that no thread has closed. */
export function firstOpenBuffer(): SharedArrayBuffer | undefined {
  for (let i = stores.made.length; i-- > 0;) if (!stores.made[i]!.isOpen()) stores.made.splice(i, 1);
  return stores.made[0]?.buffer;
}

/** Hands the first open store to the workers made from now on. */
export function publishFirstOpen(): void {
  setEnvironmentData(PUBLISHED, firstOpenBuffer());
}
