/** Longer texts are rarely met twice. */
const LONGEST = 64;
const SLOTS = 4096;

/**
 * Texts by their bytes: one that was met before is neither decoded nor made again. Most attribute values come again in other series. Keeps
 * the text met last of those that share a slot.
 */
export class StringCache {
  readonly #texts: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  /** The text of UTF-8 bytes. */
  text(bytes: Buffer, start: number, end: number): string {
    let hash = 0x811c9dc5; // FNV-1a
    let seen = 0;
    if (end - start <= LONGEST)
      for (let i = start; i < end; i++) {
        const byte = bytes[i]!;
        seen |= byte;
        hash = Math.imul(hash ^ byte, 0x01000193);
      }
    if (end - start > LONGEST || seen >= 0x80) return bytes.toString('utf8', start, end);
    const slot = (hash ^ (hash >>> 12)) & (SLOTS - 1);
    const known = this.#texts[slot];
    if (known !== undefined && isAscii(known, bytes, start, end)) return known;
    return (this.#texts[slot] = bytes.toString('latin1', start, end));
  }
}

function isAscii(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}
