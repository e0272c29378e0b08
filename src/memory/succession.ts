/**
 * Which of several processes exports their store. Three files of the store directory are locked for that:
 *
 *   leader      exclusively, by the exporter thread that serves and pushes (the lease, lease.ts)
 *   starter     exclusively, by a process that starts such a thread: the others let it do so
 *   exporters   shared, by each process that exports or would take over; exclusively, by the last one of them
 *               when it ends
 *
 * Guarantees
 *   G1  One process exports at any time, at most. That is the lease's doing alone.
 *   G2  Of processes that end at the same time one learns that it is the last. What the others recorded
 *       before they left is in the store by then.
 *   G3  The kernel gives up what a process held, however it ends. No process is waited for that is dead.
 */
import { join } from 'node:path';
import { HeldLock } from './held-lock.ts';

export const STARTER_FILE = 'starter';
export const EXPORTERS_FILE = 'exporters';

/** The part of one thread that looks after an exporter. */
export class Succession {
  readonly #starterPath: string;
  readonly #exportersPath: string;
  #membership: HeldLock | undefined;
  #isLast = false;
  #start: HeldLock | undefined;

  constructor(directory: string) {
    this.#starterPath = join(directory, STARTER_FILE);
    this.#exportersPath = join(directory, EXPORTERS_FILE);
  }

  /**
   * From now on this process counts among those that export or would take over. False while the last one of
   * them ends: try again.
   */
  join(): boolean {
    if (this.#membership !== undefined && !this.#isLast) return true;
    if (this.#membership?.exchange('shared') !== true) {
      this.#end();
      this.#membership = take(this.#exportersPath, 'shared');
    }
    this.#isLast = false;
    return this.#membership !== undefined;
  }

  /** This process counts no more. True if it was the last one: nobody joins then before it ends, or joins. */
  leave(): boolean {
    if (this.#membership?.isOpen !== true) this.#membership = take(this.#exportersPath, 'exclusive');
    else if (!this.#membership.exchange('exclusive')) this.#end();
    this.#isLast = this.#membership !== undefined;
    return this.#isLast;
  }

  #end(): void {
    this.#membership?.close();
    this.#membership = undefined;
  }

  /** True if this process may start an exporter thread now. Call `endStart` when that runs or has failed. */
  tryToStart(): boolean {
    this.#start ??= take(this.#starterPath, 'exclusive');
    return this.#start !== undefined;
  }

  endStart(): void {
    this.#start?.close();
    this.#start = undefined;
  }

  close(): void {
    this.endStart();
    this.#end();
  }
}

/** Undefined when the file cannot be opened: the directory was removed, and `SharedLife` says so. */
function take(path: string, kind: 'shared' | 'exclusive'): HeldLock | undefined {
  try {
    return HeldLock.take(path, kind);
  } catch {
    return undefined;
  }
}
