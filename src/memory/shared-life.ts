import { setInterval, systemClock } from '../base/platform.ts';
import { Warnings } from '../base/warnings.ts';
import { LOOK_MILLIS, type BellSignal } from './bell.ts';
import { OBSERVE_INDEX, PULSE_INDEX, SIGN_OF_LIFE_DOUBLE } from './layout.ts';
import type { MappedFile } from './mapped-file.ts';

/**
 * What a thread does from time to time for a store of several processes that it has open: it writes a sign of
 * life, and looks at what it may have missed. While nobody records or reads it does nothing else. It has one
 * timer, which does not keep the process alive.
 */
export class SharedLife {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #file: MappedFile;
  readonly #signal: BellSignal;
  readonly #warnings = new Warnings();
  #seen: number[];

  /**
   * `watches`: this thread wakes the others of the process. `words`, `doubles`: must start at the region's
   * start.
   */
  constructor(
    words: Int32Array,
    doubles: Float64Array,
    file: MappedFile,
    { signal, watches }: { readonly signal: BellSignal; readonly watches: boolean },
  ) {
    this.#words = words;
    this.#doubles = doubles;
    this.#file = file;
    this.#signal = signal;
    this.#seen = this.#numbers();
    this.#say();
    if (watches) signal.listen();
    setInterval(() => this.#look(), LOOK_MILLIS).unref();
  }

  #look(): void {
    this.#say();
    const numbers = this.#numbers();
    if (numbers.some((number, i) => number !== this.#seen[i])) this.#signal.wakeHere();
    this.#seen = numbers;
    if (!this.#file.isInPlace())
      this.#warnings.loss(
        'store directory',
        'place',
        `seqlock-metrics: the store directory ${this.#file.directory} was removed or replaced: processes that start from now on do not see what this process records. Restart this process`,
      );
  }

  #say(): void {
    this.#doubles[SIGN_OF_LIFE_DOUBLE] = systemClock.now();
  }

  #numbers(): number[] {
    return [Atomics.load(this.#words, OBSERVE_INDEX), Atomics.load(this.#words, PULSE_INDEX)];
  }
}
