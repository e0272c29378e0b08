import { ofThisThread } from '../base/this-thread.ts';
import { ABANDONED, DAMAGED } from './layout.ts';
import { isProvenDead } from './liveness.ts';

/** How this thread owns slabs of one region, and how it judges others' ownership. */
export interface Ownership {
  /** What this thread writes into the owner word of a slab that it takes. A positive int32. */
  readonly mark: number;
  /** Process id, to tell the writers of several processes apart; 0 where there is one process. */
  readonly processId: number;
  /** True on proof that nobody writes to the slab whose owner word is `owner` any more. System calls. */
  isFree(slab: number, owner: number): boolean;
  /**
   * Before this thread writes its mark into the owner word: gets the right to, if nobody else has it. False
   * when somebody has. Where it returns true the caller takes the slab, or calls `release`.
   */
  claim(slab: number, owner: number): boolean;
  /** Gives a claim back. */
  release(slab: number): void;
  /** After the slab was taken. */
  keep(slab: number): void;
  /** True while this thread is the slab's owner without doubt. */
  isKept(slab: number): boolean;
}

/**
 * Slabs this thread took, by creation time of the region and slab number. Shared by all copies of the package
 * in the thread, in whatever realm, and good for several `Region`s over one memory: for each of them this
 * thread would look like its own dead predecessor. Two regions made in the same instant are taken for one,
 * which at worst leaves a dead slab alone.
 */
const taken: Set<string> = ofThisThread('slabs.1', () => new Set());

/**
 * Between the threads of one process: the owner word alone says who owns a slab, by the owner's mark
 * (liveness.ts), and the compare-and-swap on it is the claim.
 *
 * A slab with this thread's own mark that this thread did not take is a dead predecessor's: the kernel gave
 * its id anew.
 *
 * Assumes that no thread sleeps between the proof and the compare-and-swap for so long that the kernel gives
 * the dead owner's id to another thread and that one takes this very slab: thread ids are given out in a
 * circle of 32,768 or more.
 */
export class ThreadOwnership implements Ownership {
  readonly mark: number;
  readonly processId = 0;
  readonly #created: number;

  /** `created`: when the region was made. */
  constructor(mark: number, created: number) {
    this.mark = mark;
    this.#created = created;
  }

  isFree(slab: number, owner: number): boolean {
    if (owner === ABANDONED) return true;
    if (owner === 0 || owner === DAMAGED) return false;
    const mark = Math.abs(owner);
    return mark === this.mark ? !this.isKept(slab) : isProvenDead(mark);
  }

  claim(slab: number, owner: number): boolean {
    return owner === 0 || this.isFree(slab, owner);
  }

  release(): void {}

  keep(slab: number): void {
    taken.add(this.#name(slab));
  }

  isKept(slab: number): boolean {
    return taken.has(this.#name(slab));
  }

  #name(slab: number): string {
    return `${this.#created} ${slab}`;
  }
}
