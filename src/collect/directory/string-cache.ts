import { finished, hashBytes } from '../../base/hash.ts';

/** Longer texts are rarely met twice. */
const LONGEST = 64;
const SLOTS = 4096;

/**
 * Texts by their bytes. A text that was met before is neither decoded nor made again; most attribute values
 * come again in other series. Of several texts with one slot, the last is kept.
 */
export class StringCache {
  readonly #texts: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The text of UTF-8 bytes. */
  text(bytes: Buffer, start: number, end: number): string {
    if (end - start > LONGEST) return bytes.toString('utf8', start, end);
    const slot = finished(hashBytes(bytes, start, end, 0)) & (SLOTS - 1);
    const known = this.#texts[slot];
    if (known !== undefined && isAscii(known, bytes, start, end)) return known;
    const text = bytes.toString('utf8', start, end);
    // ASCII texts alone are kept: `isAscii` would take other texts for one that is not.
    if (text.length === end - start) this.#texts[slot] = text;
    return text;
  }
}

function isAscii(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}
