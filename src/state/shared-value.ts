/**
 * One value that several writers set and add to, without a lock and without a cell that two of them write.
 *
 * Each writer has a cell of its own (`cells/shared-value-cell.ts`). A set takes a new tick of the region's
 * clock, the newest of all, and begins an epoch with it. From then on, what the cells hold of earlier epochs
 * is void. An addition goes to the newest epoch that the writer sees. The value is the sum of the amounts of
 * the newest epoch:
 *
 *   cell of A   cell of B   cell of C     value
 *    3, -e0      1, -e0      -             4       A and B have added; nobody has set
 *    3, -e0     10,  t1      -            10       B sets 10
 *    3, -e0     10,  t1      2, -t1       12       C adds 2
 *
 * Guarantees
 *   G1  No addition and no set is lost: each is somewhere in one order of all of them, within the time its
 *       call took.
 *   G2  A set is exact, whatever the value was: nothing is subtracted.
 *   G3  What a dead writer set or added stays. Its cell goes on under the thread that takes over its slab.
 * Not guaranteed: an order among additions that overlap a set or a reading of all cells in time. So a reader
 * that meets several additions under way may see the later one and not the earlier.
 */
import { SHARED_AMOUNT, SHARED_TICK } from './cells/shared-value-cell.ts';

/** The epoch until the first set. Ticks of the clock are whole numbers from 1. */
export const BEFORE_ANY_SET = 0.5;

/** Adds up the cells of one value as they are read. */
export class SharedValueSum {
  epoch = 0; // the newest met; 0 = no cell was written to
  value = 0;
  #hasBase = false;

  reset(): void {
    this.epoch = 0;
    this.value = 0;
    this.#hasBase = false;
  }

  /** Takes a cell's state as `readSharedValueInto` copied it. */
  take(copy: Float64Array): void {
    const tick = copy[SHARED_TICK]!;
    const epoch = Math.abs(tick);
    if (epoch === 0 || epoch < this.epoch) return;
    if (epoch > this.epoch) {
      this.epoch = epoch;
      this.value = 0;
      this.#hasBase = false;
    }
    this.value += copy[SHARED_AMOUNT]!;
    if (tick > 0) this.#hasBase = true;
  }

  /**
   * False when additions to an epoch were met but not the set that began it: its cell was read before it was
   * set, and all cells have to be read again. The set is published before anyone can add to it, so a second
   * reading meets it or a newer one.
   */
  get isWhole(): boolean {
    return this.#hasBase || this.epoch === BEFORE_ANY_SET || this.epoch === 0;
  }
}
