import type { BatchObservableCallback, ObservableCallback } from '@opentelemetry/api';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { StoreWriter } from '../state/store-writer.ts';
import { Round } from './round.ts';

/** A callback and the streams it reports to. Two registrations are the same when callback and owners are. */
export interface Registration {
  readonly callback: ObservableCallback | BatchObservableCallback;
  /** The instruments it was registered with. */
  readonly owners: readonly object[];
  readonly streams: readonly ObservedStream[];
  /** Calls it; what it reports while `isOpen` goes into the round. May throw, or return a promise that rejects. */
  readonly call: (round: Round, isOpen: () => boolean) => unknown;
}

/** A callback that did not end in time. */
export class CallbackTimeoutError extends Error {
  readonly code = 'E_CALLBACK_TIMEOUT';

  constructor(timeoutMillis: number) {
    super(`an observable callback did not end within ${timeoutMillis} ms; what it observed later is ignored`);
    this.name = 'CallbackTimeoutError';
  }
}

/** Callbacks get this long when a reader sets no time-out: the scrape time-out of Prometheus. */
const DEFAULT_TIMEOUT_MILLIS = 10_000;

/**
 * The observable callbacks of one thread and store. They run in this thread, in rounds: one at a time, asked for by a reader of this
 * thread or, through the doorbell, of another.
 */
export class ObservableRegistry {
  readonly #writer: StoreWriter;
  readonly #registrations: Registration[] = [];
  readonly #streams = new Set<ObservedStream>();
  #last: Promise<unknown> = Promise.resolve();
  #listening = false;
  #requested = 0;

  constructor(writer: StoreWriter) {
    this.#writer = writer;
  }

  add(registration: Registration): void {
    if (this.#find(registration) >= 0) return;
    this.#registrations.push(registration);
    for (const stream of registration.streams) this.#streams.add(stream);
    if (this.#listening) return;
    this.#listening = true;
    this.#writer.answerRequests((request) => {
      if (((this.#requested - request) | 0) < 0) void this.run(request); // or a reader of this thread asked, and runs it already
    });
  }

  remove(registration: Pick<Registration, 'callback' | 'owners'>): void {
    const index = this.#find(registration);
    if (index >= 0) this.#registrations.splice(index, 1);
  }

  /**
   * Runs a round after the rounds that were asked for before, and answers `request`. Resolves to what callbacks threw; those that
   * threw nothing have counted.
   */
  run(request: number, timeoutMillis: number = DEFAULT_TIMEOUT_MILLIS): Promise<unknown[]> {
    this.#requested = request;
    const round = this.#last.then(() => this.#run(request, timeoutMillis));
    this.#last = round;
    return round;
  }

  async #run(request: number, timeoutMillis: number): Promise<unknown[]> {
    const round = new Round();
    const outcomes = await Promise.all(
      this.#registrations.map((one) => this.#call(one, round, timeoutMillis)),
    );
    this.#writer.writeRound(request, this.#streams, (stream) => round.valuesOf(stream));
    return outcomes.flat();
  }

  /** Calls one callback; an array of the error it ended in, or an empty one. Never rejects. */
  async #call({ call }: Registration, round: Round, timeoutMillis: number): Promise<unknown[]> {
    let open = true;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new CallbackTimeoutError(timeoutMillis)), timeoutMillis);
    });
    try {
      await Promise.race([call(round, () => open), late]);
      return [];
    } catch (error) {
      return [error];
    } finally {
      open = false;
      clearTimeout(timer);
    }
  }

  #find({ callback, owners }: Pick<Registration, 'callback' | 'owners'>): number {
    return this.#registrations.findIndex(
      (one) =>
        one.callback === callback &&
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
