import type { BatchObservableCallback, ObservableCallback } from '@opentelemetry/api';
import type { ObservedStream } from '../state/observed-stream.ts';
import { withoutContext } from '../base/no-context.ts';
import { shortText } from '../base/errors.ts';
import { setTimeout, clearTimeout } from '../base/platform.ts';
import type { StoreWriter } from '../state/store-writer.ts';
import { Round } from './round.ts';

/** What distinguishes registrations. */
export interface RegistrationKey {
  readonly callback: ObservableCallback | BatchObservableCallback;
  readonly isBatch: boolean;
  /** The instruments it was registered with, each once. */
  readonly owners: readonly object[];
}

/** A callback and the streams it reports to. */
export interface Registration extends RegistrationKey {
  readonly streams: readonly ObservedStream[];
  /**
   * Calls it. What it reports while `isOpen` goes into the round. May throw, or return a promise that
   * rejects.
   */
  readonly call: (round: Round, isOpen: () => boolean) => unknown;
}

/** A callback that did not end in time. */
export class CallbackTimeoutError extends Error {
  readonly code = 'E_CALLBACK_TIMEOUT';

  constructor(what: string) {
    super(`an observable callback ${what}`);
    this.name = 'CallbackTimeoutError';
  }
}

/**
 * How long callbacks have if a reader sets no time-out: half the scrape time-out of Prometheus, so that a
 * scrape succeeds without them.
 */
const DEFAULT_TIMEOUT_MILLIS = 5000;

/**
 * The observable callbacks of one thread and store. They run in this thread, one round at a time. A reader of
 * this thread requests a round, or one of another thread through the doorbell.
 */
export class ObservableRegistry {
  readonly #writer: StoreWriter;
  readonly #registrations: Registration[] = [];
  readonly #streams = new Set<ObservedStream>();
  /** Callbacks that did not end in time, until they end: further rounds do not call them again. */
  readonly #running = new Set<Registration>();
  #last: Promise<unknown> = Promise.resolve();
  #listening = false;
  #requested = 0;
  #newestOfOthers: number | undefined;
  #runsForOthers = false;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  add(registration: Registration): void {
    if (this.#find(registration) >= 0) return;
    this.#registrations.push(registration);
    for (const stream of registration.streams) this.#streams.add(stream);
    if (this.#listening) return;
    this.#listening = true;
    this.#writer.answerRequests(this);
  }

  /** Receives a request of a reader in another thread. A reader of this thread runs the round itself. */
  onRing(request: number, timeoutMillis: number): void {
    if (((this.#requested - request) | 0) < 0) void this.#runForOthers(request, timeoutMillis);
  }

  remove(registration: RegistrationKey): void {
    const index = this.#find(registration);
    if (index >= 0) this.#registrations.splice(index, 1);
  }

  /**
   * Runs a round for readers of other threads. Of the requests that come meanwhile the newest is kept: its
   * answer also answers the earlier ones. Errors of callbacks are reported here, since the reader's thread
   * could do nothing about them.
   */
  async #runForOthers(request: number, timeoutMillis: number): Promise<void> {
    this.#newestOfOthers = request;
    if (this.#runsForOthers) return;
    this.#runsForOthers = true;
    for (let next: number | undefined; (next = this.#newestOfOthers) !== undefined;) {
      this.#newestOfOthers = undefined;
      for (const error of await this.run(next, timeoutMillis))
        this.#writer.warnings.loss(
          'callback',
          shortText(error),
          `seqlock-metrics: an observable callback failed when another thread collected metrics: ${shortText(error)}. What it observed in this round is not used`,
        );
    }
    this.#runsForOthers = false;
  }

  /**
   * Runs a round after the rounds that were requested before, and answers `request`. Resolves to the errors
   * of callbacks that failed; the others have counted.
   */
  run(request: number, timeoutMillis: number = DEFAULT_TIMEOUT_MILLIS): Promise<unknown[]> {
    this.#requested = request;
    // In no context, neither that of the reader nor that of the code that added the callback.
    const round = withoutContext(() => this.#last.then(() => this.#run(request, timeoutMillis)));
    this.#last = round;
    return round;
  }

  async #run(request: number, timeoutMillis: number): Promise<unknown[]> {
    const registrations = [...this.#registrations]; // a callback may remove itself, or others
    const calls = await Promise.all(registrations.map((one) => this.#call(one, timeoutMillis)));
    const round = new Round();
    for (const { observed } of calls) if (observed !== undefined) round.add(observed);
    this.#writer.writeRound(request, this.#streams, (stream) => round.valuesOf(stream));
    round.offerExemplars();
    return calls.flatMap(({ errors }) => errors);
  }

  /** Calls one callback. What it observes counts only if it ends without error and in time. Never rejects. */
  async #call(
    registration: Registration,
    timeoutMillis: number,
  ): Promise<{ readonly observed?: Round; readonly errors: readonly unknown[] }> {
    if (this.#running.has(registration))
      return {
        errors: [
          new CallbackTimeoutError(
            'is still running since an earlier collection; it is called again when it has ended',
          ),
        ],
      };
    const observed = new Round();
    let open = true;
    const call = (async () => {
      await registration.call(observed, () => open);
    })();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        this.#running.add(registration);
        const ended = (): unknown => this.#running.delete(registration);
        call.then(ended, ended);
        reject(
          new CallbackTimeoutError(`did not end within ${timeoutMillis} ms; what it observed is not used`),
        );
      }, timeoutMillis);
    });
    try {
      await Promise.race([call, late]);
      return { observed, errors: [] };
    } catch (error) {
      return { errors: [error] };
    } finally {
      open = false;
      clearTimeout(timer);
    }
  }

  #find({ callback, isBatch, owners }: RegistrationKey): number {
    return this.#registrations.findIndex(
      (one) =>
        one.callback === callback &&
        one.isBatch === isBatch &&
        one.owners.length === owners.length &&
        one.owners.every((owner) => owners.includes(owner)),
    );
  }
}

const registries = new WeakMap<StoreWriter, ObservableRegistry>();

/** The registry of this thread and store, made on first use. */
export function registryOf(writer: StoreWriter): ObservableRegistry {
  let registry = registries.get(writer);
  if (registry === undefined) registries.set(writer, (registry = new ObservableRegistry(writer)));
  return registry;
}
