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

/** Stores made by this thread and not closed, oldest first. The first is published unless a store was inherited. */
const made: MetricStore[] = [];
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
    if (inherited === undefined && !isMainThread) {
      const buffer: unknown = getEnvironmentData(PUBLISHED);
      if (buffer instanceof SharedArrayBuffer && made.every((store) => store.region.buffer !== buffer)) {
        inherited = new MetricStore(Region.attach(buffer));
        inherited.#watchWorkers();
      }
    }
    if (inherited !== undefined && !inherited.closed) return inherited;
    return made[0];
  }

  /**
   * Ends the store: no thread joins it from now on. Threads that joined may go on recording, and readers that were attached
   * may go on reading. The memory is freed when nobody holds the store any more.
   */
  close(): void {
    if (this.region.closed) return;
    this.region.close();
    const index = made.indexOf(this);
    if (index >= 0) made.splice(index, 1);
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

/**
 * Gives up the slabs of every worker that this thread creates from now on, when it exits. Only for processes whose marks are
 * Node's thread ids.
 */
export function watchWorkers(region: Region): void {
  process.on('worker', (worker: Worker) => {
    const mark = markOfNodeThread(worker.threadId); // gone from the worker object once it has exited
    worker.once('exit', () => abandonSlabsOf(region, mark));
  });
}

function publish(): void {
  if (inherited !== undefined && !inherited.closed) return;
  setEnvironmentData(PUBLISHED, made[0]?.region.buffer);
}

function validatedMaxBytes(options: MetricStoreOptions): number {
  if (typeof options !== 'object' || options === null)
    throw new OptionError('options of MetricStore.open', options, 'an object such as { maxBytes: 67108864 }');
  for (const option of Object.keys(options)) {
    if (option !== 'maxBytes') throw new OptionError('options of MetricStore.open', options, 'an object of { maxBytes }');
  }
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  if (!Number.isInteger(maxBytes) || maxBytes < SMALLEST_MAX_BYTES || maxBytes > LARGEST_MAX_BYTES)
    throw new OptionError('maxBytes', maxBytes, `a whole number from ${SMALLEST_MAX_BYTES} to ${LARGEST_MAX_BYTES}`);
  return Math.floor(maxBytes / UNIT_BYTES) * UNIT_BYTES;
}

