/**
 * Locks on files of a store directory: flock(2). The kernel frees a lock when its holder ends, however it
 * ends.
 *
 * On Linux a lock lasts as long as anything refers to the open file, and a mapping does. So a thread may map
 * the file that it locked, though nobody reads it. The lock then ends with the thread, and not before, even
 * if code of the app closes descriptors that it does not know. A descriptor ends with its thread too: Node
 * closes those of a worker.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { growableBuffer } from './backing.ts';
import { mapFile, tryLock, unlock } from './native.ts';

/** Opens without following a link and without waiting for the other end of a FIFO. */
export const LOCK_FLAGS: number = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const NEW_LOCK_FLAGS: number = LOCK_FLAGS | constants.O_CREAT;
const PRIVATE_FILE = 0o600;
/**
 * Whoever looks whether a lock is free holds it for some microseconds. So a thread that wants the lock tries
 * this many times.
 */
const TRIES = 50;
/** One page, also on machines with large pages. The file has no block. */
const MAPPED_BYTES = 65_536;
const LOCKS_OUTLIVE_DESCRIPTORS: boolean = process.platform === 'linux';

/** A lock on a file. It belongs to the thread that took it. */
export class HeldLock {
  /** Which file it is, among those of its file system. */
  readonly inode: bigint;
  readonly #fd: number;
  readonly #kind: 'shared' | 'exclusive';
  #mapping: SharedArrayBuffer | undefined;

  private constructor(fd: number, kind: 'shared' | 'exclusive') {
    this.#fd = fd;
    this.#kind = kind;
    this.inode = inodeOf(fd);
  }

  /**
   * Makes the file if need be, and locks it. Undefined when another has a lock that excludes this one. Throws
   * when the file cannot be opened.
   */
  static take(path: string, kind: 'shared' | 'exclusive' = 'exclusive'): HeldLock | undefined {
    const fd = openSync(path, NEW_LOCK_FLAGS, PRIVATE_FILE);
    try {
      for (let i = 0; i < TRIES; i++) if (tryLock(fd, kind)) return new HeldLock(fd, kind);
    } catch {
      // A file system without locks. The directory was checked for that, so it must be another one by now.
    }
    closeSync(fd);
    return undefined;
  }

  /** From now on, nothing but the end of this thread or `close` ends the lock, where that is possible. */
  outliveDescriptor(): void {
    ftruncateSync(this.#fd, MAPPED_BYTES);
    this.#mapping = growableBuffer(MAPPED_BYTES, MAPPED_BYTES);
    mapFile(this.#mapping, this.#fd);
  }

  /**
   * True while this thread certainly has the lock. Code of the app may have closed the descriptor, and the
   * number may be in use for something else.
   */
  isHeld(): boolean {
    return (this.#mapping !== undefined && LOCKS_OUTLIVE_DESCRIPTORS) || this.exchange(this.#kind);
  }

  /** False if code of the app has closed the descriptor. */
  get isOpen(): boolean {
    try {
      return inodeOf(this.#fd) === this.inode;
    } catch {
      return false;
    }
  }

  /**
   * Gives up this lock for one of another kind. False if that is excluded: then nothing may be held. If
   * several threads that share a lock exchange it for an exclusive one at once, one of them gets it: the
   * kernel frees the lock that was held before it looks for others.
   */
  exchange(kind: 'shared' | 'exclusive'): boolean {
    try {
      return this.isOpen && tryLock(this.#fd, kind);
    } catch {
      return false;
    }
  }

  /** Ends the lock. One that outlives its descriptor may last until it is garbage-collected. */
  close(): void {
    if (!this.isOpen) return;
    unlock(this.#fd);
    closeSync(this.#fd);
  }
}

export function inodeOf(fd: number): bigint {
  return fstatSync(fd, { bigint: true }).ino;
}
