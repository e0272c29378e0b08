/**
 * Makes a provider that exports nothing, and lets ten seconds pass at once: the timers are another's before the package is
 * loaded. Prints how long it was to be waited, and whether that keeps the process up.
 */
import timers from 'node:timers';

const waits: { readonly millis: number; readonly look: () => void; isUnref: boolean }[] = [];
const later = ((look: () => void, millis: number) => {
  const wait = { millis, look, isUnref: false };
  waits.push(wait);
  return { unref: () => (wait.isUnref = true), ref: () => {} };
}) as never;
const real = timers.setTimeout;
timers.setTimeout = later;
const { SeqlockMeterProvider } = await import('../../src/index.ts');
timers.setTimeout = real;

const provider = new SeqlockMeterProvider();
provider.getMeter('m').createCounter('c').add(1);
console.log(JSON.stringify(waits));
for (let times = 0; times < 2; times++) for (const { look } of waits) look();
await provider.shutdown();
