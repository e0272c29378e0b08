/**
 * How a reader in one thread makes all threads run their observable callbacks, and how it knows which values
 * are new.
 *
 *   reader                                   writer with callbacks
 *   ------                                   ---------------------
 *   request = ring()      --- notify -->     (waiting in Atomics.waitAsync; its event loop must turn)
 *                                            run the callbacks; write their values, all with one new tick
 *                                            observed since = that tick
 *   awaitAnswers(request) <-- notify ---     answered = request
 *
 * A value is reported if its tick is not below the slab's `observed since`. So what a later round did not
 * observe disappears. While a round is written, its values and those of the round before are both visible. A
 * thread that does not answer in time is not waited for: its last values stay.
 */
import { whenChanged } from './signal.ts';
import { withoutContext } from '../base/no-context.ts';
import { performance, setInterval, clearInterval } from '../base/platform.ts';
import * as layout from './layout.ts';
import type { Region } from './region.ts';
import { isSlabDead, slabsUsed } from './slab.ts';

/**
 * The longest time a reader waits for another thread's callbacks. A thread that is blocked keeps its last
 * values.
 */
export const LONGEST_WAIT_MILLIS = 1000;
/**
 * The time that such a thread gives its callbacks. It is shorter, so that the reader still gets the values in
 * time.
 */
export const CALLBACK_MILLIS = 800;

/**
 * How often a thread looks for requests after the store was closed. It is well within the time that a reader
 * waits.
 */
const LOOK_MILLIS = 100;

const entryOffset = (slab: number): number => layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES;
const observesIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_OBSERVES_WORD;
const answeredIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_ANSWERED_WORD;
const sinceIndex = (slab: number): number => entryOffset(slab) / 8 + layout.SLAB_OBSERVED_SINCE_DOUBLE;

/** The tick before which observations in this slab are of an earlier round. */
export function observedSince(region: Region, slab: number): number {
  return region.doubles[sinceIndex(slab)]!;
}

/** Asks all writers for a new round. Returns the request's number (it wraps). */
export function ring(region: Region): number {
  const request = (Atomics.add(region.words, layout.OBSERVE_INDEX, 1) + 1) | 0;
  region.signal.wake(layout.OBSERVE_INDEX);
  return request;
}

/** The number of the latest request. */
export function latestRequest(region: Region): number {
  return Atomics.load(region.words, layout.OBSERVE_INDEX);
}

/** What runs a thread's callbacks. */
export interface RingListener {
  /** A reader asked for a round: `answer` it. The callbacks have `timeoutMillis`. */
  onRing(request: number, timeoutMillis: number): void;
}

/**
 * From now on calls `listener` for requests; of several at once, for the newest. Only the slab's owner. Does
 * not keep the process alive.
 *
 * V8 holds a waiter, and the memory it waits on, until it is woken. So `listener` lives as long as the store
 * is open. Closing the store wakes all waiters. After that a timer, which holds nothing, looks for requests
 * of readers that are still attached.
 */
export function answerRings(
  region: Region,
  listener: RingListener,
  seen: number = latestRequest(region),
): void {
  if (region.closed) {
    lookForRings(new WeakRef(region), new WeakRef(listener), seen);
    return;
  }
  const wake = (): void => {
    const request = latestRequest(region);
    answerRings(region, listener, request);
    if (request !== seen) listener.onRing(request, CALLBACK_MILLIS);
  };
  whenChanged(region.signal, layout.OBSERVE_INDEX, seen, wake);
}

function lookForRings(region: WeakRef<Region>, listener: WeakRef<RingListener>, seen: number): void {
  let last = seen;
  const look = (): void => {
    const [rung, told] = [region.deref(), listener.deref()];
    if (rung === undefined || told === undefined) {
      clearInterval(timer);
      return;
    }
    const request = latestRequest(rung);
    if (request === last) return;
    last = request;
    told.onRing(request, CALLBACK_MILLIS);
  };
  const timer = withoutContext(() => setInterval(look, LOOK_MILLIS));
  timer.unref();
}

/** Says whether this thread has callbacks. Only the slab's owner. */
export function setObserves(region: Region, slab: number, observes: boolean): void {
  Atomics.store(region.words, observesIndex(slab), observes ? 1 : 0);
}

/**
 * Ends a round: values with a tick below `since` are old. Only the slab's owner, after the round's values are
 * written.
 */
export function publishRound(region: Region, slab: number, since: number): void {
  region.doubles[sinceIndex(slab)] = since;
}

/** Says that a request was answered. Only the slab's owner, after `publishRound`. */
export function answer(region: Region, slab: number, request: number): void {
  Atomics.store(region.words, answeredIndex(slab), request);
  region.signal.wake(answeredIndex(slab));
}

/** True when a request, or a later one, was answered by the owner of a slab. */
export function isAnswered(region: Region, slab: number, request: number): boolean {
  return ((Atomics.load(region.words, answeredIndex(slab)) - request) | 0) >= 0;
}

/** Live slabs, other than `own`, whose owners have callbacks. */
export function observingSlabs(region: Region, own: number): number[] {
  const slabs: number[] = [];
  for (let slab = 0; slab < slabsUsed(region); slab++) {
    if (slab === own || Atomics.load(region.words, observesIndex(slab)) !== 1) continue;
    if (!isSlabDead(region, slab)) slabs.push(slab);
  }
  return slabs;
}

/** Waits until the owner of `slab` has answered `request` or `timeoutMillis` is over. True when it has. */
export async function awaitAnswer(
  region: Region,
  slab: number,
  request: number,
  timeoutMillis: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMillis;
  const index = answeredIndex(slab);
  for (;;) {
    const answered = Atomics.load(region.words, index);
    if (((answered - request) | 0) >= 0) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    const changed = region.signal.wait(index, answered, left);
    if (changed === undefined) continue;
    // The timer keeps the process alive, because it must not end while a last export waits for its values. It
    // must not end before the wait, which keeps nothing alive and may be late.
    const timer = setInterval(() => {}, LONGEST_WAIT_MILLIS);
    await changed;
    clearInterval(timer);
  }
}
