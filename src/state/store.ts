import type { Worker } from 'node:worker_threads';
import { isAbsolute, join } from 'node:path';
import { OptionError } from '../base/errors.ts';
import { table, wholeNumber, type Check } from '../base/options.ts';
import { tellOfUnknownVariables } from '../base/variables.ts';
import { tellOfLoss, Warnings } from '../base/warnings.ts';
import { DEFAULT_MAX_BYTES, LARGEST_MAX_BYTES, SMALLEST_MAX_BYTES, UNIT_BYTES } from '../memory/layout.ts';
import { markOfNodeThread } from '../memory/liveness.ts';
import { Region } from '../memory/region.ts';
import { abandonSlabsOf } from '../memory/slab.ts';
import { firstOpenBuffer, inheritedBuffer, listStore, publishFirstOpen } from './thread-stores.ts';

/** Size and place of a store. */
export interface MetricStoreOptions {
  /**
   * Bytes the store may grow to: 256 KiB to 1 GiB, default 64 MiB. Only what is used takes memory. In a store
   * of several processes the one that makes it decides.
   */
  readonly maxBytes?: number;
  /**
   * Absolute path of a store directory: all processes that open it have one store. It is made if it is not
   * there, and must belong to the user that runs the process. Best in memory, such as `/dev/shm/<app>`; see
   * docs/operations.md. Default: none, the store is this process's.
   */
  readonly directory?: string;
}

/**
 * Names the store directory for `MetricStore.open()` without options, and for everything that is started
 * without code.
 */
export const DIRECTORY_VARIABLE = 'SEQLOCK_METRICS_DIRECTORY';

const warnings = new Warnings();

/** This copy's objects of the stores it knows. A store has one object, however it was found. */
const known = new WeakMap<SharedArrayBuffer, MetricStore>();

/**
 * All metrics of one application: one region of shared memory. Every thread that has the store records into
 * it, and any of them reads all of it.
 *
 * The first store a thread makes, and has not closed, is published: workers created later find it, and so do
 * theirs.
 */
export class MetricStore {
  /** The memory. Not for users: its format may change. */
  readonly region: Region;

  private constructor(region: Region) {
    this.region = region;
    known.set(region.buffer, this);
    watchWorkers(region);
  }

  /**
   * Without options: the published store of this process, or that of the directory that
   * `SEQLOCK_METRICS_DIRECTORY` names, or a new one. With `directory`: the store of all processes that open
   * it. With other options: a new store.
   *
   * @throws OptionError on a wrong option; RegionError where the published store or the directory cannot be
   * used.
   */
  static open(options?: MetricStoreOptions): MetricStore {
    if (options === undefined) return MetricStore.published() ?? storeOfEnvironment() ?? MetricStore.create();
    const { directory, maxBytes } = validated(options);
    return directory === undefined
      ? MetricStore.create(options)
      : MetricStore.#openDirectory(directory, maxBytes);
  }

  static #openDirectory(directory: string, maxBytes: number): MetricStore {
    tellOfUnknownVariables();
    const attached = (buffer: SharedArrayBuffer): Region | undefined => known.get(buffer)?.region;
    const { region, warnings: said } = Region.open(directory, maxBytes, attached);
    for (const message of said) warnings.once('store directory', message, message);
    const store = known.get(region.buffer) ?? new MetricStore(region);
    listStore({ buffer: region.buffer, isOpen: () => !store.closed });
    publish();
    return store;
  }

  /**
   * A new store of this process, whatever is published.
   *
   * @throws OptionError on a wrong option; RegionError where there is no memory for it.
   */
  static create(options: MetricStoreOptions = {}): MetricStore {
    tellOfUnknownVariables();
    const { maxBytes, directory } = validated(options);
    if (directory !== undefined)
      throw new OptionError(
        'directory',
        directory,
        'left out: MetricStore.create makes a store for this process alone. Use MetricStore.open({ directory })',
      );
    const store = new MetricStore(
      options.maxBytes === undefined ? largestRegion(maxBytes) : Region.create(maxBytes),
    );
    listStore({ buffer: store.region.buffer, isOpen: () => !store.closed });
    publish();
    return store;
  }

  /** The published store: one this thread inherited or made, as long as it is open. */
  static published(): MetricStore | undefined {
    const first = firstOpenBuffer();
    return MetricStore.inherited() ?? (first && MetricStore.#at(first));
  }

  /** The store that the thread which made this worker had published, as long as it is open. */
  static inherited(): MetricStore | undefined {
    const buffer = inheritedBuffer();
    const store = buffer && MetricStore.#at(buffer);
    return store === undefined || store.closed ? undefined : store;
  }

  /**
   * This copy's object of a store that may be another copy's. A process has two copies of the package when a
   * dependency brings its own, or a bundler made one. Throws a `RegionError` if the other copy's version
   * cannot be joined.
   */
  static of(store: { readonly region: { readonly buffer: SharedArrayBuffer } }): MetricStore {
    return store instanceof MetricStore ? store : MetricStore.#at(store.region.buffer);
  }

  static #at(buffer: SharedArrayBuffer): MetricStore {
    return known.get(buffer) ?? new MetricStore(Region.attach(buffer));
  }

  /**
   * Ends the store: no thread joins it from now on. Threads that joined may go on recording, and readers that
   * were attached may go on reading. The memory is freed when nobody holds the store any more. A store of
   * several processes is only left by this thread: workers that it makes from now on do not join it, and it
   * goes on for all others.
   */
  close(): void {
    this.region.close();
    publish();
  }

  /** True once the store is closed, by whichever thread. */
  get closed(): boolean {
    return this.region.closed;
  }

  /** The store directory; undefined where the store is this process's alone. */
  get directory(): string | undefined {
    return this.region.directory;
  }

  /** Bytes the store may grow to. */
  get maxBytes(): number {
    return this.region.maxBytes;
  }

  /** Bytes that hold metrics now. */
  get usedBytes(): number {
    return this.region.usedBytes;
  }

  /** Measurements that were lost so far, because the store had no memory even for an overflow series. */
  get lostMeasurements(): number {
    return this.region.lostMeasurements;
  }
}

/** Weak references: if nobody holds a store any more, there is nothing to give up. */
const watched = new Set<WeakRef<Region>>();
let isWatching = false;

/**
 * From now on, gives up the slabs that a worker of this thread owned by Node's thread id, when the worker
 * exits: the system does not show its death. A worker may have had to use that id even if this thread sees
 * /proc. A worker's own workers are seen by that worker alone: if it is terminated, their slabs are never
 * given up.
 */
function watchWorkers(region: Region): void {
  // One listener for all stores: Node warns about eleven.
  if (!isWatching) process.on('worker', watchWorker);
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

/** Hands the first open store to workers made from now on, unless an inherited one is open. */
function publish(): void {
  if (!isInheritedOpen()) publishFirstOpen();
}

function isInheritedOpen(): boolean {
  const buffer = inheritedBuffer();
  if (buffer === undefined) return false;
  try {
    return !(known.get(buffer)?.region ?? Region.attach(buffer)).closed;
  } catch {
    return false; // cannot be used by this thread, nor by the threads it makes
  }
}

/**
 * The store of the directory that `SEQLOCK_METRICS_DIRECTORY` names. Undefined if it names none, or one that
 * cannot be used: then one warning says so, and the caller uses a store of its own.
 */
export function storeOfEnvironment(): MetricStore | undefined {
  const directory = process.env[DIRECTORY_VARIABLE]?.trim();
  if (directory === undefined || directory === '') return undefined;
  return openOrWarn(() => {
    checkDirectory(directory, DIRECTORY_VARIABLE);
    return MetricStore.open({ directory });
  });
}

/**
 * Like `MetricStore.open({ directory })`, but only warns when the directory cannot be used: then the caller
 * uses a store of its own. Throws an `OptionError` on a value that is not an absolute path.
 */
export function openIfPossible(directory: unknown): MetricStore | undefined {
  checkDirectory(directory, 'directory');
  return openOrWarn(() => MetricStore.open({ directory }));
}

function openOrWarn(open: () => MetricStore): MetricStore | undefined {
  try {
    return open();
  } catch (error) {
    const { message } = error as Error;
    warnings.loss(
      'store directory',
      message,
      `seqlock-metrics: this process does not share its metrics with other processes: ${message}. It records to a store of its own`,
    );
    return undefined;
  }
}

/** True for a store of this copy or another. */
export function isStore(value: unknown): value is MetricStore {
  if (value instanceof MetricStore) return true;
  const { region } = (value ?? {}) as { region?: { buffer?: unknown } | null };
  // Checked by tag: without shared memory the class has no name.
  return Object.prototype.toString.call(region?.buffer) === '[object SharedArrayBuffer]';
}

const CHECK: Check = table<MetricStoreOptions>(
  { maxBytes: wholeNumber(SMALLEST_MAX_BYTES, LARGEST_MAX_BYTES), directory: checkDirectory },
  { example: 'an object such as { maxBytes: 67108864 }', prefix: '' },
);
/** The limit of the system, less the names that are added to the directory. */
const LONGEST_PATH = 4095;
const LONGEST_NAME = 255;

/**
 * A region of at most `maxBytes`, a size that nobody asked for: if there is no room for it, a smaller one is
 * better than none.
 */
function largestRegion(maxBytes: number): Region {
  for (let bytes = maxBytes; ; bytes /= 2)
    try {
      const region = Region.create(bytes);
      if (bytes < maxBytes)
        tellOfLoss(
          'warn',
          `seqlock-metrics: the store can grow to ${bytes} bytes only, not to ${maxBytes}: a limit of the process does not let it reserve more addresses. Raise the limit (ulimit -v), or set maxBytes`,
        );
      return region;
    } catch (error) {
      if (bytes / 2 < SMALLEST_MAX_BYTES) throw error;
    }
}

function validated(
  options: MetricStoreOptions,
): Required<Pick<MetricStoreOptions, 'maxBytes'>> & MetricStoreOptions {
  CHECK(options, 'options of MetricStore.open');
  const { maxBytes = DEFAULT_MAX_BYTES, directory } = options;
  if (directory === undefined) return { maxBytes: roundedDown(maxBytes, UNIT_BYTES) };
  return { maxBytes: roundedDown(maxBytes, LARGE_PAGE_BYTES), directory };
}

function roundedDown(bytes: number, unit: number): number {
  return Math.floor(bytes / unit) * unit;
}

function checkDirectory(directory: unknown, option: string): asserts directory is string {
  const isPath = typeof directory === 'string' && isAbsolute(directory) && !directory.includes('\0');
  if (!isPath) throw new OptionError(option, directory, 'an absolute path, such as /dev/shm/shop');
  const path = join(directory, LONGEST_FILE);
  if (
    Buffer.byteLength(path) > LONGEST_PATH ||
    path.split('/').some((name) => Buffer.byteLength(name) > LONGEST_NAME)
  )
    throw new OptionError(
      option,
      directory,
      `a path of at most ${LONGEST_PATH - LONGEST_FILE.length} bytes, each name in it of at most ${LONGEST_NAME}`,
    );
}

/** Of those in a store directory, the one with the longest path. */
const LONGEST_FILE = '/writers/1023';
/** Pages of machines with large ones: a file is mapped by whole pages. */
const LARGE_PAGE_BYTES = 65_536;
