/**
 * Compression in slices, in the thread that serves. Streams of `node:zlib` are not used: they work in the
 * thread pool, where the app's files, names and passwords wait too, so a busy pool would delay every scrape.
 */
import * as zlib from 'node:zlib';
import type { ContentCoding } from './accept.ts';

/**
 * How many bytes are compressed at a time: about a millisecond's work. Pieces are compressed independently,
 * which costs one to three percent of the size.
 */
const PIECE_BYTES = 64 * 1024;
/**
 * Where small pieces are joined. One step at a time uses it: a piece is compressed before the next is made.
 */
const joined = Buffer.allocUnsafeSlow(PIECE_BYTES);
const JOINED: Joining = {
  upTo: PIECE_BYTES,
  join(small) {
    let length = 0;
    for (const piece of small) length += piece.copy(joined, length);
    return joined.subarray(0, length);
  },
};

/** `node:zlib` as it is from 22.15 on; the types here are those of Node 20. */
type ZstdCompressSync = (bytes: Buffer) => Buffer;
const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: ZstdCompressSync };

/** The codings that can be made here. Of equals the first is used. */
export const CODINGS: readonly ContentCoding[] = zstdCompressSync === undefined ? ['gzip'] : ['zstd', 'gzip'];

/**
 * The compressed bytes of `pieces`, one piece at a time. Other work may be done between two pieces. Each has
 * memory of its own: they are kept with the body, and those of Node are parts of larger pools.
 */
export function* compressed(pieces: readonly Buffer[], coding: 'gzip' | 'zstd'): Generator<Buffer> {
  const made =
    coding === 'zstd' && zstdCompressSync !== undefined
      ? zstdFrames(pieces, zstdCompressSync)
      : gzipMember(pieces);
  for (const pooled of made) {
    const own = Buffer.allocUnsafeSlow(pooled.length);
    pooled.copy(own);
    yield own;
  }
}

/** To a receiver, several frames in a row are the same as one frame (RFC 8878). */
function* zstdFrames(pieces: readonly Buffer[], compress: ZstdCompressSync): Generator<Buffer> {
  for (const piece of inPieces(pieces, PIECE_BYTES, JOINED)) yield compress(piece);
  yield compress(Buffer.alloc(0)); // at least one frame, even for an empty body
}

/**
 * One gzip member (RFC 1952). Each piece becomes deflate blocks that end at a byte, as a flush of zlib does
 * it, and none of them is the last; so they are one stream when an empty last block follows.
 *
 *   | header | blocks of piece 0 | blocks of piece 1 | ... | last block | CRC-32 | length |
 */
function* gzipMember(pieces: readonly Buffer[]): Generator<Buffer> {
  yield Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255]); // 4: fastest; 255: of no system
  let crc = 0;
  let length = 0;
  for (const piece of inPieces(pieces, PIECE_BYTES, JOINED)) {
    crc = zlib.crc32(piece, crc);
    length += piece.length;
    yield zlib.deflateRawSync(piece, { level: 1, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  }
  const end = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  end.writeUInt32LE(crc, 2);
  end.writeUInt32LE(length % 2 ** 32, 6);
  yield end;
}

/** How `inPieces` joins small pieces. */
interface Joining {
  /** Joins pieces to at most so many bytes. */
  readonly upTo: number;
  /** Called with several pieces. */
  readonly join: (small: readonly Buffer[]) => Buffer;
}

/** The bytes in pieces. Pieces above twice `size` are cut, small ones are joined. */
export function* inPieces(
  pieces: readonly Buffer[],
  size: number,
  { upTo, join }: Joining,
): Generator<Buffer> {
  let small: Buffer[] = [];
  let bytes = 0;
  for (const piece of pieces) {
    if (piece.length === 0) continue;
    if (bytes + piece.length > upTo && bytes > 0) {
      yield small.length === 1 ? small[0]! : join(small);
      small = [];
      bytes = 0;
    }
    let at = 0;
    while (piece.length - at > 2 * size) yield piece.subarray(at, (at += size));
    small.push(piece.subarray(at));
    bytes += piece.length - at;
  }
  if (bytes > 0) yield small.length === 1 ? small[0]! : join(small);
}
