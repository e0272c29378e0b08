/** Marks of threads that are certainly alive, or certainly dead, on Linux. */
import { readdirSync } from 'node:fs';
import { MARK_KIND, OWN_MARK } from '../../src/memory/liveness.ts';

/** Above the largest thread id that Linux gives (2^22), and below marks made of Node's ids. */
export const DEAD_MARK: number = 2 ** 23;

/** A live thread of this process that runs none of our code: Node has helpers of its own. Linux only. */
export function otherLiveMark(): number {
  const other = readdirSync('/proc/self/task')
    .map(Number)
    .find((id) => id !== OWN_MARK);
  if (other === undefined) throw new Error('this process has one thread only');
  return other;
}

/** Skips a suite where the system does not show which threads are alive. */
export function needsProc(this: Mocha.Context): void {
  if (MARK_KIND !== 'linux-thread-id') this.skip();
}
