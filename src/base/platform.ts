/**
 * What this package takes of the platform besides the language, as it was when the package was loaded. Test
 * frameworks put fake timers and clocks in the place of the globals later (sinon, jest, vitest, `node:test`):
 * a scrape must still be answered, and a time-out still come.
 *
 * From Node's modules where they have it, since some frameworks fake the globals before anything is loaded.
 * `Atomics` is not here: nobody fakes it, and V8 compiles its calls in place only where it sees the global.
 *
 * Only this file may use the globals; `test/architecture.test.ts` holds it.
 */
import { performance as platformPerformance } from 'node:perf_hooks';
import timers from 'node:timers';

export const setTimeout: typeof globalThis.setTimeout = timers.setTimeout;
export const clearTimeout: typeof globalThis.clearTimeout = timers.clearTimeout;
export const setInterval: typeof globalThis.setInterval = timers.setInterval;
export const clearInterval: typeof globalThis.clearInterval = timers.clearInterval;
export const setImmediate: typeof globalThis.setImmediate = timers.setImmediate;

export const queueMicrotask: (work: () => void) => void = globalThis.queueMicrotask;

export const nextTick: (work: () => void) => void = process.nextTick.bind(process);

/** Milliseconds of a clock that never goes back, with a fraction. */
export const performance: { now(): number; readonly timeOrigin: number } = {
  now: platformPerformance.now.bind(platformPerformance),
  timeOrigin: platformPerformance.timeOrigin,
};

/** Nanoseconds of the same clock. */
export const nanoseconds: () => bigint = process.hrtime.bigint.bind(process.hrtime);

/**
 * The system's clock: milliseconds since the epoch, whole. It may be set back. A test may put another in its
 * place, before the store is made.
 */
export const systemClock: { now(): number } = { now: Date.now.bind(Date) };
