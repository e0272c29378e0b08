import { openSync, readSync } from 'node:fs';

const SPACE = 32;
const ZERO = 48;

/** How long a thread was ready to run and no core was free for it: what the machine does to an event loop, and not the app. Linux only. */
export class CoreWait {
  readonly #file: number | undefined;
  readonly #text = Buffer.alloc(96);

  /** Of the thread that makes it. */
  constructor() {
    try {
      this.#file = openSync('/proc/thread-self/schedstat', 'r');
    } catch {
      // Not told here.
    }
  }

  get isKnown(): boolean {
    return this.#file !== undefined;
  }

  /** So far. Leaves no garbage: it is asked for at every turn of the loop. */
  millis(): number {
    if (this.#file === undefined) return 0;
    const length = readSync(this.#file, this.#text, 0, this.#text.length, 0);
    // "<time on a core> <time waited for one> <turns>", in nanoseconds
    let nanos = 0;
    for (let i = this.#text.indexOf(SPACE) + 1; i < length && this.#text[i] !== SPACE; i++)
      nanos = 10 * nanos + this.#text[i]! - ZERO;
    return nanos / 1e6;
  }
}
