import type { RingListener } from '../memory/doorbell.ts';
import type { Region } from '../memory/region.ts';

/** Runs the observable callbacks of the thread it is in. */
export interface CallbackRunner extends RingListener {
  /**
   * Runs a round and answers `request`; each callback has `timeoutMillis`. Resolves to what callbacks failed
   * with.
   */
  run(request: number, timeoutMillis?: number): Promise<unknown[]>;
}

interface OwnCallbacks {
  readonly slab: number;
  readonly runner: CallbackRunner;
}

const known = new WeakMap<SharedArrayBuffer, OwnCallbacks>();

/** Sets who runs the callbacks of this thread, whose slab is `slab`. */
export function setOwnCallbacks({ buffer }: Region, own: OwnCallbacks): void {
  known.set(buffer, own);
}

/**
 * The callbacks that a reader in this thread must run itself. Otherwise it would wait for its own thread as
 * for another.
 */
export function ownCallbacks({ buffer }: Region): OwnCallbacks | undefined {
  return known.get(buffer);
}
