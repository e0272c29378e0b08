import { rule, table, type Check } from './options.ts';
import { setTimeout, clearTimeout } from './platform.ts';

export interface Deadline {
  readonly timeoutMillis?: number;
}

/** Of `forceFlush` and the like. */
export const checkDeadline: Check = table<Deadline>({
  timeoutMillis: rule('a number of milliseconds from 0', (value) => typeof value === 'number' && value >= 0),
});

/** Used in this module alone, so `instanceof` works. */
export class TimeoutError extends Error {
  readonly code = 'E_TIMEOUT';

  constructor(timeoutMillis: number) {
    super(`not done within ${Math.round(timeoutMillis)} ms`);
    this.name = 'TimeoutError';
  }
}

/** The result of `work`, or a TimeoutError; the work itself goes on. */
export async function withTimeout<T>(timeoutMillis: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(timeoutMillis)), timeoutMillis);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the time is over. Keeps the process alive until then, unless told otherwise. */
export function sleep(millis: number, keepsUp: boolean = true): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, millis);
    if (!keepsUp) timer.unref();
  });
}
