import { awaitAnswer, isAnswered, LONGEST_WAIT_MILLIS, observingSlabs, ring } from '../memory/doorbell.ts';
import { askForPulses, hasTurnedSince } from '../memory/pulse.ts';
import type { Region } from '../memory/region.ts';
import { ownCallbacks } from '../state/own-callbacks.ts';

/**
 * How long a reader waits for proof that a thread's event loop turns. If a thread hangs, the first scrape
 * takes this much longer.
 */
const TURN_MILLIS = 200;
/** How long it waits if there was no proof the time before. */
const BLOCKED_WAIT_MILLIS = 20;

/** What this thread has seen of the other threads' answers. */
interface Answers {
  /** Slabs whose owners did not answer the latest request in time, and the number of that request. */
  readonly silent: Map<number, number>;
  /** How many requests were not answered in time so far. */
  missed: number;
}

const answersOf = new WeakMap<Region, Answers>();

function answers(region: Region): Answers {
  let known = answersOf.get(region);
  if (known === undefined) answersOf.set(region, (known = { silent: new Map(), missed: 0 }));
  return known;
}

/**
 * How many other threads keep values of an earlier round, and how often that has happened, as seen by the
 * readers of this thread.
 */
export function observationStats(region: Region): { readonly silent: number; readonly missed: number } {
  const { silent, missed } = answers(region);
  return { silent: silent.size, missed };
}

/** True when any live thread of a store has observable callbacks. */
export function hasCallbacks(region: Region): boolean {
  return region.copy === undefined && observingSlabs(region, -1).length > 0;
}

/**
 * Runs the observable callbacks of this thread and of all others at the same time. Those of this thread have
 * `timeoutMillis`, or the default time. Resolves to the errors of this thread's callbacks. Of a copy of a
 * store nobody can be asked: it is brought up to date. Rejects only if it cannot be.
 */
export async function observe(region: Region, timeoutMillis: number | undefined): Promise<unknown[]> {
  if (region.copy !== undefined) {
    region.takeCopy();
    return [];
  }
  const request = ring(region);
  const own = ownCallbacks(region);
  const [errors] = await Promise.all([
    own?.runner.run(request, timeoutMillis) ?? [],
    observeElsewhere(region, own?.slab ?? -1, timeoutMillis, request),
  ]);
  return errors;
}

/**
 * Runs the observable callbacks of the other threads only, for a reader that has called those of this thread.
 * Undefined, and nothing is done, if no other thread has any.
 */
export function observeOthers(region: Region): Promise<void> | undefined {
  const own = ownCallbacks(region)?.slab ?? -1;
  if (observingSlabs(region, own).length === 0) return undefined;
  return observeElsewhere(region, own, undefined, ring(region));
}

/**
 * Asks the other threads of a store to run their observable callbacks, and waits for all of them at once.
 * `own`: the slab of this thread, -1 for none. Errors of other threads' callbacks stay there.
 */
async function observeElsewhere(
  region: Region,
  own: number,
  timeoutMillis: number | undefined,
  request: number,
): Promise<void> {
  const known = answers(region);
  const { silent } = known;
  const observing = observingSlabs(region, own);
  for (const [slab, missed] of silent)
    // The thread has ended, or was only late.
    if (!observing.includes(slab) || isAnswered(region, slab, missed)) silent.delete(slab);
  if (observing.length === 0) return;
  const look = askForPulses(region);
  const wait = Math.min(timeoutMillis ?? LONGEST_WAIT_MILLIS, LONGEST_WAIT_MILLIS);
  await Promise.all(
    observing.map(async (slab) => {
      const first = Math.min(wait, silent.has(slab) ? BLOCKED_WAIT_MILLIS : TURN_MILLIS);
      const answered =
        (await awaitAnswer(region, slab, request, first)) ||
        (hasTurnedSince(region, slab, look) && (await awaitAnswer(region, slab, request, wait - first)));
      if (answered) silent.delete(slab);
      else {
        silent.set(slab, request);
        known.missed++;
      }
    }),
  );
}
