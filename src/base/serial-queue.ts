import { withoutContext } from './no-context.ts';

/** Work that waits for its turn: one piece after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Does `work` after all that came before, whether that failed or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Resolves to nothing, and in no context: what came of the last piece, and its caller's context, are not
    // kept until the next.
    this.#last = withoutContext(() => done.then(nothing, nothing));
    return done;
  }
}

function nothing(): void {}
