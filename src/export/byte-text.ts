import { finished, HASH_SEED, hashBytes } from '../base/hash.ts';

const FIRST_BYTES = 1024;
/** Runs up to this length are copied byte by byte, which is faster than a call. */
const SHORT_RUN = 24;
const QUOTE = 34;
const BACKSLASH = 92;
const FIRST_PRINTABLE = 32;
const FIRST_OTHER = 127;

/** A text that is being made: UTF-8 in a buffer that grows and is used again. */
export class ByteText {
  bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  length = 0;

  /** Begins a new text. */
  clear(): void {
    this.length = 0;
  }

  /** Makes room for so many bytes more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * needed);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  copy(from: Uint8Array): void {
    const { length } = from;
    this.reserve(length);
    const to = this.bytes;
    const at = this.length;
    if (length > SHORT_RUN) to.set(from, at);
    else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
    this.length = at + length;
  }

  /** Appends another text. */
  append({ bytes, length }: ByteText): void {
    this.reserve(length);
    if (length > SHORT_RUN) bytes.copy(this.bytes, this.length, 0, length);
    else for (let i = 0; i < length; i++) this.bytes[this.length + i] = bytes[i]!;
    this.length += length;
  }

  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length);
  }

  /**
   * Appends `text` if it is printable ASCII that needs no escaping between quotes. Otherwise returns false
   * and does nothing.
   */
  plain(text: string): boolean {
    this.reserve(text.length);
    const to = this.bytes;
    const at = this.length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < FIRST_PRINTABLE || code >= FIRST_OTHER || code === QUOTE || code === BACKSLASH) return false;
      to[at + i] = code;
    }
    this.length = at + text.length;
    return true;
  }

  equals(other: ByteText): boolean {
    return this.bytes.compare(other.bytes, 0, other.length, 0, this.length) === 0;
  }

  hash(): number {
    return finished(hashBytes(this.bytes, 0, this.length, HASH_SEED));
  }

  toString(): string {
    return this.bytes.toString('utf8', 0, this.length);
  }
}
