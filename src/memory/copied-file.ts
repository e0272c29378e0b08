/**
 * The region of a store directory as a passive reader has it: a copy in memory of its own, taken by pread(2).
 * It opens the file for reading only, takes no lock and no slab, and rings nothing. Whatever code does with a
 * region that is a copy, it does it to the copy.
 *
 *   pass 1   everything  -> `#first`    how cells and directories begin
 *   pass 2   everything  -> the buffer  the data
 *   pass 3   everything  compared with pass 1, and forgotten
 *
 * A cell is whole if its first word, version and link, is the same in pass 1 and in pass 3. The passes are
 * then the two looks of a seqlock's reader around its copy (cell.ts, docs/memory-model.md). What else is
 * published by one word, the ends of directories and of the extents, is taken from pass 1: what lies before
 * it was whole before pass 2. A cell that is not whole is copied anew when it is wanted (`withFresh`).
 */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RegionError, shortText } from '../base/errors.ts';
import { growableBuffer, type Backing } from './backing.ts';
import * as layout from './layout.ts';
import { identityOf, REGION_FILE } from './mapped-file.ts';
import { readIdentity } from './region-header.ts';
import type { Refusal } from './refusal.ts';

/** Follows no link, waits for no FIFO, and leaves the time of the last access alone where that may be. */
const FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const DIRECTORY_FLAGS: number = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY;
const PIECE_BYTES = 65_536;
const PAGE_BYTES = 4096;
/** How often a cell is copied anew before it counts as stale. */
const TRIES = 64;
/** How often parts of a store are copied anew between two calls of `take`. */
const MAX_RETAKES = 32;

const NOT_CLAIMED: Refusal = {
  reason: 'the store is a copy, which nobody records to',
  fix: 'Record to the store itself',
};

interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** Belongs to the thread that made it. */
export class CopiedFile implements Backing {
  readonly directory: string;
  readonly buffer: SharedArrayBuffer;
  /** The number of the device that the region's file is on. */
  readonly device: bigint;
  readonly #identity: string;
  readonly maxBytes: number;
  readonly #fd: number;
  readonly #piece: Buffer = Buffer.alloc(PIECE_BYTES);
  readonly #head = new Int32Array(2);
  readonly #headAgain = new Int32Array(2);
  #bytes: Uint8Array = new Uint8Array();
  #words: Int32Array = new Int32Array();
  #first: Buffer = Buffer.alloc(0);
  /** By float64 index: 1 where passes 1 and 3 differ. */
  #moved: Uint8Array = new Uint8Array();
  #retakes = 0;

  private constructor(
    directory: string,
    fd: number,
    stats: { readonly dev: bigint; readonly ino: bigint; readonly size: bigint },
  ) {
    this.directory = directory;
    this.#fd = fd;
    this.device = stats.dev;
    this.#identity = identityOf(stats);
    const header = Buffer.alloc(layout.HEADER_BYTES);
    readSync(fd, header, 0, header.length, 0);
    const { maxBytes, ownerKind } = readIdentity(header);
    if (stats.size !== BigInt(maxBytes) || ownerKind !== 'file-lock')
      throw new RegionError(
        'E_RANGE',
        `${join(directory, REGION_FILE)} has ${stats.size} bytes, and its header says ${maxBytes}: it is no whole store`,
      );
    this.maxBytes = maxBytes;
    this.buffer = growableBuffer(layout.EXTENTS_OFFSET, maxBytes);
    this.take();
  }

  /** Throws a `RegionError` where there is no store that can be read. */
  static open(directory: string): CopiedFile {
    const path = resolve(directory);
    const file = join(path, REGION_FILE);
    let fd: number | undefined;
    try {
      closeSync(openSync(path, DIRECTORY_FLAGS));
      fd = openForReading(file);
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile())
        throw new RegionError('E_TYPE', `${file} is not a regular file, so it is no store`);
      return new CopiedFile(path, fd, stats);
    } catch (error) {
      if (fd !== undefined) closeSync(fd);
      throw asRegionError(path, error);
    }
  }

  get length(): number {
    return this.buffer.byteLength;
  }

  provide(): Refusal {
    return NOT_CLAIMED;
  }

  /** True once the directory has another region, or none: the store that was copied has ended. */
  isReplaced(): boolean {
    try {
      return identityOf(statSync(join(this.directory, REGION_FILE), { bigint: true })) !== this.#identity;
    } catch {
      return true;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Copies the store as it is now. Throws a `RegionError` if the file is no whole store any more. */
  take(): void {
    this.#retakes = 0;
    const header = Buffer.alloc(layout.HEADER_BYTES);
    this.#read(header, 0, header.length, 0);
    readIdentity(header);
    const end = header.readInt32LE(layout.EXTENTS_END_INDEX * 4) * layout.UNIT_BYTES;
    if (end < layout.EXTENTS_OFFSET || end > this.maxBytes)
      throw new RegionError('E_RANGE', `the header of the store is damaged: its extents end at ${end}`);
    if (end > this.buffer.byteLength) this.buffer.grow(end);
    this.#bytes = new Uint8Array(this.buffer, 0, end);
    this.#words = new Int32Array(this.buffer, 0, end >> 2);
    if (this.#first.length < end) {
      this.#first = Buffer.alloc(Math.min(this.maxBytes, end + (end >> 3)));
      this.#moved = new Uint8Array(this.#first.length >> 3);
    }
    this.#copy([{ offset: 0, bytes: end }]);
    this.#bytes.set(this.#first.subarray(0, layout.EXTENTS_OFFSET), 0);
    this.#words[layout.EXTENTS_END_INDEX] = end / layout.UNIT_BYTES;
  }

  /** Whether the cell at a float64 index is whole in the copy. */
  isWhole(at: number): boolean {
    return this.#moved[at] === 0;
  }

  /**
   * Copies a cell anew, at most `bytes` long, and calls `read` while it is whole in the buffer. False if its
   * writer did not let that be. `isSpread`: what belongs to the cell lies elsewhere in its slab, too.
   */
  withFresh(at: number, bytes: number, isSpread: boolean, read: () => boolean): boolean {
    for (let tries = 0; tries < TRIES; tries++) {
      this.#readHead(at, this.#head);
      if (isSpread || this.#head[1]! > 0) return this.#retakeSlabOf(at) && read();
      const end = Math.min(at * 8 + bytes, this.#bytes.length);
      const saved = this.#bytes.slice(at * 8, end);
      const fresh = saved.length <= PIECE_BYTES ? this.#piece : Buffer.alloc(saved.length);
      this.#read(fresh, 0, saved.length, at * 8);
      this.#readHead(at, this.#headAgain);
      if (this.#head[0] !== this.#headAgain[0] || this.#head[1] !== this.#headAgain[1]) continue;
      // Its neighbours, which may not be whole, are put back.
      this.#bytes.set(fresh.subarray(0, saved.length), at * 8);
      const done = read();
      this.#bytes.set(saved, at * 8);
      if (done) return true;
    }
    return false;
  }

  #readHead(at: number, into: Int32Array): void {
    this.#read(into, 0, 8, at * 8);
  }

  /** True if the cell is whole now. */
  #retakeSlabOf(at: number): boolean {
    const extents = [...this.#extents()];
    const owner = extents.find(({ offset, bytes }) => at * 8 >= offset && at * 8 < offset + bytes)?.slab;
    const ranges = extents.filter(({ slab }) => slab === owner);
    while (!this.isWhole(at)) {
      if (owner === undefined || ++this.#retakes > MAX_RETAKES) return false;
      this.#copy(ranges);
    }
    return true;
  }

  #copy(ranges: readonly Range[]): void {
    for (const { offset, bytes } of ranges) this.#read(this.#first, offset, bytes, offset);
    for (const { offset, bytes } of ranges) this.#read(this.#bytes, offset, bytes, offset);
    for (const { offset, bytes } of ranges) {
      this.#moved.fill(0, offset >> 3, (offset + bytes) >> 3);
      for (let at = offset; at < offset + bytes; at += PIECE_BYTES)
        this.#compare(at, Math.min(PIECE_BYTES, offset + bytes - at));
    }
    for (const { offset, bytes } of this.#extents())
      if (ranges.some((range) => offset >= range.offset && offset + bytes <= range.offset + range.bytes)) {
        const used = (offset >> 2) + layout.EXTENT_USED_WORD;
        this.#words[used] = this.#first.readInt32LE(used * 4);
      }
  }

  /** Pass 3, of one piece. */
  #compare(offset: number, bytes: number): void {
    const piece = this.#piece;
    this.#read(piece, 0, bytes, offset);
    for (let page = 0; page < bytes; page += PAGE_BYTES) {
      const end = Math.min(bytes, page + PAGE_BYTES);
      const start = offset + page;
      if (piece.compare(this.#first, start, offset + end, page, end) === 0) continue;
      for (let at = page; at < end; at += 8)
        if (piece.compare(this.#first, offset + at, offset + at + 8, at, at + 8) !== 0)
          this.#moved[(offset + at) >> 3] = 1;
    }
  }

  /** The extents that pass 1 found, up to the first that is damaged. */
  *#extents(): Generator<Range & { readonly slab: number }> {
    const end = this.#bytes.length;
    for (let offset: number = layout.EXTENTS_OFFSET; offset < end;) {
      const claim = this.#first.readInt32LE(offset);
      const bytes = (claim & layout.CLAIM_UNITS_MASK) * layout.UNIT_BYTES;
      if (claim <= 0 || bytes === 0 || offset + bytes > end) return;
      yield { slab: (claim >> layout.CLAIM_SLAB_SHIFT) - 1, offset, bytes };
      offset += bytes;
    }
  }

  #read(into: NodeJS.ArrayBufferView, at: number, bytes: number, offset: number): void {
    for (let read = 0; read < bytes;) {
      const more = readSync(this.#fd, into, at + read, bytes - read, offset + read);
      if (more === 0)
        throw new RegionError(
          'E_RANGE',
          `${join(this.directory, REGION_FILE)} was cut off at ${offset + read} bytes`,
        );
      read += more;
    }
  }
}

function openForReading(path: string): number {
  try {
    return openSync(path, FLAGS | (constants.O_NOATIME ?? 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error; // the owner alone may ask for that
    return openSync(path, FLAGS);
  }
}

function asRegionError(path: string, error: unknown): RegionError {
  if (error instanceof RegionError) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return new RegionError(
        'E_TYPE',
        `there is no store in ${path}: name the directory that the app has in SEQLOCK_METRICS_DIRECTORY. This version of seqlock-metrics looks for the file ${REGION_FILE} there`,
      );
    case 'ENOTDIR':
    case 'ELOOP':
      return new RegionError('E_TYPE', `${path} is a link or not a directory, or its store is a link`);
    case 'EACCES':
    case 'EPERM':
      return new RegionError(
        'E_PERM',
        `the store in ${path} cannot be read: run as the user that owns it, or as root`,
      );
    default:
      return new RegionError('E_TYPE', `the store in ${path} cannot be read: ${shortText(error)}`);
  }
}
