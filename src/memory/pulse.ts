/**
 * How a reader sees which threads' event loops turn, and how it knows since when one does not.
 *
 *   reader, now and then                     writer
 *   --------------------                     ------
 *   look()          --- notify -->           (waits in Atomics.waitAsync: no timer, no cost until then)
 *                                            its event loop turns: pulse = number of the look
 *   read()          compares
 *
 * A loop that answers a look has turned after it. So a thread is blocked at least since the first look it has
 * not answered; the reader keeps that time by its own clock.
 */
import { whenChanged } from './signal.ts';
import { performance } from '../base/platform.ts';
import * as layout from './layout.ts';
import type { Region } from './region.ts';
import { isSlabDead, slabEpoch, slabProcess, slabsUsed, slabThread } from './slab.ts';

const pulseIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 4 + layout.SLAB_PULSE_WORD;

/**
 * From now on this thread answers looks, as long as the region is open and in use here. Only the slab's
 * owner, once. Does not keep the process alive. `onTurn`: is called at each turn that answers one; must not
 * hold the region.
 */
export function answerPulses(region: Region, slab: number, onTurn: () => void = () => {}): void {
  // Goes from 0 to the first look, unless somebody looks already: 0 says that no looks are answered.
  Atomics.compareExchange(region.words, layout.PULSE_INDEX, 0, 1);
  // Weakly: a wait that is never answered must not hold the store's memory.
  listen(new WeakRef(region), slab, onTurn);
}

function listen(reference: WeakRef<Region>, slab: number, onTurn: () => void): void {
  const region = reference.deref();
  if (region === undefined || region.closed) return;
  const pulse = Atomics.load(region.words, layout.PULSE_INDEX);
  Atomics.store(region.words, pulseIndex(slab), pulse);
  onTurn();
  whenChanged(region.signal, layout.PULSE_INDEX, pulse, () => listen(reference, slab, onTurn));
}

/**
 * Asks every thread for a sign of life. Returns the number of the look. Any thread. A passive reader cannot
 * ask: it sees the looks of others.
 */
export function askForPulses({ words, signal, copy }: Region): number {
  if (copy !== undefined) return Atomics.load(words, layout.PULSE_INDEX);
  let look: number;
  do look = (Atomics.add(words, layout.PULSE_INDEX, 1) + 1) | 0;
  while (look === 0); // 0 means none
  signal.wake(layout.PULSE_INDEX);
  return look;
}

/** True when the event loop of a slab's owner has turned since a look, or when the owner answers no looks. */
export function hasTurnedSince(region: Region, slab: number, look: number): boolean {
  const pulse = Atomics.load(region.words, pulseIndex(slab));
  return pulse === 0 || ((pulse - look) | 0) >= 0;
}

/** A thread that has a slab, and how long its event loop has been blocked. */
export interface ThreadPulse {
  readonly slab: number;
  /** Node's `threadId`: 0 is the main thread. */
  readonly threadId: number;
  /** Undefined in a store of one process. */
  readonly processId?: number;
  readonly silentMillis: number;
}

/** Watches the threads of a store, for one reader. */
export class PulseReader {
  readonly #region: Region;
  readonly #silent = new Map<
    number,
    { readonly owner: number; readonly pulse: number; readonly since: number }
  >();
  #lookedAt = performance.now();

  constructor(region: Region) {
    this.#region = region;
  }

  /**
   * Looks at every thread. Call it regularly: a blocked loop is noticed at the first look after it stopped.
   */
  look(now: number = performance.now()): void {
    for (const slab of this.#answering()) this.#silentSince(slab);
    this.#lookedAt = now;
    askForPulses(this.#region);
  }

  /** Every live thread, as of the looks so far. */
  read(now: number = performance.now()): ThreadPulse[] {
    const pulses: ThreadPulse[] = [];
    for (const slab of this.#answering()) {
      const threadId = slabThread(this.#region, slab);
      if (threadId === undefined || isSlabDead(this.#region, slab)) continue;
      const since = this.#silentSince(slab);
      const processId = slabProcess(this.#region, slab);
      pulses.push({
        slab,
        threadId,
        ...(processId !== undefined && { processId }),
        silentMillis: since === undefined ? 0 : now - since,
      });
    }
    return pulses;
  }

  /** Undefined when the owner of the slab has answered the latest look. */
  #silentSince(slab: number): number | undefined {
    const { words } = this.#region;
    const pulse = Atomics.load(words, pulseIndex(slab));
    if (pulse === Atomics.load(words, layout.PULSE_INDEX)) {
      this.#silent.delete(slab);
      return undefined;
    }
    const owner = slabEpoch(this.#region, slab);
    const known = this.#silent.get(slab);
    if (known?.owner === owner && known.pulse === pulse) return known.since;
    // it has answered the look before the latest
    this.#silent.set(slab, { owner, pulse, since: this.#lookedAt });
    return this.#lookedAt;
  }

  #answering(): number[] {
    const slabs: number[] = [];
    for (let slab = 0; slab < slabsUsed(this.#region); slab++)
      if (Atomics.load(this.#region.words, pulseIndex(slab)) !== 0) slabs.push(slab);
    return slabs;
  }
}
