import { NONE } from '../collect/directory/merged-stream.ts';
import { readerOf, type StoreReader } from '../collect/directory/store-reader.ts';
import type { Region } from '../memory/region.ts';
import { isSlabDead, slabOwner, slabProcess, slabsUsed, slabThread } from '../memory/slab.ts';
import { LOOK_MILLIS, type BlockedThreads } from './blocked-threads.ts';
import type { ThreadStatus } from './page-protocol.ts';

/** Rates are over at least so many milliseconds. */
const MIN_COUNT_MILLIS = 900;

/** The threads of a store: what they do, and how much they record. */
export class PageThreads {
  readonly #region: Region;
  readonly #reader: StoreReader;
  readonly #blocked: BlockedThreads | undefined;
  /** By slab: updates of all its cells when they were counted, wrapping; and how many there were a second. */
  #updates = new Map<number, number>();
  #rates = new Map<number, number>();
  #countedAt = -Infinity;

  constructor(region: Region, blocked: BlockedThreads | undefined) {
    this.#region = region;
    this.#reader = readerOf(region);
    this.#blocked = blocked;
  }

  /** Live threads, by process and thread; and how many slabs are dead. `now`: milliseconds of any clock. */
  look(now: number): { readonly live: readonly ThreadStatus[]; readonly dead: number } {
    const region = this.#region;
    const states = new Map(this.#blocked?.threads().map((thread) => [thread.slab, thread]));
    if (now - this.#countedAt >= MIN_COUNT_MILLIS) this.#count(now);
    const live: ThreadStatus[] = [];
    let dead = 0;
    for (let slab = 0; slab < slabsUsed(region); slab++) {
      if (slabOwner(region, slab) === 0) continue; // its first owner is just coming
      const thread = slabThread(region, slab);
      if (isSlabDead(region, slab)) dead++;
      else if (thread !== undefined) {
        const { state = 'unknown', silentMillis = 0 } = states.get(slab) ?? {};
        // A thread that has not answered the latest look is about to, unless it has missed one before.
        const isBlocked = silentMillis >= LOOK_MILLIS;
        live.push({
          process: slabProcess(region, slab) ?? null,
          thread,
          state: isBlocked || state === 'unknown' ? state : 'turning',
          blocked: isBlocked ? Math.round(silentMillis / 100) / 10 : 0,
          rate: this.#rates.get(slab) ?? 0,
        });
      }
    }
    live.sort((a, b) => (a.process ?? 0) - (b.process ?? 0) || a.thread - b.thread);
    return { live, dead };
  }

  #count(now: number): void {
    const seconds = (now - this.#countedAt) / 1000;
    const before = this.#updates;
    this.#updates = this.#updatesBySlab();
    this.#countedAt = now;
    if (Number.isFinite(seconds))
      this.#rates = new Map(
        [...this.#updates].map(([slab, count]) => [
          slab,
          Math.round(((count - (before.get(slab) ?? 0)) >>> 0) / seconds),
        ]),
      );
  }

  #updatesBySlab(): Map<number, number> {
    const updates = new Map<number, number>();
    const { words } = this.#region;
    for (const { streams } of this.#reader.scopes)
      for (const stream of streams)
        for (let series = 0; series < stream.size; series++)
          for (let part = stream.firstOf(series); part !== NONE; part = stream.nextOf(part)) {
            const slab = stream.slabOf(part);
            const version = Atomics.load(words, stream.cellOf(part) << 1);
            updates.set(slab, ((updates.get(slab) ?? 0) + version) | 0);
          }
    return updates;
  }
}
