import { setTimeout as wait } from 'node:timers/promises';

/** Calls `look` until it returns something, for at most `timeoutMillis`. What it throws counts as nothing yet. */
export async function eventually<T>(look: () => Promise<T | undefined>, timeoutMillis = 60_000): Promise<T> {
  const deadline = performance.now() + timeoutMillis;
  for (let last: unknown = 'it gave nothing'; ; await wait(50)) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMillis} ms`, { cause: last });
  }
}
