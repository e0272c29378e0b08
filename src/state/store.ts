import { getEnvironmentData, isMainThread, setEnvironmentData, type Worker } from 'node:worker_threads';
import { OptionError } from '../base/errors.ts';
import { DEFAULT_MAX_BYTES, LARGEST_MAX_BYTES, SMALLEST_MAX_BYTES, UNIT_BYTES } from '../memory/layout.ts';
import { MARK_KIND, markOfNodeThread } from '../memory/liveness.ts';
import { Region } from '../memory/region.ts';
import { abandonSlabsOf } from '../memory/slab.ts';

export interface MetricStoreOptions {
  /** Bytes the store may grow to: 256 KiB to 1 GiB, default 64 MiB. Only what is used takes memory. */
  readonly maxBytes?: number;
}

/** Under this name a process hands its published store to the workers it creates. The number is the format's. */
const PUBLISHED = 'seqlock-metrics.store.1';

/** Stores made by this thread, oldest first. The first that is open is published unless a store was inherited. */
const made: MetricStore[] = [];
/** What the thread that made this worker had published. Read now: `publish` may put another store in its place. */
const inheritedBuffer: unknown = isMainThread ? undefined : getEnvironmentData(PUBLISHED);
let inherited: MetricStore | undefined;

/**
 * All metrics of one application: one region of shared memory. Every thread that has the store records into it, and any of
 * them reads all of it.
 *
 * The first store a thread makes, and has not closed, is published: workers created later find it, and so do theirs.
 */
export class MetricStore {
  /** The memory. Not for users: its format may change. */
  readonly region: Region;

  private constructor(region: Region) {
    this.region = region;
  }

  /**
   * Without options: the published store of this process, or a new one. With options: a new store. Throws an
   * `OptionError` on a wrong option, and a `RegionError` when the published store cannot be used.
   */
  static open(options?: MetricStoreOptions): MetricStore {
    if (options === undefined) return MetricStore.published() ?? MetricStore.create();
    return MetricStore.create(options);
  }

  /** A new store, whatever is published. */
  static create(options: MetricStoreOptions = {}): MetricStore {
    const store = new MetricStore(Region.create(validatedMaxBytes(options)));
    made.push(store);
    store.#watchWorkers();
    publish();
    return store;
  }

  /** The published store: one this thread inherited or made, as long as it is open. */
  static published(): MetricStore | undefined {
    if (inherited === undefined && inheritedBuffer instanceof SharedArrayBuffer) {
      inherited = new MetricStore(Region.attach(inheritedBuffer));
      inherited.#watchWorkers();
    }
    return inherited?.closed === false ? inherited : firstOpen();
  }

  /**
   * Ends the store: no thread joins it from now on. Threads that joined may go on recording, and readers that were attached
   * may go on reading. The memory is freed when nobody holds the store any more.
   */
  close(): void {
    this.region.close();
    publish();
  }

  get closed(): boolean {
    return this.region.closed;
  }

  /** Bytes the store may grow to. */
  get maxBytes(): number {
    return this.region.maxBytes;
  }

  /** Bytes that hold metrics now. */
  get usedBytes(): number {
    return this.region.usedBytes;
  }

  /** Measurements that were lost because the store had no memory even for an overflow series. */
  get lostMeasurements(): number {
    return this.region.lostMeasurements;
  }

  /** Where the system does not show a thread's death, the thread that made a worker tells of it. */
  #watchWorkers(): void {
    if (MARK_KIND === 'node-thread-id') watchWorkers(this.region);
  }
}

/** Weakly: where nobody holds a store any more, nothing is to be given up. */
const watched = new Set<WeakRef<Region>>();
let isWatching = false;

/**
 * From now on gives up the slabs of every worker that this thread makes, when it exits. Only for processes whose marks are
 * Node's thread ids. A worker's own workers are seen by that worker alone: if it is terminated, theirs are never given up.
 */
export function watchWorkers(region: Region): void {
  if (!isWatching) process.on('worker', watchWorker); // one listener, however many stores: Node warns of eleven
  isWatching = true;
  watched.add(new WeakRef(region));
}

function watchWorker(worker: Worker): void {
  const mark = markOfNodeThread(worker.threadId); // gone from the worker object once it has exited
  worker.once('exit', () => {
    for (const reference of watched) {
      const region = reference.deref();
      if (region === undefined) watched.delete(reference);
      else abandonSlabsOf(region, mark);
    }
  });
}

/** The first store this thread made that no thread has closed. */
function firstOpen(): MetricStore | undefined {
  while (made[0]?.closed === true) made.shift();
  return made[0];
}

/** Hands the first open store to workers made from now on, unless an inherited one is open. */
function publish(): void {
  for (let i = made.length; i-- > 0;) if (made[i]!.closed) made.splice(i, 1);
  if (isInheritedOpen()) return;
  setEnvironmentData(PUBLISHED, made[0]?.region.buffer);
}

function isInheritedOpen(): boolean {
  if (!(inheritedBuffer instanceof SharedArrayBuffer)) return false;
  try {
    return !(inherited?.region ?? Region.attach(inheritedBuffer)).closed;
  } catch {
    return false; // not to be used by this thread, nor by those it makes
  }
}

function validatedMaxBytes(options: MetricStoreOptions): number {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options of MetricStore.open', options, 'an object such as { maxBytes: 67108864 }');
  for (const option of Object.keys(options)) {
    if (option !== 'maxBytes')
      throw new OptionError('options of MetricStore.open', options, 'an object of { maxBytes }');
  }
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  if (!Number.isInteger(maxBytes) || maxBytes < SMALLEST_MAX_BYTES || maxBytes > LARGEST_MAX_BYTES)
    throw new OptionError(
      'maxBytes',
      maxBytes,
      `a whole number from ${SMALLEST_MAX_BYTES} to ${LARGEST_MAX_BYTES}`,
    );
  return Math.floor(maxBytes / UNIT_BYTES) * UNIT_BYTES;
}
