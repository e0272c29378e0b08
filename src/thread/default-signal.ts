import { withoutContext } from '../base/no-context.ts';
import { nextTick } from '../base/platform.ts';
const OURS = Symbol.for('seqlock-metrics.default-signal');
type Listener = (() => void) & { readonly [OURS]?: true };

/**
 * Does something before a signal ends the process by default, and changes nothing about how the process ends.
 *
 * A signal ends a process by default as long as nobody listens for it. Code that wants to do something first
 * listens, then removes its listener and sends the signal again. Libraries that do so (signal-exit is in most
 * dependency trees) count the listeners first: if there are others, they leave the decision to them. Two such
 * libraries would wait for each other for ever. So this listener keeps out of the count:
 *
 *   a signal comes   it is called first, for it moves to the front whenever others are added, and takes
 *                    itself off
 *   nobody else      `act`, then the signal again
 *   there are others they decide, as they would without it. When the last of them takes itself off, it is
 *                    about to send the signal again: `act`. A listener of `once` is taken off because it is
 *                    called; then this one is back at once, in case the signal is sent again
 *   all were called  it is back: a process that is PID 1 is not ended by a signal's default
 *
 * Of several copies of this class each acts, and the one that is called last sends the signal.
 */
export class DefaultSignal {
  readonly #signal: NodeJS.Signals;
  readonly #act: () => void;
  readonly #listener: Listener;
  /** The `once` listeners of the signal that is being handled. */
  #called = new Set<unknown>();
  #hasCome = false;
  #isOwnChange = false;
  #isClosed = false;

  constructor(signal: NodeJS.Signals, act: () => void) {
    this.#signal = signal;
    this.#act = act;
    this.#listener = Object.assign(() => this.#onSignal(), { [OURS]: true as const });
    process.on('newListener', this.#onNewListener);
    process.on('removeListener', this.#onRemoval);
    this.#listen();
  }

  close(): void {
    this.#isClosed = true;
    process.off('newListener', this.#onNewListener);
    process.off('removeListener', this.#onRemoval);
    process.off(this.#signal, this.#listener);
  }

  #onSignal(): void {
    this.#hasCome = true;
    for (const wrapper of process.rawListeners(this.#signal) as { listener?: unknown }[])
      if (wrapper.listener !== undefined) this.#called.add(wrapper).add(wrapper.listener);
    this.#change(() => process.off(this.#signal, this.#listener));
    nextTick(() => {
      this.#called.clear();
      this.#listen();
    });
    if (process.listenerCount(this.#signal) > 0) return;
    this.#act();
    process.kill(process.pid, this.#signal);
  }

  readonly #onRemoval = (event: string | symbol, listener: unknown): void => {
    if (event !== this.#signal || this.#isOwnChange) return;
    if (listener === this.#listener) nextTick(() => this.#listen()); // by removeAllListeners
    if (!this.#hasCome || process.listenerCount(this.#signal) > 0) return;
    if (this.#called.has(listener)) this.#listen();
    else this.#act();
  };

  readonly #onNewListener = (event: string | symbol, listener: Listener): void => {
    // it is added after this event
    if (event === this.#signal && listener[OURS] === undefined) nextTick(() => this.#moveToFront());
  };

  #moveToFront(): void {
    const listeners = process.listeners(this.#signal) as Listener[];
    const before = listeners.slice(0, Math.max(0, listeners.indexOf(this.#listener)));
    if (before.every((listener) => listener[OURS] === true)) return;
    this.#change(() => process.off(this.#signal, this.#listener));
    this.#listen();
  }

  #listen(): void {
    if (this.#isClosed || process.listeners(this.#signal).includes(this.#listener)) return;
    // Node makes a handle for the first
    withoutContext(() => process.prependListener(this.#signal, this.#listener));
  }

  #change(change: () => void): void {
    this.#isOwnChange = true;
    change();
    this.#isOwnChange = false;
  }
}
