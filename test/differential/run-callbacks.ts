/** The callbacks of a program, as one SDK has them. */
import type {
  Attributes,
  BatchObservableResult,
  Meter,
  Observable,
  ObservableResult,
} from '@opentelemetry/api';
import { scramble, swallow } from './caller.ts';
import type { CallbackPlan, CallbackStep, CollectStep, Observation } from './program.ts';

type Report = (instrument: number, value: number, attributes: Attributes) => void;

interface Callback {
  readonly single: (result: ObservableResult) => unknown;
  readonly batch: (result: BatchObservableResult) => unknown;
}

export class Callbacks {
  readonly #plans: readonly CallbackPlan[];
  readonly #callbacks: readonly Callback[];
  readonly #instruments: readonly Observable[];
  readonly #isOurs: boolean;
  #step: CollectStep | undefined;
  #hanging: (() => void)[] = [];

  /** `instruments`: those made so far, to which the caller adds. */
  constructor(plans: readonly CallbackPlan[], instruments: readonly Observable[], isOurs: boolean) {
    this.#plans = plans;
    this.#instruments = instruments;
    this.#isOurs = isOurs;
    this.#callbacks = plans.map((_, callback) => ({
      single: (result) =>
        this.#call(callback, (_instrument, value, attributes) => result.observe(value, attributes)),
      batch: (result) =>
        this.#call(callback, (instrument, value, attributes) =>
          result.observe(instruments[instrument]!, value, attributes),
        ),
    }));
  }

  /** Adds or removes a callback. `meter`: that of its instruments. */
  change({ step, callback, instruments }: CallbackStep, meter: Meter): void {
    const { single, batch } = this.#callbacks[callback]!;
    const chosen = instruments.map((instrument) => this.#instruments[instrument]!);
    const isAdded = step === 'add callback';
    if (!this.#plans[callback]!.isBatch) {
      if (isAdded) chosen[0]!.addCallback(single as never);
      else chosen[0]!.removeCallback(single as never);
    } else if (isAdded) meter.addBatchObservableCallback(batch as never, chosen);
    else meter.removeBatchObservableCallback(batch as never, chosen);
  }

  /** Adds a callback for the observations of an instrument that are no callback's. */
  addDirectly(observable: Observable, instrument: number): void {
    observable.addCallback((result) =>
      this.#observe(
        (one) => one.callback === undefined && one.instrument === instrument,
        (_instrument, value, attributes) => result.observe(value, attributes),
        false,
      ),
    );
  }

  /** Says what is observed from now on. */
  start(step: CollectStep): void {
    this.#step = step;
  }

  /** Lets callbacks that hang end. */
  async end(): Promise<void> {
    for (const end of this.#hanging) end();
    this.#hanging = [];
    await new Promise(setImmediate);
  }

  #call(callback: number, report: Report): unknown {
    const { isAsync, isShared } = this.#plans[callback]!;
    const isOwn = (one: Observation): boolean => one.callback === callback;
    const step = this.#step!;
    const observe = (): unknown => {
      this.#observe(isOwn, report, isShared);
      const message = `callback ${callback} failed on purpose`;
      const error: unknown = callback % 2 === 0 ? new Error(message) : message;
      switch (step.failures.get(callback)) {
        case 'throws':
          throw error;
        case 'rejects':
          return Promise.reject(error);
        case 'hangs':
          return new Promise<void>((resolve) => this.#hanging.push(resolve)).then(() =>
            this.#observe(isOwn, report, isShared),
          );
        case undefined:
          return undefined;
      }
    };
    return isAsync ? Promise.resolve().then(observe) : observe();
  }

  /** A callback that is called again, for another instrument, needs its attributes as they are. */
  #observe(isOwn: (one: Observation) => boolean, report: Report, isCalledAgain: boolean): void {
    for (const one of this.#step!.observations.filter(isOwn)) {
      const [value, attributes] = [one.value as number, one.attributes as Attributes];
      if (!this.#isOurs) swallow(() => report(one.instrument, value, attributes));
      else {
        report(one.instrument, value, attributes);
        if (!isCalledAgain) scramble(attributes);
      }
    }
  }
}
