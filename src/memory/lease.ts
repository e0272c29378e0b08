import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { HeldLock, inodeOf, LOCK_FLAGS } from './held-lock.ts';
import { EXTENTS_OFFSET, LEADER_FILE_INT64, READER_MARK_INDEX } from './layout.ts';
import { isProvenDead } from './liveness.ts';
import { tryLock } from './native.ts';
import { refusalOf, type Refusal } from './refusal.ts';

/**
 * The right to read the store for all: to serve it and to push it. It has one holder at a time and ends with
 * its holder's life, however that ends, and not before: a holder that is stopped or slow keeps it.
 */
export interface Lease {
  /** Takes the lease, unless another live holder has it. True when this thread has it now. */
  take(): boolean;
  /** True if nobody has it at the moment. Whoever wants it must take it all the same. */
  isFree(): boolean;
  /** Why nobody can take it any more; undefined as long as somebody can. */
  readonly obstacle: Refusal | undefined;
}

/** Between the threads of one process: the holder's mark in a word of the region's header. */
export class ThreadLease implements Lease {
  readonly obstacle = undefined;
  readonly #words: Int32Array;
  readonly #mark: number;

  /** `mark`: the mark of this thread in the region. */
  constructor(words: Int32Array, mark: number) {
    this.#words = words;
    this.#mark = mark;
  }

  take(): boolean {
    for (;;) {
      const holder = Atomics.load(this.#words, READER_MARK_INDEX);
      if (holder === this.#mark) return true;
      if (!isVacant(holder)) return false;
      if (Atomics.compareExchange(this.#words, READER_MARK_INDEX, holder, this.#mark) === holder) return true;
    }
  }

  isFree(): boolean {
    return isVacant(Atomics.load(this.#words, READER_MARK_INDEX));
  }
}

function isVacant(holder: number): boolean {
  return holder === 0 || isProvenDead(holder);
}

export const LEADER_FILE = 'leader';
const NO_FILE = 0n;

/**
 * Between processes: the lock on `leader`. The region's header names the file whose lock counts, by its
 * inode, written once: a file that somebody put in its place would make a second holder.
 */
export class LockLease implements Lease {
  obstacle: Refusal | undefined;
  readonly #directory: string;
  readonly #path: string;
  readonly #lockFiles: BigInt64Array;
  #lock: HeldLock | undefined;

  /** `words`: must start at the region's start. */
  constructor(directory: string, words: Int32Array) {
    this.#directory = directory;
    this.#path = join(directory, LEADER_FILE);
    this.#lockFiles = new BigInt64Array(words.buffer, 0, EXTENTS_OFFSET / 8);
  }

  take(): boolean {
    if (this.#lock?.isHeld() === true) return true;
    this.#lock = undefined;
    let lock: HeldLock | undefined;
    try {
      lock = HeldLock.take(this.#path);
      if (lock === undefined) return false;
      Atomics.compareExchange(this.#lockFiles, LEADER_FILE_INT64, NO_FILE, lock.inode);
      if (this.#counts(lock.inode)) {
        lock.outliveDescriptor();
        this.#lock = lock;
        return true;
      }
    } catch (error) {
      this.obstacle = refusalOf(this.#directory, error);
    }
    lock?.close();
    return false;
  }

  isFree(): boolean {
    let fd: number | undefined;
    try {
      fd = openSync(this.#path, LOCK_FLAGS);
      if (tryLock(fd, 'shared')) return this.#lockFile === NO_FILE || this.#counts(inodeOf(fd));
      this.obstacle = undefined; // somebody has it
      return false;
    } catch (error) {
      this.obstacle = refusalOf(this.#directory, error);
      return false;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  get #lockFile(): bigint {
    return Atomics.load(this.#lockFiles, LEADER_FILE_INT64);
  }

  #counts(inode: bigint): boolean {
    const counts = inode === this.#lockFile;
    this.obstacle = counts
      ? undefined
      : {
          reason: `the file ${this.#path} was removed or replaced`,
          fix: 'End all processes that use the directory, and start them again',
        };
    return counts;
  }
}
