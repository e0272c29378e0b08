/**
 * CRC-32 as `node:zlib` computes it (IEEE 802.3, polynomial 0xedb88320 reflected). One call of `node:zlib`
 * costs as much as all other work on a short record. So short runs are computed here, four bytes at a time
 * (Intel, "slicing-by-4": table k has the CRC of a byte that k zeros follow).
 */
import { crc32 } from 'node:zlib';

/** From this length on `node:zlib` is faster. */
const LONG = 512;
const POLYNOMIAL = 0xedb88320;
const T0 = new Int32Array(256);
const T1 = new Int32Array(256);
const T2 = new Int32Array(256);
const T3 = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  T0[byte] = crc;
}
for (let byte = 0; byte < 256; byte++) {
  T1[byte] = (T0[byte]! >>> 8) ^ T0[T0[byte]! & 0xff]!;
  T2[byte] = (T1[byte]! >>> 8) ^ T0[T1[byte]! & 0xff]!;
  T3[byte] = (T2[byte]! >>> 8) ^ T0[T2[byte]! & 0xff]!;
}

/** The CRC of the bytes from `start` to `end`, continued from the CRC of the bytes before them. */
export function crcOf(bytes: Uint8Array, start: number, end: number, before: number): number {
  if (end - start >= LONG) return crc32(bytes.subarray(start, end), before);
  let crc = ~before;
  let i = start;
  for (; i + 4 <= end; i += 4)
    crc =
      T3[(crc ^ bytes[i]!) & 0xff]! ^
      T2[((crc >>> 8) ^ bytes[i + 1]!) & 0xff]! ^
      T1[((crc >>> 16) ^ bytes[i + 2]!) & 0xff]! ^
      T0[(crc >>> 24) ^ bytes[i + 3]!]!;
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
