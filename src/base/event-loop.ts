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
