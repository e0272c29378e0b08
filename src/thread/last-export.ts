/**
 * The export when the app ends. Worker threads go on running while the main thread is in its 'exit' listeners and are stopped after
 * them; so an 'exit' listener that waits in Atomics.wait gives the exporter thread its time. That covers the end of the event loop,
 * `process.exit` and uncaught exceptions, and changes no exit code.
 *
 * A signal that has no listener ends the process without 'exit'. So there is a listener, which stands in for the default as long as the
 * app has none of its own: it waits likewise, and then has the process end by that signal. It can do so only while the event loop
 * turns, as every listener.
 */
import { diag } from '@opentelemetry/api';
import type { FlushOutcome } from './flush-requests.ts';
import type { LastExportOptions } from './options.ts';

/** Asks an exporter thread for a last flush, and waits for it. */
export interface LastFlush {
  /** `isAtExit`: the event loop has stopped for good. */
  request(isAtExit: boolean): number;
  wait(number: number, timeoutMillis: number): FlushOutcome;
  waitAsync(number: number, timeoutMillis: number): Promise<FlushOutcome>;
  /** Another number when anything was recorded meanwhile. */
  fingerprint(): number;
}

interface Ending {
  readonly flush: LastFlush;
  readonly timeoutMillis: number;
  readonly signals: readonly NodeJS.Signals[];
  /** True once a flush was in vain: the app's end is not held up twice. */
  inVain: boolean;
  /** Of what was delivered while the event loop still turned: it need not be sent twice. */
  delivered: number | undefined;
}

const endings = new Set<Ending>();
/** Signals for which a listener of the app has just been taken off by being called (`once`). */
const handledByApp = new Set<NodeJS.Signals>();
let hadItsTurn = false;

/** Has `flush` done when the app ends. Returns what undoes it. */
export function atAppEnd(
  { timeoutMillis, signals }: Required<LastExportOptions>,
  flush: LastFlush,
): () => void {
  const ending: Ending = { flush, timeoutMillis, signals, inVain: false, delivered: undefined };
  if (endings.size === 0) {
    process.on('exit', flushAll);
    process.on('beforeExit', flushWhileLoopTurns);
    process.on('removeListener', noteRemoval);
  }
  endings.add(ending);
  for (const signal of signals)
    if (!process.listeners(signal).includes(endBySignal)) process.prependListener(signal, endBySignal);
  return () => {
    endings.delete(ending);
    for (const signal of signals)
      if (![...endings].some((other) => other.signals.includes(signal))) process.off(signal, endBySignal);
    if (endings.size > 0) return;
    process.off('exit', flushAll);
    process.off('beforeExit', flushWhileLoopTurns);
    process.off('removeListener', noteRemoval);
  };
}

/** All exporter threads at once. */
function flushAll(): void {
  const started = performance.now();
  const asked = [...endings]
    .filter(({ flush, inVain, delivered }) => !inVain && delivered !== flush.fingerprint())
    .map((ending) => ({ ending, number: ending.flush.request(true) }));
  for (const { ending, number } of asked)
    note(ending, ending.flush.wait(number, ending.timeoutMillis - (performance.now() - started)));
}

/** While the event loop still turns, observable callbacks can be called. Once: what they start must not keep the app up for ever. */
function flushWhileLoopTurns(): void {
  if (hadItsTurn) return;
  hadItsTurn = true;
  for (const ending of endings) {
    const { flush, timeoutMillis } = ending;
    const fingerprint = flush.fingerprint();
    void flush.waitAsync(flush.request(false), timeoutMillis).then((outcome) => {
      if (outcome === 'delivered') ending.delivered = fingerprint;
      note(ending, outcome);
    });
  }
}

function note(ending: Ending, outcome: FlushOutcome): void {
  if (outcome === 'delivered') return;
  ending.inVain = true;
  diag.warn(
    outcome === 'late'
      ? `seqlock-metrics: the last export was not delivered within ${ending.timeoutMillis} ms (lastExport.timeoutMillis)`
      : 'seqlock-metrics: the last export could not be delivered',
  );
}

function endBySignal(signal: NodeJS.Signals): void {
  const isHandledByApp = handledByApp.has(signal) || process.listenerCount(signal) > 1;
  if (isHandledByApp) return; // it ends the app, or does not; if it does, 'exit' comes
  flushAll();
  process.off(signal, endBySignal);
  process.kill(process.pid, signal);
}

/** A listener of `once` is taken off just before it is called, and is no longer counted when `endBySignal` is. */
function noteRemoval(event: string | symbol, listener: unknown): void {
  if (listener === endBySignal || typeof event !== 'string' || !event.startsWith('SIG')) return;
  const signal = event as NodeJS.Signals;
  handledByApp.add(signal);
  process.nextTick(() => handledByApp.delete(signal));
}
