import { ofThisThread } from '../base/this-thread.ts';
import { ABANDONED, DAMAGED } from './layout.ts';
import { isProvenDead } from './liveness.ts';
import type { Refusal } from './refusal.ts';

/** How this thread owns slabs of one region, and how it judges whether other owners live. */
export interface Ownership {
  /** What this thread writes into the owner word of a slab that it takes: a positive int32. */
  readonly mark: number;
  /** Process id, to tell the writers of several processes apart; 0 where there is one process. */
  readonly processId: number;
  /**
   * True on proof that nobody writes any more to the slab whose owner word is `owner`. Makes system calls.
   */
  isFree(slab: number, owner: number): boolean;
  /**
   * Call it before writing this thread's mark into the owner word. Gets the right to, unless somebody else
   * has it: then it returns false. After true, the caller takes the slab or calls `release`.
   */
  claim(slab: number, owner: number): boolean;
  /** Why claims of slabs that nobody has fail; undefined while none has failed. */
  readonly obstacle: Refusal | undefined;
  /** Gives up a claim. */
  release(slab: number): void;
  /** Call it after the slab was taken. */
  keep(slab: number): void;
  /** True while this thread is certainly the owner of the slab. */
  isKept(slab: number): boolean;
}

/**
 * Slabs this thread took, by creation time of the region and slab number. All copies of the package in the
 * thread share it, in every realm, and so do several `Region`s over the same memory: to each of them this
 * thread would otherwise look like its own dead predecessor. Two regions made in the same instant are taken
 * for one, which at worst leaves a dead slab alone.
 */
const taken: Set<string> = ofThisThread('slabs.1', () => new Set());

/**
 * Between the threads of one process. The owner word alone says who owns a slab, by the owner's mark
 * (liveness.ts). The compare-and-swap on it is the claim.
 *
 * If a slab has this thread's own mark and this thread did not take it, its owner is a dead predecessor whose
 * id the kernel gave out again.
 *
 * Assumption: no thread sleeps between the proof and the compare-and-swap for so long that the kernel gives
 * the dead owner's id to another thread, which then takes this very slab. Thread ids are given out in a
 * circle of 32,768 or more.
 */
export class ThreadOwnership implements Ownership {
  readonly mark: number;
  readonly processId = 0;
  readonly obstacle = undefined;
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
