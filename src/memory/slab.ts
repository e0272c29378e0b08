import { threadId } from 'node:worker_threads';
import * as layout from './layout.ts';
import type { Region } from './region.ts';
import { newestTick } from './region-clock.ts';

/**
 * The slab table: who owns which slab. One word says who owns a slab. So taking it is one compare-and-swap,
 * and a thread may die at any point without leaving it half owned.
 *
 *   int32 index in the entry   0       1       2..3           4..5             6          7
 *                              +-------+-------+--------------+----------------+----------+----------+
 *                              | owner | epoch | stale before | observed since | observes | answered |
 *                              +-------+-------+--------------+----------------+----------+----------+
 *                              8        9       10         11        12..13      14..15
 *                              +--------+-------+----------+---------+-----------+----------+
 *                              | thread | pulse | affinity | process | lock file | reserved |
 *                              +--------+-------+----------+---------+-----------+----------+
 *
 * owner         0 never used; the mark of the thread that writes the slab (ownership.ts); minus the mark of
 *               the thread that is taking it over from a dead one; ABANDONED; or DAMAGED
 * epoch         owners so far
 * stale before  gauge sets with a tick up to this one were made by an owner that is dead
 * observed since, observes, answered   see `doorbell.ts`
 * pulse         see `pulse.ts`
 * thread        1 + Node's thread id of the owner, to name it to people; 0 when its first owner is just
 *               coming
 * process       id of the owner's process, to name it to people; 0 in a store of one process
 * lock file     see `lock-ownership.ts`
 * affinity      what kind of thread the owner is: threads of one kind record the same streams
 */
export interface OwnedSlab {
  readonly slab: number;
  /** True when there are an earlier owner's directory and cells to continue. */
  readonly adopted: boolean;
}

const entryOffset = (slab: number): number => layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES;
const ownerIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_OWNER_WORD;
const epochIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_EPOCH_WORD;
const processIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_PROCESS_WORD;
const threadIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_THREAD_WORD;
const affinityIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_AFFINITY_WORD;
const observesIndex = (slab: number): number => entryOffset(slab) / 4 + layout.SLAB_OBSERVES_WORD;
const staleIndex = (slab: number): number => entryOffset(slab) / 8 + layout.SLAB_STALE_BEFORE_DOUBLE;

/** The number of slabs that ever had an owner: 0 up to this. */
export function slabsUsed(region: Region): number {
  return Math.min(Atomics.load(region.words, layout.SLABS_USED_INDEX) >>> 0, layout.SLAB_CAPACITY);
}

/** The owner word of a slab. */
export function slabOwner(region: Region, slab: number): number {
  return Atomics.load(region.words, ownerIndex(slab));
}

/** Owners the slab has had. */
export function slabEpoch(region: Region, slab: number): number {
  return Atomics.load(region.words, epochIndex(slab));
}

/**
 * Node's id (`worker_threads.threadId`) of the slab's latest owner; undefined when it has not said so yet.
 */
export function slabThread(region: Region, slab: number): number | undefined {
  const thread = Atomics.load(region.words, threadIndex(slab));
  return thread === 0 ? undefined : thread - 1;
}

/** Process id of the slab's latest owner; undefined in a store of one process. */
export function slabProcess(region: Region, slab: number): number | undefined {
  return Atomics.load(region.words, processIndex(slab)) || undefined;
}

/** What kind of thread the latest owner is; 0 until it has said so. */
export function slabAffinity(region: Region, slab: number): number {
  return Atomics.load(region.words, affinityIndex(slab));
}

/** Gauge sets with a tick up to this one are stale in this slab, whoever owns it now. */
export function slabStaleBefore(region: Region, slab: number): number {
  return region.doubles[staleIndex(slab)]!;
}

/** True when it is proved that no live thread owns the slab. Makes system calls. */
export function isSlabDead(region: Region, slab: number): boolean {
  const owner = slabOwner(region, slab);
  return owner < 0 || (owner > 0 && region.ownership.isFree(slab, owner));
}

/**
 * Gives this thread a slab: that of a dead thread of the same kind (`affinity`), or an empty one, if there is
 * one, else a new one. If many slabs are dead, it gives any dead one. Undefined when all are in use.
 */
export function acquireSlab(region: Region, affinity = 0): OwnedSlab | undefined {
  const owned = findSlab(region, affinity);
  if (owned !== undefined) region.ownership.keep(owned.slab);
  return owned;
}

/**
 * If threads of all kinds took over a slab in turn, the series of all kinds would pile up in it, and so in
 * every slab. So a thread takes a slab of another kind only when more than this many are dead beside as many
 * live ones. Otherwise new slabs would be made for ever.
 */
const SPARE_SLABS = 16;

/** The affinity of a slab whose first owner died before it set one. The slab is empty, and fits all. */
const NO_KIND = 0;

function findSlab(region: Region, affinity: number): OwnedSlab | undefined {
  const used = slabsUsed(region);
  const strange: number[] = [];
  for (let slab = 0; slab < used; slab++) {
    if (!region.ownership.isFree(slab, slabOwner(region, slab))) continue;
    const kind = slabAffinity(region, slab);
    const isOfKind = kind === affinity || kind === NO_KIND;
    if (!isOfKind) strange.push(slab);
    else if (takeOver(region, slab, affinity)) return { slab, adopted: true };
  }
  const isFull = region.usedBytes + layout.FIRST_EXTENT_BYTES > region.maxBytes;
  const areMany = strange.length > used - strange.length + SPARE_SLABS;
  return (
    (isFull || areMany ? takeStrange(region, strange, affinity) : undefined) ??
    takeNew(region, used, affinity) ??
    takeStrange(region, strange, affinity)
  );
}

/** False when another thread was faster. */
function takeOver(region: Region, slab: number, affinity: number): boolean {
  const { ownership, words } = region;
  const { mark } = ownership;
  const owner = slabOwner(region, slab);
  if (owner === 0 || owner === layout.DAMAGED || !ownership.claim(slab, owner)) return false;
  if (Atomics.compareExchange(words, ownerIndex(slab), owner, -mark) !== owner) {
    ownership.release(slab);
    return false;
  }
  // Only the winner does this, before the slab looks alive. Otherwise a reader could see the dead owner's
  // gauges again.
  region.doubles[staleIndex(slab)] = newestTick(words);
  Atomics.store(words, observesIndex(slab), 0); // the new owner has no callbacks yet
  Atomics.store(words, processIndex(slab), ownership.processId);
  Atomics.store(words, threadIndex(slab), threadId + 1);
  Atomics.store(words, affinityIndex(slab), affinity);
  Atomics.add(words, epochIndex(slab), 1);
  Atomics.store(words, ownerIndex(slab), mark);
  return true;
}

function takeStrange(region: Region, slabs: readonly number[], affinity: number): OwnedSlab | undefined {
  const slab = slabs.find((one) => takeOver(region, one, affinity));
  return slab === undefined ? undefined : { slab, adopted: true };
}

function takeNew(region: Region, from: number, affinity: number): OwnedSlab | undefined {
  for (let slab = from; slab < layout.SLAB_CAPACITY; slab++) {
    if (!takeFirst(region, slab)) {
      // Of one that died before the table says that it is in use: there is nothing in it.
      if (!isSlabDead(region, slab) || !takeOver(region, slab, affinity)) continue;
      raiseSlabsUsed(region, slab + 1);
      return { slab, adopted: true };
    }
    Atomics.store(region.words, processIndex(slab), region.ownership.processId);
    Atomics.store(region.words, threadIndex(slab), threadId + 1);
    Atomics.store(region.words, affinityIndex(slab), affinity);
    Atomics.add(region.words, epochIndex(slab), 1);
    raiseSlabsUsed(region, slab + 1);
    return { slab, adopted: false };
  }
  return undefined;
}

/** False when another thread was faster, or the slab is in use. */
function takeFirst(region: Region, slab: number): boolean {
  const { ownership, words } = region;
  if (slabOwner(region, slab) !== 0 || !ownership.claim(slab, 0)) return false;
  if (Atomics.compareExchange(words, ownerIndex(slab), 0, ownership.mark) === 0) return true;
  ownership.release(slab);
  return false;
}

/**
 * Gives up a slab of this thread whose directory is damaged. Nobody takes it any more; readers still read
 * what they can.
 */
export function giveUpDamagedSlab(region: Region, slab: number): void {
  Atomics.store(region.words, ownerIndex(slab), layout.DAMAGED);
}

/**
 * For systems where /proc does not show deaths. Gives up the slabs of a worker whose 'exit' event was seen,
 * and those it was taking over.
 */
export function abandonSlabsOf(region: Region, mark: number): void {
  // The whole table, because it may have died before it raised the number of used slabs.
  for (let slab = 0; slab < layout.SLAB_CAPACITY; slab++) {
    Atomics.compareExchange(region.words, ownerIndex(slab), mark, layout.ABANDONED);
    Atomics.compareExchange(region.words, ownerIndex(slab), -mark, layout.ABANDONED);
  }
}

function raiseSlabsUsed(region: Region, atLeast: number): void {
  for (;;) {
    const used = slabsUsed(region);
    if (used >= atLeast) return;
    if (Atomics.compareExchange(region.words, layout.SLABS_USED_INDEX, used, atLeast) === used) return;
  }
}
