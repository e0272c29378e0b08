import {
  diag,
  type Attributes,
  type BatchObservableCallback,
  type BatchObservableResult,
  type Observable,
  type ObservableCallback,
  type ObservableResult,
} from '@opentelemetry/api';
import { printed } from '../base/errors.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import { usableValue, type ValueRule } from './measurement.ts';
import type { ObservableRegistry, Round } from './observable-registry.ts';

/** An asynchronous instrument: its values come from callbacks, called when a reader collects. Belongs to its thread. */
export class ObservableInstrument implements Observable {
  readonly stream: ObservedStream;
  readonly #registry: ObservableRegistry;
  readonly #rule: ValueRule;

  constructor(stream: ObservedStream, registry: ObservableRegistry) {
    this.stream = stream;
    this.#registry = registry;
    const { kind, integer } = stream.description;
    this.#rule = { negative: true, special: kind === 'OBSERVABLE_GAUGE' ? 'all' : 'none', integer };
  }

  /** Adds a callback. Adding the same one twice is adding it once. */
  addCallback(callback: ObservableCallback): void {
    this.#registry.add({
      callback,
      owners: [this],
      streams: [this.stream],
      call: (round, isOpen) => callback(new SingleResult(this, round, isOpen)),
    });
  }

  removeCallback(callback: ObservableCallback): void {
    this.#registry.remove({ callback, owners: [this] });
  }

  /** Takes one observation into a round. Never throws. */
  observe(round: Round, value: unknown, attributes: unknown): void {
    let usable = usableValue(value, this.#rule, this.stream);
    if (usable === undefined) return;
    if (usable < 0 && this.stream.description.kind === 'OBSERVABLE_COUNTER') {
      this.stream.warn('negative', `negative value observed: ${printed(value)}; reported as 0`);
      usable = 0;
    }
    round.observe(this.stream, usable, attributes);
  }
}

/** What a callback of one instrument reports to. It is deaf once the callback's time is over. */
class SingleResult implements ObservableResult {
  readonly #instrument: ObservableInstrument;
  readonly #round: Round;
  readonly #isOpen: () => boolean;

  constructor(instrument: ObservableInstrument, round: Round, isOpen: () => boolean) {
    this.#instrument = instrument;
    this.#round = round;
    this.#isOpen = isOpen;
  }

  observe(value: number, attributes?: Attributes): void {
    if (this.#isOpen()) this.#instrument.observe(this.#round, value, attributes);
  }
}

/** What a batch callback reports to: only for the instruments it was registered with (specification). */
class BatchResult implements BatchObservableResult {
  readonly #instruments: ReadonlySet<Observable>;
  readonly #round: Round;
  readonly #isOpen: () => boolean;

  constructor(instruments: readonly ObservableInstrument[], round: Round, isOpen: () => boolean) {
    this.#instruments = new Set(instruments);
    this.#round = round;
    this.#isOpen = isOpen;
  }

  observe(metric: Observable, value: number, attributes?: Attributes): void {
    if (!this.#isOpen()) return;
    if (this.#instruments.has(metric))
      (metric as ObservableInstrument).observe(this.#round, value, attributes);
    else
      diag.warn(
        'a batch callback observed an instrument it was not registered with; the observation is ignored',
      );
  }
}

/** Adds a callback for several instruments, called once a round. */
export function addBatchCallback(
  registry: ObservableRegistry,
  callback: BatchObservableCallback,
  instruments: readonly ObservableInstrument[],
): void {
  registry.add({
    callback,
    owners: instruments,
    streams: instruments.map(({ stream }) => stream),
    call: (round, isOpen) => callback(new BatchResult(instruments, round, isOpen)),
  });
}
