const SHORTEST_MILLIS = 100;
const LONGEST_MILLIS = 30_000;
/** A thread that lived this long was of use, and its start cost little beside that: 0.3 s of a processor. */
const USEFUL_MILLIS = 2000;
/** ... if it also lived so many times as long as the app waited for it. */
const TIMES_THE_PAUSE = 10;

/**
 * How long to wait before a thread that died is started again. The pause doubles while threads die soon, so
 * that one that cannot live costs little. It is short again after a thread that lived ten times as long as it
 * was waited for, and 2 seconds at least: one that dies now and then is waited for a tenth of its life at the
 * most, and starts on top of that.
 */
export class RestartPause {
  #latest = 0; // how long the thread that died was waited for
  #next = SHORTEST_MILLIS;

  /** The pause after a thread that lived this long, in milliseconds. */
  after(livedMillis: number): number {
    if (livedMillis >= Math.max(USEFUL_MILLIS, TIMES_THE_PAUSE * this.#latest)) this.#next = SHORTEST_MILLIS;
    this.#latest = this.#next;
    this.#next = Math.min(2 * this.#next, LONGEST_MILLIS);
    return this.#latest;
  }
}
