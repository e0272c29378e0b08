/** The longest time the event loop did not turn since `reset`. While one of these is there, the loop turns without pause, which takes a core. */
export class StallWatch {
  #last = performance.now();
  #longest = 0;

  constructor() {
    const turn = (): void => {
      const now = performance.now();
      this.#longest = Math.max(this.#longest, now - this.#last);
      this.#last = now;
      setImmediate(turn);
    };
    turn();
  }

  reset(): void {
    this.#last = performance.now();
    this.#longest = 0;
  }

  longestMillis(): number {
    return Math.max(this.#longest, performance.now() - this.#last);
  }
}
