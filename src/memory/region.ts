import { crc32 } from 'node:zlib';
import { RegionError } from '../base/errors.ts';
import { isProvenDead, MARK_KIND, OWN_MARK } from './liveness.ts';
import { MEMORY_ORDER, MEMORY_ORDER_VARIABLE } from './memory-order.ts';
import * as layout from './layout.ts';

const ORDER_CODES = { fast: 1, strict: 2 } as const;
/** What exemplars may take of `maxBytes`: they must not crowd out series. */
const EXEMPLAR_SHARE = 0.25;
const MARK_KIND_CODES = { 'linux-thread-id': 1, 'node-thread-id': 2 } as const;

/** One extent: `offset` bytes from the region's start, `bytes` long, owned by slab `slab`. */
export interface Extent {
  readonly slab: number;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * One contiguous buffer of a store, seen by one thread. Create it in one thread, attach it in the others.
 *
 * The views cover the whole buffer as long as it was when they were made. The buffer grows in place and never shrinks
 * or moves, so old views stay right; they only do not reach what was added. `words` and `doubles` are therefore taken
 * anew (`refresh`) whenever memory is claimed or a higher offset is met, and never by the record path.
 */
export class Region {
  readonly buffer: SharedArrayBuffer;
  readonly maxBytes: number;
  words: Int32Array;
  doubles: Float64Array;
  bytes: Uint8Array;

  private constructor(buffer: SharedArrayBuffer, maxBytes: number) {
    this.buffer = buffer;
    this.maxBytes = maxBytes;
    // Fixed-length views: a length-tracking view of a growable buffer costs 100 ns an access.
    this.words = new Int32Array(buffer, 0, buffer.byteLength >> 2);
    this.doubles = new Float64Array(buffer, 0, buffer.byteLength >> 3);
    this.bytes = new Uint8Array(buffer, 0, buffer.byteLength);
  }

  /**
   * Makes an empty region that may grow to `maxBytes` (already validated, a multiple of `UNIT_BYTES`). Throws a `RegionError` where there
   * is no memory for it.
   */
  static create(maxBytes: number): Region {
    const region = new Region(
      growableBuffer(Math.min(layout.INITIAL_REGION_BYTES, maxBytes), maxBytes),
      maxBytes,
    );
    const header = new DataView(region.buffer, 0, layout.HEADER_BYTES);
    region.bytes.set(layout.MAGIC, layout.MAGIC_OFFSET);
    header.setUint32(layout.MAJOR_OFFSET, layout.FORMAT_MAJOR, true);
    header.setUint32(layout.MINOR_OFFSET, layout.FORMAT_MINOR, true);
    header.setUint32(layout.BYTE_ORDER_OFFSET, layout.BYTE_ORDER, true);
    header.setUint32(layout.HEADER_BYTES_OFFSET, layout.HEADER_BYTES, true);
    header.setUint32(layout.MAX_BYTES_OFFSET, maxBytes, true);
    header.setUint32(layout.SLAB_CAPACITY_OFFSET, layout.SLAB_CAPACITY, true);
    header.setUint32(layout.SLAB_BYTES_OFFSET, layout.SLAB_BYTES, true);
    header.setUint32(layout.EXTENTS_OFFSET_OFFSET, layout.EXTENTS_OFFSET, true);
    header.setUint32(layout.MEMORY_ORDER_OFFSET, ORDER_CODES[MEMORY_ORDER], true);
    header.setUint32(layout.MARK_KIND_OFFSET, MARK_KIND_CODES[MARK_KIND], true);
    header.setFloat64(layout.CREATED_OFFSET, performance.timeOrigin + performance.now(), true);
    header.setUint32(layout.CRC_OFFSET, identityCrc(region.bytes), true);
    Atomics.store(region.words, layout.EXTENTS_END_INDEX, layout.EXTENTS_OFFSET / layout.UNIT_BYTES);
    return region;
  }

  /** Attaches to a region another thread made. Throws a `RegionError` that says why it cannot be used. */
  static attach(buffer: SharedArrayBuffer): Region {
    if (buffer.byteLength < layout.EXTENTS_OFFSET)
      throw new RegionError(
        'E_RANGE',
        `a region has at least ${layout.EXTENTS_OFFSET} bytes, this has ${buffer.byteLength}`,
      );
    const bytes = new Uint8Array(buffer, 0, layout.HEADER_BYTES);
    if (!layout.MAGIC.every((byte, i) => bytes[layout.MAGIC_OFFSET + i] === byte))
      throw new RegionError('E_MAGIC', 'the buffer is not a region of seqlock-metrics');
    const header = new DataView(buffer, 0, layout.HEADER_BYTES);
    const major = header.getUint32(layout.MAJOR_OFFSET, true);
    if (major !== layout.FORMAT_MAJOR)
      throw new RegionError(
        'E_VERSION',
        `the region has format ${major}, this copy of seqlock-metrics reads ${layout.FORMAT_MAJOR}: two versions of the package are loaded, see \`npm ls seqlock-metrics\`; load one in all threads`,
      );
    if (header.getUint32(layout.CRC_OFFSET, true) !== identityCrc(bytes))
      throw new RegionError('E_CRC', 'the header of the region is damaged');
    if (
      header.getUint32(layout.SLAB_CAPACITY_OFFSET, true) !== layout.SLAB_CAPACITY ||
      header.getUint32(layout.SLAB_BYTES_OFFSET, true) !== layout.SLAB_BYTES ||
      header.getUint32(layout.EXTENTS_OFFSET_OFFSET, true) !== layout.EXTENTS_OFFSET
    )
      throw new RegionError(
        'E_RANGE',
        'the region has a slab table this copy of seqlock-metrics does not know',
      );
    if (header.getUint32(layout.MEMORY_ORDER_OFFSET, true) !== ORDER_CODES[MEMORY_ORDER])
      throw new RegionError(
        'E_ORDER',
        `the region is not written in this thread's memory order (${MEMORY_ORDER}): set ${MEMORY_ORDER_VARIABLE} for the whole process, not for one worker`,
      );
    return new Region(buffer, header.getUint32(layout.MAX_BYTES_OFFSET, true));
  }

  /** This copy's view of a region that another copy of the package may have attached. Throws as `attach` does. */
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

  /** Bytes that are backed by memory now. */
  get byteLength(): number {
    return this.buffer.byteLength;
  }

  /** Bytes claimed by header, slab table and extents. */
  get usedBytes(): number {
    return Atomics.load(this.words, layout.EXTENTS_END_INDEX) * layout.UNIT_BYTES;
  }

  /** Makes the views reach all that the buffer holds now. */
  refresh(): void {
    const length = this.buffer.byteLength;
    if (this.bytes.length === length) return;
    this.words = new Int32Array(this.buffer, 0, length >> 2);
    this.doubles = new Float64Array(this.buffer, 0, length >> 3);
    this.bytes = new Uint8Array(this.buffer, 0, length);
  }

  /** Grows the buffer to at least `bytes`. False when the machine or `maxBytes` does not give as much. */
  #growTo(bytes: number): boolean {
    if (bytes > this.maxBytes) return false;
    let length: number;
    do {
      length = this.buffer.byteLength;
      if (length >= bytes) break;
      if (!this.#tryGrow(Math.min(this.maxBytes, Math.max(bytes, 2 * length)))) this.#tryGrow(bytes);
    } while (this.buffer.byteLength > length); // some thread grew it: look again
    this.refresh();
    return this.buffer.byteLength >= bytes;
  }

  #tryGrow(length: number): boolean {
    try {
      this.buffer.grow(length);
      return true;
    } catch {
      return false; // no memory, or another thread grew it past `length` meanwhile
    }
  }

  /**
   * Claims an extent of at least `bytes` for `slab`. Undefined when the region is full. Lock-free: threads that claim
   * at once help each other past the extent one of them won. Memory beyond the end is zero and was never claimed.
   */
  claimExtent(slab: number, bytes: number): Extent | undefined {
    const units = Math.ceil(bytes / layout.UNIT_BYTES);
    const claim = ((slab + 1) << layout.CLAIM_SLAB_SHIFT) | units;
    for (;;) {
      const end = Atomics.load(this.words, layout.EXTENTS_END_INDEX);
      if (!this.#growTo((end + units) * layout.UNIT_BYTES)) return undefined;
      const offset = end * layout.UNIT_BYTES;
      const winner = Atomics.compareExchange(this.words, offset >> 2, 0, claim);
      const won = winner === 0;
      const claimedUnits = won ? units : winner & layout.CLAIM_UNITS_MASK;
      Atomics.compareExchange(this.words, layout.EXTENTS_END_INDEX, end, end + claimedUnits);
      if (won) return { slab, offset, bytes: units * layout.UNIT_BYTES };
    }
  }

  /**
   * The extent at `offset`, or undefined at the end of the extents. Start at `EXTENTS_OFFSET`; the next one is at
   * `offset + bytes`. Any thread.
   */
  extentAt(offset: number): Extent | undefined {
    if (offset >= this.usedBytes) return undefined;
    this.refresh();
    const claim = offset < this.bytes.length ? Atomics.load(this.words, offset >> 2) : 0;
    const bytes = (claim & layout.CLAIM_UNITS_MASK) * layout.UNIT_BYTES;
    if (claim <= 0 || bytes === 0 || offset + bytes > this.buffer.byteLength)
      throw new RegionError('E_RANGE', `the extent at ${offset} is damaged (claim word ${claim})`);
    return { slab: (claim >> layout.CLAIM_SLAB_SHIFT) - 1, offset, bytes };
  }

  /** Makes the record at `offset` the store's configuration. Call after it was published. */
  pointToConfiguration(offset: number): void {
    Atomics.store(this.words, layout.CONFIGURATION_INDEX, offset);
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

  /** Takes `bytes` of the memory that exemplars may have. False, and nothing taken, when it is used up. */
  takeExemplarBytes(bytes: number): boolean {
    const taken = Atomics.add(this.words, layout.EXEMPLAR_BYTES_INDEX, bytes) + bytes;
    if (taken <= this.maxBytes * EXEMPLAR_SHARE) return true;
    Atomics.sub(this.words, layout.EXEMPLAR_BYTES_INDEX, bytes);
    return false;
  }

  /** Says that exemplars were collected: reservoirs begin to sample anew. */
  noteCollection(): void {
    Atomics.add(this.words, layout.COLLECTIONS_INDEX, 1);
  }

  /** Number of the latest collection of exemplars; wraps. */
  get collections(): number {
    return Atomics.load(this.words, layout.COLLECTIONS_INDEX);
  }

  /** A checksum of all that is recorded: equal as long as nobody records. Reads all used memory. */
  fingerprint(): number {
    this.refresh();
    return crc32(this.bytes.subarray(layout.EXTENTS_OFFSET, this.usedBytes));
  }

  /** Notes that this thread reads the store. Returns false when another thread, which still lives, attached a reader before. */
  noteReader(): boolean {
    for (;;) {
      const reader = Atomics.load(this.words, layout.READER_MARK_INDEX);
      if (reader === OWN_MARK) return true;
      if (reader !== 0 && !isProvenDead(reader)) return false;
      if (Atomics.compareExchange(this.words, layout.READER_MARK_INDEX, reader, OWN_MARK) === reader)
        return true;
    }
  }

  /** Says that no thread should join any more. What is recorded stays readable. */
  close(): void {
    Atomics.store(this.words, layout.CLOSED_INDEX, 1);
    Atomics.notify(this.words, layout.PULSE_INDEX); // threads stop waiting for looks at a store nobody reads
    Atomics.notify(this.words, layout.OBSERVE_INDEX); // and wait for requests in a way that holds nothing
  }

  get closed(): boolean {
    return Atomics.load(this.words, layout.CLOSED_INDEX) === 1;
  }
}

/** The address range of `maxBytes` is reserved at once, and may exceed what the process is allowed. */
function growableBuffer(bytes: number, maxBytes: number): SharedArrayBuffer {
  let buffer: SharedArrayBuffer;
  try {
    buffer = new SharedArrayBuffer(bytes, { maxByteLength: maxBytes });
  } catch (error) {
    throw new RegionError(
      'E_MEMORY',
      `no shared memory of ${maxBytes} bytes is to be had (${String(error)}): lower maxBytes, or raise the process's limit`,
    );
  }
  if (buffer.maxByteLength !== maxBytes)
    throw new RegionError('E_MEMORY', 'this JavaScript engine has no shared memory that can grow');
  return buffer;
}

const ofOtherCopies = new WeakMap<object, Region>();

function identityCrc(bytes: Uint8Array): number {
  return crc32(bytes.subarray(0, layout.IDENTITY_BYTES));
}
