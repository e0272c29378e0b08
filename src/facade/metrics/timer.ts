import { performance } from '../../base/platform.ts';

/** Anything that records durations in seconds: a histogram, a series of one, or an object of your own. */
export interface SecondsRecorder {
  /** Takes one duration in seconds. */
  observe(seconds: number): void;
}

/**
 * Measures the time from its making to its end in seconds, and records it once. Ends at the end of the scope
 * with `using`, or by `stop`:
 *
 *   using timer = new Timer(histogram);
 *
 * The clock is monotonic: setting the system's time does not matter.
 */
export class Timer implements Disposable {
  readonly #histogram: SecondsRecorder;
  readonly #started = performance.now();
  #seconds: number | undefined;

  constructor(histogram: SecondsRecorder) {
    this.#histogram = histogram;
  }

  /** Seconds since the timer was made; once it has ended, those it recorded. */
  get seconds(): number {
    return this.#seconds ?? (performance.now() - this.#started) / 1000;
  }

  /** Ends the timer and records its time; a second call does nothing more. Returns the seconds recorded. */
  stop(): number {
    if (this.#seconds === undefined) {
      this.#seconds = this.seconds;
      this.#histogram.observe(this.#seconds);
    }
    return this.#seconds;
  }

  /** The same as `stop`: called at the end of the scope with `using`. */
  [Symbol.dispose](): void {
    this.stop();
  }

  /**
   * Records how long `work` takes, even if it throws. If it returns a promise, or anything with `then`, the
   * time ends when that is settled, even if it rejects. Returns, throws, resolves to or rejects with what
   * `work` does.
   */
  static time<T>(histogram: SecondsRecorder, work: () => T): T {
    const timer = new Timer(histogram);
    let isPending = false;
    try {
      const result = work();
      if (!isThenable(result)) return result;
      isPending = true;
      const stop = (): void => void timer.stop();
      result.then(stop, stop);
      return result;
    } finally {
      if (!isPending) timer.stop();
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
}
