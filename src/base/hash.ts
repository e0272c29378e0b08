/**
 * Hashes for tables of this process: MurmurHash3 for 32 bits (Austin Appleby, public domain), four bytes or
 * two characters at a time. FNV-1a takes one step for each byte, which would be a third of the time in which
 * a directory is read.
 *
 *   finished(hashText('b', 0, 1, hashBytes(bytes, 0, 7, seed)))
 *
 * Tables begin from `HASH_SEED`, which differs in each realm, so that nobody outside can choose texts that
 * share a hash. Not guaranteed: the same hashes in another version.
 */
export const HASH_SEED: number = (Math.random() * 2 ** 32) | 0;

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/** Goes on from `seed` with bytes. */
export function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  for (; i + 4 <= end; i += 4)
    hash = withWord(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  let rest = 0;
  for (; i < end; i++) rest = (rest << 8) | bytes[i]!;
  return withWord(hash, rest);
}

/** Goes on from `seed` with characters, as they are in UTF-16. */
export function hashText(text: string, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start);
  let i = start;
  // Two to a word: more would overlap, and texts that share a word share a hash whatever the seed.
  for (; i + 2 <= end; i += 2) hash = withWord(hash, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
  return i < end ? withWord(hash, text.charCodeAt(i)) : hash;
}

/** Goes on with an int32. */
export function withWord(hash: number, word: number): number {
  let mixed = Math.imul(word, C1);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), C2);
  const next = hash ^ mixed;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}

/** The last step: every bit of the hash then depends on every bit of what was hashed. An int32. */
export function finished(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
