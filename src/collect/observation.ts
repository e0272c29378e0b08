import { awaitAnswer, observingSlabs, ring } from '../memory/doorbell.ts';
import type { Region } from '../memory/region.ts';

/** How long a reader waits for another thread's callbacks, at most; a thread that is blocked keeps its last values. */
const LONGEST_WAIT_MILLIS = 1000;
/** ... and for a thread that did not answer the time before. */
const BLOCKED_WAIT_MILLIS = 20;

const blocked = new WeakMap<Region, Set<number>>();

/**
 * Asks the other threads of a store to run their observable callbacks and waits for them, all at once. `own`: the slab of this
 * thread, -1 for none. Resolves to no errors: what callbacks of other threads throw stays there.
 */
export async function observeElsewhere(
  region: Region,
  own: number,
  timeoutMillis: number | undefined,
  request: number = ring(region),
): Promise<unknown[]> {
  let silent = blocked.get(region);
  if (silent === undefined) blocked.set(region, (silent = new Set()));
  const wait = Math.min(timeoutMillis ?? LONGEST_WAIT_MILLIS, LONGEST_WAIT_MILLIS);
  await Promise.all(
    observingSlabs(region, own).map(async (slab) => {
      const answered = await awaitAnswer(
        region,
        slab,
        request,
        silent.has(slab) ? BLOCKED_WAIT_MILLIS : wait,
      );
      if (answered) silent.delete(slab);
      else silent.add(slab);
    }),
  );
  return [];
}
