/**
 * The extremes of the latest interval and of the one before, which a histogram cell keeps for readers with delta temporality: minimum and
 * maximum of an interval cannot be told from cumulative ones. Each of a cell's two slots has them:
 *
 *   +-------+-------+-----+------+---------------+-------------+--------------+
 *   | epoch | since | low | high | earlier since | earlier low | earlier high |
 *   +-------+-------+-----+------+---------------+-------------+--------------+
 *
 *   low, high          extremes of the measurements after number `since`: (since, count], numbered from 1
 *   earlier ..         extremes of (earlier since, since]; both 0 when there are none
 *   epoch              the region's interval epoch when the first measurement after `since` was made
 *
 * A collection with delta temporality raises the region's epoch, then reads. The first measurement that meets another epoch than its slot
 * has begins a new interval. A reader that has the extremes of all measurements up to number n needs those of (n, count]; see
 * `extremesSince`. It goes by the numbers alone: the epochs only see to it that intervals begin where collections are.
 */

/** Indices of what readers look at. Writers have their own: V8 does not fold exported constants, see histogram-cell.ts. */
const SINCE = 1;
const LOW = 2;
const HIGH = 3;
const EARLIER_SINCE = 4;
const EARLIER_LOW = 5;
const EARLIER_HIGH = 6;

/** Float64 words of the extremes in one slot. */
export const INTERVAL_WORDS = 7;

// Of what is copied of any histogram cell.
const MIN = 2;
const MAX = 3;

/** Makes zeroed memory the extremes of an empty histogram. */
export function initInterval(doubles: Float64Array, at: number): void {
  doubles[at + LOW] = doubles[at + EARLIER_LOW] = Infinity;
  doubles[at + HIGH] = doubles[at + EARLIER_HIGH] = -Infinity;
}

/**
 * Writes bounds of the measurements after number `known` to `into[0]` and `into[1]`, given the copy of a cell that has its extremes at
 * `at`. They hold whatever was recorded when. They are the exact extremes when an interval begins at `known`; else (a measurement was
 * made while a reader collected, or readers of several threads raise the epoch) those of a few measurements more, and at worst of all.
 */
export function extremesSince(copy: Float64Array, at: number, known: number, into: Float64Array): void {
  if (known >= copy[at + SINCE]!) {
    into[0] = copy[at + LOW]!;
    into[1] = copy[at + HIGH]!;
  } else if (known >= copy[at + EARLIER_SINCE]!) {
    into[0] = Math.min(copy[at + LOW]!, copy[at + EARLIER_LOW]!);
    into[1] = Math.max(copy[at + HIGH]!, copy[at + EARLIER_HIGH]!);
  } else {
    into[0] = copy[MIN]!;
    into[1] = copy[MAX]!;
  }
}
