/**
 * The stores a thread inherited and made, known to all copies of the package in the thread: a dependency may
 * bring its own copy, and a bundler makes one. Of any version: a copy sees here that there is a store even
 * where it cannot read its format.
 *
 * A store travels to workers as environment data of Node: the buffer, under a name that is the same for all
 * versions.
 */
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { ofThisThread } from '../base/this-thread.ts';

const PUBLISHED = 'seqlock-metrics.store';

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

// Now: `publish` may put another store in the place of what was inherited.
const stores: ThreadStores = ofThisThread('stores', () => ({ inherited: publishedTo(), made: [] }));

function publishedTo(): SharedArrayBuffer | undefined {
  const published: unknown = isMainThread ? undefined : getEnvironmentData(PUBLISHED);
  // By tag: it may be of another realm, and not every runtime has the class.
  const isShared = Object.prototype.toString.call(published) === '[object SharedArrayBuffer]';
  return isShared ? (published as SharedArrayBuffer) : undefined;
}

/** What the thread that made this worker had published; it may be closed by now, or no store. */
export function inheritedBuffer(): SharedArrayBuffer | undefined {
  return stores.inherited;
}

/** Adds a store that this thread made or opened, unless it is there. */
export function listStore(store: ListedStore): void {
  if (!stores.made.some(({ buffer }) => buffer === store.buffer)) stores.made.push(store);
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
