import type { HrTime } from '@opentelemetry/api';
import { lengthened, roomFor } from '../../base/array-room.ts';
import { hrTimeOf } from '../hr-time.ts';

/**
 * Whether observed totals of one stream fell since one reader saw them last. Then what is observed was set back, and its series starts
 * anew: at the collection before, since when exactly nobody knows (specification, resets and gaps).
 */
export class ResetWatch {
  #totals = new Float64Array(8);
  readonly #starts = new Map<number, HrTime>();
  #previousMillis = 0;
  #endMillis = 0;

  /** Begins the collection that ends at `endMillis`. */
  begin(endMillis: number): void {
    this.#previousMillis = this.#endMillis;
    this.#endMillis = endMillis;
  }

  /** When a series started that amounts to `total` now; `start`, if it was never set back. */
  startOf(series: number, total: number, start: HrTime): HrTime {
    if (series >= this.#totals.length) this.#totals = lengthened(this.#totals, roomFor(series));
    if (total < this.#totals[series]!) this.#starts.set(series, hrTimeOf(this.#previousMillis));
    this.#totals[series] = total;
    return this.#starts.get(series) ?? start;
  }
}
