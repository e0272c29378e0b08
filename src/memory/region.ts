import { crc32 } from 'node:zlib';
import { systemClock } from '../base/platform.ts';
import { RegionError } from '../base/errors.ts';
import { ThreadMemory, type Backing } from './backing.ts';
import { CopiedFile } from './copied-file.ts';
import * as layout from './layout.ts';
import { LockLease, ThreadLease, type Lease } from './lease.ts';
import { MARK_KIND, ownMark, type MarkKind } from './liveness.ts';
import { ThreadOwnership, type Ownership } from './ownership.ts';
import { BellSignal } from './bell.ts';
import { LockOwnership } from './lock-ownership.ts';
import { MappedFile } from './mapped-file.ts';
import { readIdentity, writeIdentity } from './region-header.ts';
import type { Refusal } from './refusal.ts';
import { fileOfIdentity, fileOfStore, listFile } from './shared-files.ts';
import { SeenOwnership } from './seen-locks.ts';
import { SharedLife } from './shared-life.ts';
import { openStoreDirectory } from './store-directory.ts';
import { ThreadSignal, type Signal } from './signal.ts';

/** What exemplars may take of `maxBytes`: they must not crowd out series. */
const EXEMPLAR_SHARE = 0.25;

/** One extent: `offset` bytes from the region's start, `bytes` long, owned by slab `slab`. */
export interface Extent {
  readonly slab: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * One contiguous buffer of a store, seen by one thread. Create it in one thread, attach it in the others.
 *
 * The views cover what had memory when they were made. The buffer never moves, and what has memory only
 * grows, so old views stay right; they only do not reach what was added. `words` and `doubles` are therefore
 * taken anew (`refresh`) whenever memory is claimed or a higher offset is met, and never by the record path.
 */
export class Region {
  readonly buffer: SharedArrayBuffer;
  readonly maxBytes: number;
  /** How threads wake each other. */
  readonly signal: Signal;
  /** How slabs are owned. */
  readonly ownership: Ownership;
  /** Who reads the store for all. */
  readonly lease: Lease;
  /** Where the bytes are copied from, if this is a copy that a passive reader has (copied-file.ts). */
  readonly copy: CopiedFile | undefined;
  readonly #backing: Backing;
  readonly #latestTime: BigInt64Array;
  /** Of a store of several processes alone. */
  readonly #life: SharedLife | undefined;
  #isLeft = false;
  #refusal: Refusal | undefined;
  readonly #extents: Extent[] = []; // those that were looked for, in order
  words: Int32Array;
  doubles: Float64Array;
  bytes: Uint8Array;

  /** Throws a `RegionError` where the header is not that of a region. */
  private constructor(backing: Backing) {
    const { buffer } = backing;
    const identity = readIdentity(
      new Uint8Array(buffer, 0, Math.min(buffer.byteLength, layout.HEADER_BYTES)),
    );
    this.#backing = backing;
    this.buffer = buffer;
    this.maxBytes = identity.maxBytes;
    // Fixed-length views: a length-tracking view of a growable buffer costs 100 ns an access.
    this.words = new Int32Array(buffer, 0, backing.length >> 2);
    this.doubles = new Float64Array(buffer, 0, backing.length >> 3);
    this.bytes = new Uint8Array(buffer, 0, backing.length);
    this.#latestTime = new BigInt64Array(buffer, layout.LATEST_TIME_OFFSET, 1);
    this.copy = backing instanceof CopiedFile ? backing : undefined;
    if (backing instanceof MappedFile) {
      const signal = new BellSignal(this.words, backing.directory);
      this.signal = signal;
      // A thread that got the buffer from another thread leaves watching to that thread.
      const watches = fileOfIdentity(backing.identity) === undefined;
      this.#life = new SharedLife(this.words, this.doubles, backing, { signal, watches });
      this.ownership = new LockOwnership(backing.directory, this.words);
      this.lease = new LockLease(backing.directory, this.words);
    } else {
      const mark = ownMark(this.copy ? MARK_KIND : (identity.ownerKind as MarkKind));
      this.signal = new ThreadSignal(this.words);
      this.ownership = this.copy
        ? new SeenOwnership(this.words, this.copy.device)
        : new ThreadOwnership(mark, this.created);
      this.lease = new ThreadLease(this.words, mark);
    }
  }

  /**
   * Makes an empty region that may grow to `maxBytes` (already validated, a multiple of `UNIT_BYTES`). Throws
   * a `RegionError` where there is no memory for it.
   */
  static create(maxBytes: number): Region {
    const backing = ThreadMemory.create(maxBytes);
    writeIdentity(new Uint8Array(backing.buffer), { maxBytes, ownerKind: MARK_KIND });
    const region = new Region(backing);
    Atomics.store(region.#latestTime, 0, BigInt(Math.floor(region.created)));
    Atomics.store(region.words, layout.EXTENTS_END_INDEX, layout.EXTENTS_OFFSET / layout.UNIT_BYTES);
    return region;
  }

  /** Attaches to a region another thread made. Throws a `RegionError` that says why it cannot be used. */
  static attach(buffer: SharedArrayBuffer): Region {
    if (buffer.byteLength < layout.EXTENTS_OFFSET)
      throw new RegionError(
        'E_RANGE',
        `a store has at least ${layout.EXTENTS_OFFSET} bytes, this one has ${buffer.byteLength}`,
      );
    const header = new Uint8Array(buffer, 0, layout.HEADER_BYTES);
    if (readIdentity(header).ownerKind !== 'file-lock') return new Region(new ThreadMemory(buffer));
    const file = fileOfStore(storeIdOf(header));
    if (file === undefined)
      throw new RegionError(
        'E_TYPE',
        'the buffer belongs to a store directory that this thread does not know: open the directory with MetricStore.open in the parent thread, before this one is made',
      );
    return new Region(MappedFile.again(buffer, file.directory, file.identity));
  }

  /**
   * Opens the region of a store directory, or makes one of `maxBytes`. `attached` gives this thread's region
   * over a buffer, if it has one. Throws a `RegionError`. `warnings`: texts that the user should see.
   */
  static open(
    directory: string,
    maxBytes: number,
    attached: (buffer: SharedArrayBuffer) => Region | undefined,
  ): { readonly region: Region; readonly warnings: readonly string[] } {
    const known = (identity: string): SharedArrayBuffer | undefined => fileOfIdentity(identity)?.buffer;
    const { file, warnings } = openStoreDirectory(directory, maxBytes, known);
    const own = attached(file.buffer);
    if (own !== undefined) {
      file.close();
      own.#isLeft = false;
      return { region: own, warnings };
    }
    const region = new Region(file);
    const { buffer, identity } = file;
    listFile({ buffer, identity, directory: file.directory, storeId: storeIdOf(region.bytes) });
    return { region, warnings };
  }

  /**
   * A copy of the region of a store directory, for a passive reader: nothing that is done with it changes the
   * store. `takeCopy` brings it up to date. Throws a `RegionError`.
   */
  static copyOf(directory: string): Region {
    return new Region(CopiedFile.open(directory));
  }

  /** Brings a copy up to date; does nothing to any other region. Throws a `RegionError`. */
  takeCopy(): void {
    if (this.copy === undefined) return;
    this.copy.take();
    (this.ownership as SeenOwnership).look();
    this.refresh();
  }

  /**
   * This copy's view of a region that another copy of the package may have attached. Throws as `attach` does.
   */
  static of(region: { readonly buffer: SharedArrayBuffer }): Region {
    if (region instanceof Region) return region;
    let own = ofOtherCopies.get(region);
    if (own === undefined) ofOtherCopies.set(region, (own = Region.attach(region.buffer)));
    return own;
  }

  /** When the region was made, in milliseconds since the epoch, with a fraction. */
  get created(): number {
    return this.doubles[layout.CREATED_OFFSET >> 3]!;
  }

  /**
   * The time, in whole milliseconds since the epoch. It never goes back, whichever thread takes it: if the
   * system's clock was set back, it stands still until the clock has caught up. So nothing in a store ends
   * before it starts.
   */
  takeTime(): number {
    const now = BigInt(systemClock.now());
    for (;;) {
      const latest = Atomics.load(this.#latestTime, 0);
      if (latest >= now) return Number(latest);
      if (Atomics.compareExchange(this.#latestTime, 0, latest, now) === latest) return Number(now);
    }
  }

  /** The store directory; undefined in a store of one process. */
  get directory(): string | undefined {
    return this.#backing.directory;
  }

  /** Which store it is, the same for every process; undefined in a store of one process. */
  get storeId(): string | undefined {
    return this.directory === undefined ? undefined : storeIdOf(this.bytes);
  }

  /**
   * The port at which the exporters of a store of several processes serve, one after the other, if they may
   * take any free one. 0 as long as there is none.
   */
  get exporterPort(): number {
    return Atomics.load(this.words, layout.LEADER_PORT_INDEX);
  }

  /** Notes the port where this thread serves. Only the holder of the lease. */
  noteExporterPort(port: number): void {
    Atomics.store(this.words, layout.LEADER_PORT_INDEX, port);
  }

  /** Bytes that are backed by memory now. */
  get byteLength(): number {
    return this.#backing.length;
  }

  /** Bytes claimed by header, slab table and extents. */
  get usedBytes(): number {
    return Atomics.load(this.words, layout.EXTENTS_END_INDEX) * layout.UNIT_BYTES;
  }

  /** Renews the views, so that they reach everything that has memory now. */
  refresh(): void {
    const { length } = this.#backing;
    if (this.bytes.length === length) return;
    this.words = new Int32Array(this.buffer, 0, length >> 2);
    this.doubles = new Float64Array(this.buffer, 0, length >> 3);
    this.bytes = new Uint8Array(this.buffer, 0, length);
  }

  /**
   * Claims an extent of at least `bytes` for `slab`. Undefined when there is none; `refusal` says why.
   * Lock-free: threads that claim at once help each other past the extent one of them won. Memory beyond the
   * end is zero and was never claimed.
   */
  claimExtent(slab: number, bytes: number): Extent | undefined {
    // The slab may belong to another process by now.
    if (this.#life !== undefined && !this.ownership.isKept(slab)) return this.#refuse(LOCK_LOST);
    const units = Math.ceil(bytes / layout.UNIT_BYTES);
    const claim = ((slab + 1) << layout.CLAIM_SLAB_SHIFT) | units;
    for (;;) {
      const end = Atomics.load(this.words, layout.EXTENTS_END_INDEX);
      const offset = end * layout.UNIT_BYTES;
      const newEnd = offset + units * layout.UNIT_BYTES;
      if (newEnd > this.maxBytes) return this.#refuse(undefined);
      const refusal = offset < layout.EXTENTS_OFFSET ? DAMAGED : this.#backing.provide(offset, newEnd);
      if (refusal !== undefined) return this.#refuse(refusal);
      this.refresh();
      const winner = Atomics.compareExchange(this.words, offset >> 2, 0, claim);
      const won = winner === 0;
      const claimedUnits = won ? units : winner & layout.CLAIM_UNITS_MASK;
      if (claimedUnits === 0) return this.#refuse(DAMAGED); // no extent is found behind it
      Atomics.compareExchange(this.words, layout.EXTENTS_END_INDEX, end, end + claimedUnits);
      if (won) return { slab, offset, bytes: units * layout.UNIT_BYTES };
    }
  }

  #refuse(refusal: Refusal | undefined): undefined {
    this.#refusal = refusal;
  }

  /** Why there was no memory when `claimExtent` was last refused. */
  get refusal(): Refusal {
    return this.#refusal ?? maxBytesUsed(this.maxBytes, this.directory);
  }

  /**
   * The extent at `offset`, or undefined at the end of the extents. Start at `EXTENTS_OFFSET`; the next one
   * is at `offset + bytes`. Any thread.
   */
  extentAt(offset: number): Extent | undefined {
    if (offset >= this.usedBytes) return undefined;
    this.refresh();
    const claim = offset < this.bytes.length ? Atomics.load(this.words, offset >> 2) : 0;
    const bytes = (claim & layout.CLAIM_UNITS_MASK) * layout.UNIT_BYTES;
    if (claim <= 0 || bytes === 0 || offset + bytes > this.bytes.length)
      throw new RegionError('E_RANGE', `the extent at ${offset} is damaged (claim word ${claim})`);
    return { slab: (claim >> layout.CLAIM_SLAB_SHIFT) - 1, offset, bytes };
  }

  /**
   * The slab that has claimed the memory at a float64 index. Undefined where none has, as far as extents can
   * be found. Any thread.
   */
  slabAt(at: number): number | undefined {
    const offset = at * 8;
    const known = this.#extents;
    const last = known.at(-1);
    let end = last === undefined ? layout.EXTENTS_OFFSET : last.offset + last.bytes;
    for (let next; offset >= end && (next = this.#tryExtentAt(end)) !== undefined; end += next.bytes)
      known.push(next);
    let low = 0;
    let high = known.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = known[middle]!;
      if (offset < extent.offset) high = middle;
      else if (offset >= extent.offset + extent.bytes) low = middle + 1;
      else return extent.slab;
    }
    return undefined;
  }

  #tryExtentAt(offset: number): Extent | undefined {
    try {
      return this.extentAt(offset);
    } catch {
      return undefined; // damaged: whoever reads directories says so
    }
  }

  /**
   * Makes the record at `offset` the store's configuration, in place of the one at `before` (0: none). False
   * when there is another one by now. Call it after the record was published.
   */
  pointToConfiguration(offset: number, before: number): boolean {
    return Atomics.compareExchange(this.words, layout.CONFIGURATION_INDEX, before, offset) === before;
  }

  /** Byte offset of the record of the store's configuration; 0 when there is none. */
  get configurationOffset(): number {
    return Atomics.load(this.words, layout.CONFIGURATION_INDEX);
  }

  /** Counts measurements that found no memory at all. */
  countLost(): void {
    Atomics.add(this.words, layout.LOST_INDEX, 1);
  }

  /** Measurements that found no memory at all, not even an overflow series. Wraps after 2^32. */
  get lostMeasurements(): number {
    return Atomics.load(this.words, layout.LOST_INDEX) >>> 0;
  }

  /** Takes `bytes` of the memory that exemplars may use. False, with nothing taken, when it is used up. */
  takeExemplarBytes(bytes: number): boolean {
    const taken = Atomics.add(this.words, layout.EXEMPLAR_BYTES_INDEX, bytes) + bytes;
    if (taken <= this.maxBytes * EXEMPLAR_SHARE) return true;
    this.giveExemplarBytes(bytes);
    return false;
  }

  /** Gives back what `takeExemplarBytes` took but the region had no place for. */
  giveExemplarBytes(bytes: number): void {
    Atomics.sub(this.words, layout.EXEMPLAR_BYTES_INDEX, bytes);
  }

  /** Says that exemplars were collected: reservoirs begin a new sample. */
  noteCollection(): void {
    Atomics.add(this.words, layout.COLLECTIONS_INDEX, 1);
  }

  /** Number of the latest collection of exemplars; wraps. */
  get collections(): number {
    return Atomics.load(this.words, layout.COLLECTIONS_INDEX);
  }

  /**
   * Takes the number of a removal (`state/standing.ts`). Call it again when the standings are set: it also
   * makes readers and owners look at them. Any thread.
   */
  takeEnding(): number {
    return Atomics.add(this.words, layout.ENDINGS_INDEX, 1);
  }

  /** The number that is taken next; wraps. */
  get endings(): number {
    return Atomics.load(this.words, layout.ENDINGS_INDEX);
  }

  /** A checksum of all that is recorded: equal as long as nobody records. Reads all used memory. */
  fingerprint(): number {
    this.refresh();
    return crc32(this.bytes.subarray(layout.EXTENTS_OFFSET, this.usedBytes));
  }

  /**
   * Says that no further thread should join. What is recorded stays readable. A store of several processes is
   * only left by this thread; it goes on for the others.
   */
  close(): void {
    if (this.#life !== undefined) {
      this.#isLeft = true;
      return;
    }
    Atomics.store(this.words, layout.CLOSED_INDEX, 1);
    this.signal.wake(layout.PULSE_INDEX); // threads stop waiting for looks at a store nobody reads
    this.signal.wake(layout.OBSERVE_INDEX); // and wait for requests by a timer, which holds nothing
  }

  get closed(): boolean {
    return this.#life === undefined ? Atomics.load(this.words, layout.CLOSED_INDEX) === 1 : this.#isLeft;
  }
}

const LOCK_LOST: Refusal = {
  reason:
    'this thread has lost the lock of its part of the store: other code closed a descriptor that it did not open',
  fix: 'Restart the process, and find that code',
};
const DAMAGED: Refusal = {
  reason: 'the memory of the store is damaged',
  fix: 'End all threads and processes that have it: the next one makes a new store',
};

function maxBytesUsed(maxBytes: number, directory: string | undefined): Refusal {
  const raise = 'Raise maxBytes of MetricStore.open';
  const where = directory === undefined ? raise : `${raise} and remove ${directory} while no process runs`;
  return {
    reason: `all of maxBytes ${maxBytes} is used`,
    fix: `${where}, or record fewer or shorter attributes`,
  };
}

const ofOtherCopies = new WeakMap<object, Region>();

/** `bytes`: the first bytes of the region. */
function storeIdOf(bytes: Uint8Array): string {
  return Buffer.from(
    bytes.subarray(layout.STORE_ID_OFFSET, layout.STORE_ID_OFFSET + layout.UUID_BYTES),
  ).toString('latin1');
}
