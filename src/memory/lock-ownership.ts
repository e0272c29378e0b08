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
 * The lock outlives its descriptor where that is possible (held-lock.ts): code of the app that closes
 * descriptors it does not know cannot take the ownership away.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { HeldLock, inodeOf, LOCK_FLAGS } from './held-lock.ts';
import * as layout from './layout.ts';
import { tryLock } from './native.ts';
import type { Ownership } from './ownership.ts';
import { refusalOf, type Refusal } from './refusal.ts';

export const WRITERS_DIRECTORY = 'writers';

const ownerIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 4 + layout.SLAB_OWNER_WORD;
const lockFileIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 8 + layout.SLAB_LOCK_FILE_INT64;
const NO_FILE = 0n;

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
      fd = openSync(this.#pathOf(slab), LOCK_FLAGS);
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
      lock = HeldLock.take(this.#pathOf(slab));
      return lock !== undefined && this.#take(slab, owner, lock);
    } catch (error) {
      this.obstacle = refusalOf(this.#directory, error);
      lock?.close();
      return false;
    }
  }

  #take(slab: number, owner: number, lock: HeldLock): boolean {
    // Before the owner word: whoever dies between the two leaves a slab that others can still judge.
    if (owner === 0) Atomics.compareExchange(this.#lockFiles, lockFileIndex(slab), NO_FILE, lock.inode);
    if (lock.inode !== this.#lockFile(slab)) {
      lock.close();
      return false;
    }
    lock.outliveDescriptor();
    this.#held.set(slab, lock);
    return true;
  }

  /** The lock ends when the mapping is garbage-collected. Nobody takes the slab before that. */
  release(slab: number): void {
    this.#held.get(slab)!.close();
    this.#held.delete(slab);
  }

  keep(_slab: number): void {}

  isKept(slab: number): boolean {
    return this.#held.get(slab)?.isHeld() === true;
  }

  #pathOf(slab: number): string {
    return join(this.#directory, WRITERS_DIRECTORY, String(slab));
  }

  #lockFile(slab: number): bigint {
    return Atomics.load(this.#lockFiles, lockFileIndex(slab));
  }
}
