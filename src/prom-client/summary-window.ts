import { systemClock } from '../base/platform.ts';
import { copyExponentialRow, subtractExponentialRow } from '../collect/rows/exponential.ts';

/**
 * The sliding window of one series of a summary. The store only has totals, so the window keeps the totals as
 * they were when each part of it began. What is in the window is the difference to the oldest of them.
 *
 * Parts end when prom-client's do: when the series is observed or read after `maxAgeSeconds / ageBuckets`.
 * What other threads observed since then, and before this thread looked, is in the part that ended.
 */
export class SummaryWindow {
  readonly #partMillis: number;
  readonly #maxSize: number;
  /** Totals when each part began, oldest first; undefined: nothing was there. */
  readonly #parts: (Float64Array | undefined)[];
  #partBegan: number = systemClock.now();

  /** `ageBuckets`: how many parts the window has. */
  constructor(maxAgeSeconds: number, ageBuckets: number, maxSize: number) {
    this.#partMillis = (maxAgeSeconds * 1000) / ageBuckets;
    this.#maxSize = maxSize;
    this.#parts = Array.from({ length: ageBuckets }, () => undefined);
  }

  /** Ends the parts whose time is over. `total`: what all threads have observed until now. */
  rotate(total: () => Float64Array | undefined): void {
    let past = systemClock.now() - this.#partBegan;
    let copy: Float64Array | undefined;
    while (past > this.#partMillis) {
      copy ??= total()?.slice();
      this.#parts.shift();
      this.#parts.push(copy);
      past -= this.#partMillis;
      this.#partBegan += this.#partMillis;
    }
  }

  /** What was observed in the window. `total`: what was observed at all; it is changed. */
  within(total: Float64Array): Float64Array {
    const oldest = this.#parts[0];
    if (oldest === undefined) return total;
    const maxSize = this.#maxSize;
    const row = new Float64Array(total.length);
    copyExponentialRow(total, 0, row, 0, maxSize);
    subtractExponentialRow(row, 0, oldest, 0, maxSize);
    return row;
  }

  /** Nothing was observed before. */
  reset(): void {
    this.#parts.fill(undefined);
  }
}
