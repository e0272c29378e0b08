import { setImmediate } from './platform.ts';
import { withoutContext } from './no-context.ts';

const waiting: (() => void)[] = [];

/**
 * Lets the event loop turn. Of all who wait one goes on at each turn, those who came first before the others:
 * so the loop is held up for what one of them does until it waits again, however many there are.
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
    // Resolves to nothing, and in no context: what came of the last piece, and its caller's context, are not
    // kept until the next.
    this.#last = withoutContext(() => done.then(nothing, nothing));
    return done;
  }
}

function nothing(): void {}
