/**
 * CRC-32 as `node:zlib` has it (IEEE 802.3, polynomial 0xedb88320 reflected). A call of that one costs as much as all else of a short record, so
 * short runs are done here, byte by byte.
 */
import { crc32 } from 'node:zlib';

/** From here on the call is the faster. */
const LONG = 256;
const POLYNOMIAL = 0xedb88320;
const TABLE: Int32Array = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

/** The CRC of bytes from `start` to `end`, going on from the CRC of what stands before them. */
export function crcOf(bytes: Uint8Array, start: number, end: number, before: number): number {
  if (end - start >= LONG) return crc32(bytes.subarray(start, end), before);
  let crc = ~before;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}
