/**
 * What this package uses of the platform besides the language, as it was when the package was loaded. Test
 * frameworks later replace globals by fake timers and clocks (sinon, jest, vitest, `node:test`). A scrape
 * must still be answered then, and a time-out must still come.
 *
 * Taken from Node's modules where possible, since some frameworks fake the globals before anything is loaded.
 * `Atomics` is not here: nobody fakes it, and V8 inlines its calls only where it sees the global.
 *
 * Only this file may use the globals; `test/architecture.test.ts` checks that.
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
 * The system's clock: whole milliseconds since the epoch. It may be set back. A test may replace it before it
 * makes a store.
 */
export const systemClock: { now(): number } = { now: Date.now.bind(Date) };
