import { tellOfLoss } from '../base/warnings.ts';
import {
  type Attributes,
  type BatchObservableCallback,
  type BatchObservableResult,
  type Observable,
  type ObservableCallback,
  type ObservableResult,
} from '@opentelemetry/api';
import { shortText } from '../base/errors.ts';
import type { ObservedStream } from '../state/observed-stream.ts';
import type { InstrumentKind } from '../state/stream-choices.ts';
import type { ValueCheck } from './measurement.ts';
import type { ObservableRegistry } from './observable-registry.ts';
import type { ObservedTarget } from './observed-target.ts';
import type { Round } from './round.ts';

/**
 * An asynchronous instrument. Its values come from callbacks that are called when a reader collects. Belongs
 * to its thread.
 */
export class ObservableInstrument implements Observable {
  readonly targets: readonly ObservedTarget[];
  readonly #kind: InstrumentKind;
  readonly #values: ValueCheck;
  readonly #registry: ObservableRegistry;

  constructor(
    kind: InstrumentKind,
    targets: readonly ObservedTarget[],
    values: ValueCheck,
    registry: ObservableRegistry,
  ) {
    this.targets = targets;
    this.#kind = kind;
    this.#values = values;
    this.#registry = registry;
  }

  /** Adds a callback. Adding the same callback again has no effect. */
  addCallback(callback: ObservableCallback): void {
    this.#registry.add({
      callback,
      isBatch: false,
      owners: [this],
      streams: streamsOf([this]),
      call: (round, isOpen) => callback(new SingleResult(this, round, isOpen)),
    });
  }

  removeCallback(callback: ObservableCallback): void {
    this.#registry.remove({ callback, isBatch: false, owners: [this] });
  }

  /**
   * Ends the series of these attributes, in all threads of the store. It comes back if a callback observes it
   * again. Never throws.
   */
  remove(attributes?: Attributes): void {
    for (const target of this.targets) target.remove(attributes);
  }

  /** Ends all series of the instrument, as `remove` ends one. Never throws. */
  clear(): void {
    for (const { stream } of this.targets) stream.clear();
  }

  /** Takes one observation into a round. Never throws. */
  observe(round: Round, value: unknown, attributes: unknown): void {
    let usable = this.#values.usable(value);
    if (usable === undefined) return;
    if (usable < 0 && this.#kind === 'OBSERVABLE_COUNTER') {
      this.#values.warn(
        'negative',
        `negative value observed: ${shortText(value)}; 0 is reported instead, since a counter never falls below 0`,
      );
      usable = 0;
    }
    for (const target of this.targets) {
      const { aggregation } = target.stream.description;
      if (Number.isFinite(usable) || aggregation.type === 'last-value')
        round.observe(target, usable, attributes);
      else
        this.#values.warn(
          'non-finite',
          `${usable} observed; it is ignored, since a sum needs finite numbers`,
        );
    }
  }
}

/** What a callback of one instrument reports to. It ignores everything once the callback's time is over. */
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
      tellOfLoss(
        'warn',
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
    isBatch: true,
    owners: instruments,
    streams: streamsOf(instruments),
    call: (round, isOpen) => callback(new BatchResult(instruments, round, isOpen)),
  });
}

function streamsOf(instruments: readonly ObservableInstrument[]): ObservedStream[] {
  return instruments.flatMap(({ targets }) => targets.map(({ stream }) => stream));
}
