import { setImmediate } from './platform.ts';
import { withoutContext } from './no-context.ts';

const waiting: (() => void)[] = [];

/**
 * Lets the event loop turn. One of the callers who wait goes on at each turn, in the order in which they
 * came. So the loop is held up for the work of one caller at a time, however many wait.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) withoutContext(() => setImmediate(next));
  });
}

function next(): void {
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(next);
}

/** Work that waits for its turn: one piece after the other, in the order in which they came. */
export class SerialQueue {
  #last: Promise<void> = Promise.resolve();

  /** Does `work` after all that came before, whether that failed or not. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    // Resolves to nothing, in no context. Otherwise the result of the last piece, and its caller's context,
    // would be kept until the next piece.
    this.#last = withoutContext(() => done.then(nothing, nothing));
    return done;
  }
}

function nothing(): void {}
