/**
 * How often a thread may look for the active span where there is none that is sampled. A look costs 12 to 20
 * ns, sometimes up to 100: most of that is `AsyncLocalStorage`, and nothing can be cached, since nothing
 * tells when the context changes.
 *
 * What counts is the share of the thread's time. So there is a budget for a while, and not for a number of
 * measurements: a thread that makes 256,000 measurements a second looks at each of them, for 0.4 % of its
 * time. One that makes more in a while looks at some, until the while is over.
 */
import { withoutContext } from '../base/no-context.ts';
import { performance, setTimeout } from '../base/platform.ts';

/** Milliseconds of a while, and the looks in it. */
const WHILE_MILLIS = 4;
const LOOKS = 1024;
/** Beyond the budget the clock is read for one look of so many: a thread may not turn its event loop. */
const LOOKS_A_CLOCK = 32;

export class LookBudget {
  #left = LOOKS;
  #since = performance.now();
  #beyond = 0;
  readonly #waiting: (() => void)[] = [];

  /** Whether a look that found nothing was within the budget. */
  spend(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    if (this.#waiting.length > 0 && ++this.#beyond % LOOKS_A_CLOCK !== 0) return false;
    const now = performance.now();
    if (now - this.#since < WHILE_MILLIS) return false;
    this.#since = now;
    this.#left = LOOKS - 1;
    return true;
  }

  /**
   * Calls `renewed` once, when there is a budget again: at the end of the while, as soon as the event loop
   * turns. It must not throw.
   */
  await(renewed: () => void): void {
    this.#waiting.push(renewed);
    if (this.#waiting.length === 1)
      withoutContext(() => setTimeout(() => this.#renew(), WHILE_MILLIS)).unref();
  }

  #renew(): void {
    this.#since = performance.now();
    this.#left = LOOKS;
    for (const renewed of this.#waiting.splice(0)) renewed();
  }
}

/** The one of this thread. */
export const lookBudget: LookBudget = new LookBudget();
