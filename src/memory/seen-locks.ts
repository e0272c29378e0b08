/**
 * Ownership of slabs as a passive reader sees it. It cannot ask for locks, so it looks at those that the
 * kernel shows. A lock that is shown proves that its owner lives. One that is not shown proves that the owner
 * is dead only where all locks are shown, which is in the first namespace of process ids: elsewhere the
 * kernel leaves out the locks of processes beyond the namespace (another container of a pod).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import {
  ABANDONED,
  DAMAGED,
  EXTENTS_OFFSET,
  SLAB_BYTES,
  SLAB_LOCK_FILE_INT64,
  SLAB_TABLE_OFFSET,
} from './layout.ts';
import type { Ownership } from './ownership.ts';

/** The number that Linux gives to the first namespace of process ids. */
const FIRST_NAMESPACE = 'pid:[4026531836]';

/** What is known of the owner of a slab. */
export type OwnerState = 'alive' | 'dead' | 'unknown';

/** Inodes of files that are locked exclusively: on the device of the store, and on others. */
interface Locks {
  readonly own: ReadonlySet<bigint>;
  readonly others: ReadonlySet<bigint>;
}

export class SeenOwnership implements Ownership {
  readonly mark: number = process.pid;
  readonly processId: number = process.pid;
  readonly obstacle = undefined;
  readonly #lockFiles: BigInt64Array;
  readonly #device: string;
  #locks: readonly Locks[] | undefined;

  /** `words`: of the copy. `device`: number of the device that the store is on. */
  constructor(words: Int32Array, device: bigint) {
    this.#lockFiles = new BigInt64Array(words.buffer, 0, EXTENTS_OFFSET / 8);
    this.#device = deviceText(device);
    this.look();
  }

  /** Looks at the locks anew. */
  look(): void {
    // Twice: the kernel makes the list piece by piece, and may leave out a lock while others come and go.
    const [once, twice] = [shownLocks(this.#device), shownLocks(this.#device)];
    this.#locks = once !== undefined && twice !== undefined ? [once, twice] : undefined;
  }

  /** `owner`: the owner word of the slab, which somebody has taken. */
  stateOf(slab: number, owner: number): OwnerState {
    if (owner === ABANDONED || owner === DAMAGED) return 'dead';
    const file = this.#lockFiles[(SLAB_TABLE_OFFSET + slab * SLAB_BYTES) / 8 + SLAB_LOCK_FILE_INT64]!;
    if (this.#locks === undefined || file === 0n) return 'unknown';
    if (this.#locks.some(({ own }) => own.has(file))) return 'alive';
    const isElsewhere = this.#locks.some(({ others }) => others.has(file));
    return isElsewhere || !seesAllLocks() ? 'unknown' : 'dead';
  }

  /** True if the file with this inode, in the store's directory, is locked for certain. */
  isLocked(inode: bigint): boolean {
    return this.#locks?.some(({ own }) => own.has(inode)) === true;
  }

  isFree(slab: number, owner: number): boolean {
    return owner !== 0 && owner !== DAMAGED && this.stateOf(slab, owner) === 'dead';
  }

  claim(): boolean {
    return false;
  }

  release(): void {}

  keep(): void {}

  isKept(): boolean {
    return false;
  }
}

/** Whether a lock that is not shown is not there. */
export function seesAllLocks(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_NAMESPACE;
  } catch {
    return false;
  }
}

/** As /proc/locks names a device. */
function deviceText(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}`;
}

/** Undefined where the system shows no locks. */
function shownLocks(device: string): Locks | undefined {
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'latin1');
  } catch {
    return undefined;
  }
  const own = new Set<bigint>();
  const others = new Set<bigint>();
  for (const [, where, inode] of text.matchAll(/^\d+: FLOCK +\S+ +WRITE +-?\d+ ([\da-f]+:[\da-f]+):(\d+) /gm))
    (where === device ? own : others).add(BigInt(inode!));
  return { own, others };
}
