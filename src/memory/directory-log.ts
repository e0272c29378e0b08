/**
 * The directory of a slab: an append-only log of records over all extents of the slab, and the cells they
 * describe. Bytes only; what the records mean is `state/records.ts`.
 *
 *   record   0        4        8
 *            +--------+--------+---------------------------+
 *            | head   | crc    | payload, zero-padded to 4 |
 *            +--------+--------+---------------------------+
 *
 * head     kind << 24 | length of the whole record in units of 4 bytes
 * crc      CRC-32 of head and payload. The payload of a kind from 128 on begins with an int32 that may change
 *          as long as the record is there, by Atomics. The CRC leaves it out.
 *
 * Publish last: cell and record are complete in memory before the extent's `used` word is stored. If a thread
 * dies before that, what it wrote lies beyond `used`. It is never read, and the slab's next owner overwrites
 * it.
 */
import { RegionError } from '../base/errors.ts';
import { crcOf } from './crc.ts';
import * as layout from './layout.ts';
import type { Extent, Region } from './region.ts';

export const RECORD_HEADER_BYTES = 8;
const NOTHING: Buffer = Buffer.alloc(0);
const CRC_OFFSET = 4;
const KIND_SHIFT = 24;
const RECORD_UNIT = 4;
const LONGEST_RECORD: number = RECORD_UNIT * ((1 << KIND_SHIFT) - 1);
/** Records of kinds from this on begin with a word that may change. */
export const CHANGING_KINDS = 0x80;
export const CHANGING_BYTES = 4;

/**
 * When the region had no room, only every so many requests for as much or more ask it again. Asking costs
 * microseconds, and a thread that records to a full store would ask at each measurement.
 */
const REQUESTS_A_RETRY = 64;

/** One record as a reader sees it: checked, in a copy that may hold other records too. */
export class LogRecord {
  readonly kind: number;
  readonly bytes: Buffer;
  /** Where the payload begins and ends in `bytes`. */
  readonly start: number;
  readonly end: number;
  /** Where the payload begins in the region: an int32 index. */
  readonly word: number;

  constructor(kind: number, bytes: Buffer, start: number, end: number, word: number) {
    this.kind = kind;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.word = word;
  }

  /** The payload alone. Records of series are read in place, since there are so many. */
  get payload(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }
}

/** CRCs of heads: few differ. */
const headCrcs = new Map<number, number>();
const MAX_HEADS = 1000;

function headCrc(head: number): number {
  let crc = headCrcs.get(head);
  if (crc !== undefined) return crc;
  const bytes = Buffer.alloc(CRC_OFFSET);
  bytes.writeUInt32LE(head, 0);
  crc = crcOf(bytes, 0, bytes.length, 0);
  if (headCrcs.size < MAX_HEADS) headCrcs.set(head, crc);
  return crc;
}

function lengthIn(head: number): number {
  return RECORD_UNIT * (head & ((1 << KIND_SHIFT) - 1));
}

/** Reads the records of one extent from where it stopped last time. Any thread. */
export class ExtentCursor {
  readonly #region: Region;
  readonly #extent: Extent;
  #readTo: number = layout.EXTENT_HEADER_BYTES;
  /** Copy of what was published but not read when `next` last looked, and where it lies in the extent. */
  #copy: Buffer = NOTHING;
  #copiedFrom = 0;

  constructor(region: Region, extent: Extent) {
    this.#region = region;
    this.#extent = extent;
  }

  get extent(): Extent {
    return this.#extent;
  }

  /** End of what was read, in bytes from the extent's start. */
  get readTo(): number {
    return this.#readTo;
  }

  /**
   * The next published record, or undefined. Throws a `RegionError` on a damaged record, and again at each
   * further call.
   */
  next(): LogRecord | undefined {
    if (this.#readTo - this.#copiedFrom >= this.#copy.length && !this.#copyMore()) return undefined;
    const record = recordIn(this.#copy, this.#readTo - this.#copiedFrom, this.#extent.offset + this.#readTo);
    this.#readTo += record.end - record.start + RECORD_HEADER_BYTES;
    return record;
  }

  #copyMore(): boolean {
    const region = this.#region;
    const { offset, bytes } = this.#extent;
    const used = Math.min(Atomics.load(region.words, (offset >> 2) + layout.EXTENT_USED_WORD), bytes);
    this.#copiedFrom = this.#readTo;
    this.#copy = NOTHING;
    if (this.#readTo >= used) return false;
    region.refresh();
    this.#copy = Buffer.from(region.bytes.subarray(offset + this.#readTo, offset + used));
    return true;
  }
}

/**
 * The record at a byte offset of the region, at most `limit` bytes long. Throws a `RegionError` when it is
 * damaged.
 */
export function readRecord(region: Region, at: number, limit: number): LogRecord {
  region.refresh();
  const isInside = at >= 0 && at + RECORD_HEADER_BYTES <= region.bytes.length;
  const length = isInside ? Math.min(lengthIn(region.words[at >> 2]!), limit) : 0;
  return recordIn(Buffer.from(region.bytes.subarray(at, at + length)), 0, at);
}

/**
 * The record at `at` of a copy: what is checked is what is read. `where` it is in the region, for the error.
 */
function recordIn(copy: Buffer, at: number, where: number): LogRecord {
  const head = at + RECORD_HEADER_BYTES <= copy.length ? copy.readUInt32LE(at) : 0;
  const length = lengthIn(head);
  if (length < RECORD_HEADER_BYTES || at + length > copy.length)
    throw new RegionError('E_RANGE', `the directory record at ${where} has an impossible length, ${length}`);
  const start = at + RECORD_HEADER_BYTES;
  const end = at + length;
  const kind = head >>> KIND_SHIFT;
  if (copy.readUInt32LE(at + CRC_OFFSET) !== crcOf(copy, start + changingBytes(kind), end, headCrc(head)))
    throw new RegionError('E_CRC', `the directory record at ${where} is damaged`);
  return new LogRecord(kind, copy, start, end, (where + RECORD_HEADER_BYTES) >> 2);
}

function changingBytes(kind: number): number {
  return kind >= CHANGING_KINDS ? CHANGING_BYTES : 0;
}

/** Appends to the directory of one slab and places its cells. Only the slab's owner. */
export class DirectoryLog {
  readonly #region: Region;
  readonly #slab: number;
  #extent: Extent | undefined;
  #used = 0; // directory end, bytes from the extent's start
  #cellsStart = 0; // lowest cell, bytes from the extent's start
  #held = 0; // bytes of all extents of the slab
  #refused = Infinity; // least room the region did not have
  #untilRetry = 0; // requests for as much

  constructor(region: Region, slab: number) {
    this.#region = region;
    this.#slab = slab;
  }

  /**
   * Continues where a dead owner stopped, in its last extent. `lowestCell`: the lowest cell (float64 index)
   * that a published record in that extent names, or undefined if none does. `held`: bytes of all extents of
   * the slab.
   */
  resume(extent: Extent, used: number, lowestCell: number | undefined, held: number): void {
    this.#extent = extent;
    this.#held = held;
    this.#used = used;
    this.#cellsStart = lowestCell === undefined ? extent.bytes : lowestCell * 8 - extent.offset;
    // The bytes in between were never published, but a dead owner may have written to them. New cells start
    // from zero.
    this.#region.bytes.fill(0, extent.offset + used, extent.offset + this.#cellsStart);
  }

  /**
   * Finds room in one extent for a record of `payloadBytes` and a cell of `cellWords` (0: none). Claims a new
   * extent if needed. Returns the cell's float64 index (0 for no cell), or -1 when the region has no such
   * room now; a smaller record may fit, and the same one later. The cell is zero. Write the cell's first
   * state, then call `append`; nothing is taken before that.
   */
  place(payloadBytes: number, cellWords: number): number {
    if (payloadBytes > LONGEST_RECORD - RECORD_HEADER_BYTES) return -1;
    const needed = recordBytes(payloadBytes) + cellWords * 8;
    if (this.#extent === undefined || this.#cellsStart - this.#used < needed) {
      const extent = this.#claimUnlessRefused(layout.EXTENT_HEADER_BYTES + needed);
      if (extent === undefined) return -1;
      this.#extent = extent;
      this.#used = layout.EXTENT_HEADER_BYTES;
      this.#cellsStart = extent.bytes;
    }
    return cellWords === 0 ? 0 : (this.#extent.offset + this.#cellsStart - cellWords * 8) >> 3;
  }

  /**
   * Publishes a record for which `place` found room, and the cell placed with it (its size again, 0 = none).
   * Returns the record's byte offset in the region. `kind`: 1 to 255.
   */
  append(kind: number, payload: Uint8Array, cellWords: number): number {
    const extent = this.#extent!;
    const length = recordBytes(payload.length);
    const at = extent.offset + this.#used;
    const record = Buffer.alloc(length);
    const head = ((kind << KIND_SHIFT) | (length / RECORD_UNIT)) >>> 0;
    record.writeUInt32LE(head, 0);
    record.set(payload, RECORD_HEADER_BYTES);
    const checked = RECORD_HEADER_BYTES + changingBytes(kind);
    record.writeUInt32LE(crcOf(record, checked, length, headCrc(head)), CRC_OFFSET);
    this.#region.bytes.set(record, at);
    this.#used += length;
    this.#cellsStart -= cellWords * 8;
    Atomics.store(this.#region.words, (extent.offset >> 2) + layout.EXTENT_USED_WORD, this.#used);
    return at;
  }

  #claimUnlessRefused(needed: number): Extent | undefined {
    if (needed >= this.#refused && --this.#untilRetry > 0) return undefined;
    const extent = this.#claim(needed);
    if (extent === undefined) {
      this.#refused = Math.min(needed, this.#refused);
      this.#untilRetry = REQUESTS_A_RETRY;
    } else if (needed >= this.#refused) this.#refused = Infinity;
    return extent;
  }

  #claim(needed: number): Extent | undefined {
    const share = Math.floor(this.#held / layout.EXTENT_SHARE / layout.UNIT_BYTES) * layout.UNIT_BYTES;
    const generous = Math.max(
      needed,
      layout.FIRST_EXTENT_BYTES,
      Math.min(share, layout.LARGEST_EXTENT_BYTES),
    );
    let extent = this.#region.claimExtent(this.#slab, generous);
    if (extent === undefined && needed < generous) extent = this.#region.claimExtent(this.#slab, needed);
    if (extent !== undefined) this.#held += extent.bytes;
    return extent;
  }
}

function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + RECORD_UNIT - 1) & -RECORD_UNIT;
}
