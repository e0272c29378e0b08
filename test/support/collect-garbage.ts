import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects what nobody holds, in any process. */
export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  await wait(1); // a WeakRef keeps its object for the turn of the event loop it was made or looked at in
  (runInNewContext('gc') as () => void)();
}
