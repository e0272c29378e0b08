/**
 * Ownership of slabs between processes: the holder of an exclusive lock on `writers/<n>` owns slab n. Only
 * the lock proves anything. Process ids, thread ids, times and signs of life prove nothing, since processes
 * may have namespaces of their own, be stopped, or be slow.
 *
 *   owner word   0 never used; the process id of the owner, to name it to people; minus that while it takes
 *                the slab over; ABANDONED: somebody found the lock free, and said so while holding it, so
 *                that nobody has to ask again
 *   lock file    the inode of the file whose lock counts, written once, before the first owner: one that
 *                somebody put in its place proves nothing
 *
 * On Linux a lock lasts as long as anything refers to the open file, and a mapping does. So the owner maps
 * its lock file, though nobody reads it. Then code of the app that closes descriptors it does not know cannot
 * take the ownership away. The mapping ends with the thread, however that ends. So does the descriptor, which
 * Node closes for a worker.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { growableBuffer } from './backing.ts';
import * as layout from './layout.ts';
import type { Lease } from './lease.ts';
import { mapFile, tryLock } from './native.ts';
import type { Ownership } from './ownership.ts';
import { refusalOf, type Refusal } from './refusal.ts';

export const WRITERS_DIRECTORY = 'writers';
export const LEADER_FILE = 'leader';
const FLAGS: number = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/**
 * Whoever looks whether a lock is free holds it for some microseconds. So a thread that wants the lock tries
 * this many times.
 */
const TRIES = 50;

const ownerIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 4 + layout.SLAB_OWNER_WORD;
const lockFileIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 8 + layout.SLAB_LOCK_FILE_INT64;
const NO_FILE = 0n;

/** A file whose exclusive lock this thread holds. */
interface HeldLock {
  readonly fd: number;
  readonly inode: bigint;
  /** The memory it is mapped to. */
  mapping?: SharedArrayBuffer;
}

/** One page, also on machines with large pages. The file has no block. */
const MAPPED_BYTES = 65_536;
const LOCKS_OUTLIVE_DESCRIPTORS: boolean = process.platform === 'linux';

/** Opens and locks. Undefined when another has the lock. Throws when the file cannot be opened. */
function lockFile(path: string): HeldLock | undefined {
  const fd = openSync(path, FLAGS | constants.O_CREAT, 0o600);
  try {
    for (let i = 0; i < TRIES; i++) if (tryLock(fd, 'exclusive')) return { fd, inode: inodeOf(fd) };
  } catch {
    // A file system without locks. The directory was checked for that, so it must be another one by now.
  }
  closeSync(fd);
  return undefined;
}

function inodeOf(fd: number): bigint {
  return fstatSync(fd, { bigint: true }).ino;
}

/**
 * True while this thread's descriptor still refers to the file, with its lock. Code of the app may have
 * closed it, and the number may be in use for something else.
 */
function isHeld({ fd, inode }: HeldLock): boolean {
  try {
    return inodeOf(fd) === inode && tryLock(fd, 'exclusive');
  } catch {
    return false;
  }
}

export class LockOwnership implements Ownership {
  readonly mark: number = process.pid;
  readonly processId: number = process.pid;
  obstacle: Refusal | undefined;
  readonly #directory: string;
  readonly #words: Int32Array;
  readonly #lockFiles: BigInt64Array;
  readonly #held = new Map<number, HeldLock>();

  /** `words`: must start at the region's start. */
  constructor(directory: string, words: Int32Array) {
    this.#directory = directory;
    this.#words = words;
    this.#lockFiles = new BigInt64Array(words.buffer, 0, layout.EXTENTS_OFFSET / 8);
  }

  isFree(slab: number, owner: number): boolean {
    if (owner === layout.ABANDONED) return true;
    if (owner === 0 || owner === layout.DAMAGED || this.#held.has(slab)) return false;
    let fd: number;
    try {
      fd = openSync(this.#pathOf(slab), FLAGS);
    } catch {
      return false; // what cannot be read proves nothing
    }
    try {
      if (inodeOf(fd) !== this.#lockFile(slab) || !tryLock(fd, 'shared')) return false;
      // Nobody takes the slab while this lock is held. So its gauges cannot come back to life before they are
      // marked as stale.
      Atomics.compareExchange(this.#words, ownerIndex(slab), owner, layout.ABANDONED);
      return true;
    } catch {
      return false;
    } finally {
      closeSync(fd);
    }
  }

  claim(slab: number, owner: number): boolean {
    if (this.#held.has(slab)) return false;
    let lock: HeldLock | undefined;
    try {
      lock = lockFile(this.#pathOf(slab));
      return lock !== undefined && this.#take(slab, owner, lock);
    } catch (error) {
      this.obstacle = refusalOf(this.#directory, error);
      if (lock !== undefined) closeSync(lock.fd);
      return false;
    }
  }

  #take(slab: number, owner: number, lock: HeldLock): boolean {
    // Before the owner word: whoever dies between the two leaves a slab that others can still judge.
    if (owner === 0) Atomics.compareExchange(this.#lockFiles, lockFileIndex(slab), NO_FILE, lock.inode);
    if (lock.inode !== this.#lockFile(slab)) {
      closeSync(lock.fd);
      return false;
    }
    ftruncateSync(lock.fd, MAPPED_BYTES);
    lock.mapping = growableBuffer(MAPPED_BYTES, MAPPED_BYTES);
    mapFile(lock.mapping, lock.fd);
    this.#held.set(slab, lock);
    return true;
  }

  /** The lock ends when the mapping is garbage-collected. Nobody takes the slab before that. */
  release(slab: number): void {
    closeSync(this.#held.get(slab)!.fd);
    this.#held.delete(slab);
  }

  keep(_slab: number): void {}

  isKept(slab: number): boolean {
    const lock = this.#held.get(slab);
    return lock !== undefined && (LOCKS_OUTLIVE_DESCRIPTORS || isHeld(lock));
  }

  #pathOf(slab: number): string {
    return join(this.#directory, WRITERS_DIRECTORY, String(slab));
  }

  #lockFile(slab: number): bigint {
    return Atomics.load(this.#lockFiles, lockFileIndex(slab));
  }
}

/** The lease of a store of several processes: the lock on `leader`. It ends with the thread that took it. */
export class LockLease implements Lease {
  readonly #path: string;
  #lock: HeldLock | undefined;

  constructor(directory: string) {
    this.#path = join(directory, LEADER_FILE);
  }

  take(): boolean {
    try {
      if (this.#lock === undefined || !isHeld(this.#lock)) this.#lock = lockFile(this.#path);
      return this.#lock !== undefined;
    } catch {
      return false; // the file cannot be had
    }
  }

  release(): void {
    if (this.#lock !== undefined && isHeld(this.#lock)) closeSync(this.#lock.fd);
    this.#lock = undefined;
  }
}
