/** Zstandard where Node has it; the types here are those of Node 20. */
import * as zlib from 'node:zlib';

const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: (bytes: Buffer) => Buffer };

export const hasZstd: boolean = zstdDecompressSync !== undefined;

/** How a frame begins (RFC 8878, 3.1.1). */
const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What frames in a row say. Node 22 reads one frame alone, so each is read by itself. */
export function zstdText(frames: Buffer): Buffer {
  const texts: Buffer[] = [];
  for (let at = 0; at < frames.length;) {
    const next = frames.indexOf(MAGIC, at + MAGIC.length);
    const end = next === -1 ? frames.length : next;
    texts.push(zstdDecompressSync!(frames.subarray(at, end)));
    at = end;
  }
  return Buffer.concat(texts);
}
