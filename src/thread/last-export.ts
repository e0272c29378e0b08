/**
 * The export when the app ends. Worker threads keep running while the main thread is in its 'exit' listeners,
 * and are stopped after them. So an 'exit' listener that waits in Atomics.wait gives the exporter thread its
 * time. That covers the end of the event loop, `process.exit` and uncaught exceptions, and changes no exit
 * code. A signal that ends the process by default ends it without 'exit'. The export then comes before the
 * signal's default (default-signal.ts), which needs an event loop that turns.
 *
 * Nothing here keeps the event loop alive: if it ends by itself, 'beforeExit' comes once, as it would without
 * this.
 */
import { performance } from '../base/platform.ts';
import { tellOfLoss } from '../base/warnings.ts';
import { DefaultSignal } from './default-signal.ts';
import type { FlushOutcome } from './flush-requests.ts';
import type { LastExportOptions } from './options.ts';

/** Requests a last flush of an exporter thread, and waits for it. */
export interface LastFlush {
  /**
   * Runs this thread's observable callbacks now. What they observe by the end of the microtasks is in the
   * store then.
   */
  observe(): void;
  /**
   * The number of a flush that has everything that is recorded by now. The event loop does not turn from here
   * to the end of `wait`. Undefined if another process exports it.
   */
  request(): number | undefined;
  wait(number: number, timeoutMillis: number): FlushOutcome;
  /** Why the latest one has failed. */
  reason(): string;
}

interface Ending {
  readonly flush: LastFlush;
  readonly timeoutMillis: number;
  readonly signals: readonly NodeJS.Signals[];
  /** True once a flush has failed: the app's end is not delayed twice. */
  inVain: boolean;
}

const endings = new Set<Ending>();
const defaultSignals = new Map<NodeJS.Signals, DefaultSignal>();
let hadItsTurn = false;

/** Runs `flush` when the app ends. Returns a function that undoes this. */
export function atAppEnd(
  { timeoutMillis, signals }: Required<LastExportOptions>,
  flush: LastFlush,
): () => void {
  const ending: Ending = { flush, timeoutMillis, signals, inVain: false };
  if (endings.size === 0) {
    process.on('exit', flushAll);
    process.on('beforeExit', observeAll);
  }
  endings.add(ending);
  for (const signal of signals)
    if (!defaultSignals.has(signal)) defaultSignals.set(signal, new DefaultSignal(signal, flushAll));
  return () => {
    endings.delete(ending);
    for (const [signal, defaultSignal] of defaultSignals) {
      if ([...endings].some((other) => other.signals.includes(signal))) continue;
      defaultSignal.close();
      defaultSignals.delete(signal);
    }
    if (endings.size > 0) return;
    process.off('exit', flushAll);
    process.off('beforeExit', observeAll);
  };
}

/** All exporter threads at once. */
function flushAll(): void {
  const started = performance.now();
  const asked = [...endings]
    .filter(({ inVain }) => !inVain)
    .map((ending) => ({ ending, number: ending.flush.request() }));
  for (const { ending, number } of asked) {
    if (number === undefined) continue;
    const outcome = ending.flush.wait(number, ending.timeoutMillis - (performance.now() - started));
    if (outcome !== 'delivered') noteFailure(ending, outcome);
  }
}

/**
 * Called when the event loop has nothing more to do; 'exit' comes next. It acts only once, because what
 * callbacks start must not keep the app alive for ever.
 */
function observeAll(): void {
  if (hadItsTurn) return;
  hadItsTurn = true;
  for (const { flush } of endings) flush.observe();
}

function noteFailure(ending: Ending, outcome: 'failed' | 'late'): void {
  ending.inVain = true;
  tellOfLoss(
    'warn',
    outcome === 'late'
      ? `seqlock-metrics: the last export was not delivered within ${ending.timeoutMillis} ms, so what was recorded since the push before may be missing. Raise lastExport.timeoutMillis if the collector is only slow`
      : `seqlock-metrics: the last export could not be delivered: ${ending.flush.reason()}. What was recorded since the push before may be missing`,
  );
}
