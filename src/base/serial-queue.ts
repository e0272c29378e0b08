/** Work that waits for its turn: one piece after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Does `work` after all that came before, whether that failed or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Resolves to nothing: what came of the last piece is not to be kept alive until the next.
    this.#last = done.then(
      () => {},
      () => {},
    );
    return done;
  }
}
