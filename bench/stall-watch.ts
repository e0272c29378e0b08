import { CoreWait } from './core-wait.ts';

export interface Stalls {
  /** The longest time the event loop did not turn, in milliseconds. */
  readonly longest: number;
  /** The same without the time it waited for a core; undefined where the system does not tell. */
  readonly longestOnCore: number | undefined;
}

/** How long the event loop did not turn since `reset`. While one of these is there, the loop turns without pause, which takes a core. */
export class StallWatch {
  readonly #wait = new CoreWait();
  #last = 0;
  #waited = 0;
  #longest = 0;
  #longestOnCore = 0;

  constructor() {
    this.reset();
    const turn = (): void => {
      this.#look();
      setImmediate(turn);
    };
    turn();
  }

  reset(): void {
    this.#last = performance.now();
    this.#waited = this.#wait.millis();
    this.#longest = 0;
    this.#longestOnCore = 0;
  }

  stalls(): Stalls {
    this.#look();
    return {
      longest: this.#longest,
      longestOnCore: this.#wait.isKnown ? this.#longestOnCore : undefined,
    };
  }

  #look(): void {
    const now = performance.now();
    const waited = this.#wait.millis();
    const stall = now - this.#last;
    this.#longest = Math.max(this.#longest, stall);
    this.#longestOnCore = Math.max(this.#longestOnCore, stall - (waited - this.#waited));
    this.#last = now;
    this.#waited = waited;
  }
}
