/**
 * A region in a file of a store directory, mapped over a growable `SharedArrayBuffer`. To the threads of this
 * process it is a buffer like any other. To all processes that have mapped the file it is the same memory.
 *
 *   <directory>/        0700, of the user that runs the processes
 *     region-4          the region; the number is the format's major. Sparse, `maxBytes` long, never cut off
 *     region-4.new      one that is being made; it gets its name when it is whole
 *     writers/0, 1 ...  empty; a lock on one is the ownership of that slab (lock-ownership.ts); never deleted
 *     leader            the lock of who serves and pushes for all (lease.ts)
 *     starter           the lock of who starts the next leader (succession.ts)
 *     exporters         locked by all who export or would take over
 *     pushed            what the leader has pushed as deltas, whole at any time
 *     bell              written to so that the other processes look (bell.ts)
 *
 * Locks are flock(2). The kernel frees a lock when its holder ends, however it ends and in whatever
 * namespace. Nothing else proves a death. A lock on the directory itself is held while a region is looked for
 * or made. Every thread that has a region holds a shared lock on its file, so an exclusive lock proves that
 * nobody has it. (On Linux a lock lasts as long as the mapping.)
 */
import { closeSync, constants, fstatSync, openSync, statSync, type BigIntStats } from 'node:fs';
import { join } from 'node:path';
import type { Backing } from './backing.ts';
import { EXTENTS_END_INDEX, EXTENTS_OFFSET, FORMAT_MAJOR, UNIT_BYTES } from './layout.ts';
import { allocate, tryLock } from './native.ts';
import { refusalOf, type Refusal } from './refusal.ts';

export const REGION_FILE: string = `region-${FORMAT_MAJOR}`;
/** Opens without following a link and without waiting for the other end of a FIFO. */
export const OPEN_FLAGS: number = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const NONE = -1;

/** What tells a file apart from another, as long as it exists. */
export function identityOf({ dev, ino }: Pick<BigIntStats, 'dev' | 'ino'>): string {
  return `${dev}:${ino}`;
}

/**
 * A mapped file as one thread has it. The process shares the buffer; each thread has its own descriptor, so
 * its locks end with it.
 */
export class MappedFile implements Backing {
  readonly buffer: SharedArrayBuffer;
  readonly directory: string;
  /** See `identityOf`. */
  readonly identity: string;
  readonly #header: Int32Array;
  #length: number = EXTENTS_OFFSET;
  #fd: number;

  /** `fd`: open. This object closes it. */
  constructor(buffer: SharedArrayBuffer, directory: string, identity: string, fd: number) {
    this.buffer = buffer;
    this.#header = new Int32Array(buffer, 0, EXTENTS_OFFSET / 4);
    this.directory = directory;
    this.identity = identity;
    this.#fd = fd;
    if (fd !== NONE) tryLock(fd, 'shared');
  }

  /**
   * For a thread that got the buffer from another thread of its process. If the file is gone, this thread
   * claims no memory.
   */
  static again(buffer: SharedArrayBuffer, directory: string, identity: string): MappedFile {
    let fd = NONE;
    try {
      fd = openSame(directory, identity);
    } catch {
      // The directory was removed: what is mapped stays.
    }
    return new MappedFile(buffer, directory, identity, fd);
  }

  /** True while the directory still has this file under its name. */
  isInPlace(): boolean {
    try {
      return identityOf(statSync(join(this.directory, REGION_FILE), { bigint: true })) === this.identity;
    } catch {
      return false;
    }
  }

  /**
   * The buffer is as long as the file may get. What nobody has claimed has no memory: where the file system
   * is full, to look at it would end the process.
   */
  get length(): number {
    const used = Atomics.load(this.#header, EXTENTS_END_INDEX) * UNIT_BYTES;
    this.#length = Math.max(this.#length, Math.min(used, this.buffer.byteLength));
    return this.#length;
  }

  provide(start: number, end: number): Refusal | undefined {
    try {
      if (!this.#isOpen()) {
        this.#fd = openSame(this.directory, this.identity);
        tryLock(this.#fd, 'shared');
      }
      allocate(this.#fd, start, end - start);
      this.#length = Math.max(this.#length, end);
      return undefined;
    } catch (error) {
      return refusalOf(this.directory, error); // what is not allocated must not be written to
    }
  }

  /** Code of the app may have closed the descriptor, and its number may belong to another file by now. */
  #isOpen(): boolean {
    try {
      return identityOf(fstatSync(this.#fd, { bigint: true })) === this.identity;
    } catch {
      return false;
    }
  }

  /** Closes the descriptor of an object that is not needed after all. */
  close(): void {
    if (this.#isOpen()) closeSync(this.#fd);
    this.#fd = NONE;
  }
}

function openSame(directory: string, identity: string): number {
  const fd = openSync(join(directory, REGION_FILE), OPEN_FLAGS);
  if (identityOf(fstatSync(fd, { bigint: true })) === identity) return fd;
  closeSync(fd);
  throw new Error(`${join(directory, REGION_FILE)} is another file now`);
}
