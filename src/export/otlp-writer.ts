import { hrTimeOf } from '../collect/hr-time.ts';

/** Room that `begin` leaves for a length: enough for 2 GiB. */
const LENGTH_BYTES = 5;
const TWO_POW_32 = 4_294_967_296;
const FIRST_BYTES = 65_536;

/** A time in nanoseconds since the epoch, as the two halves of a fixed64. */
interface Nanoseconds {
  readonly low: number;
  readonly high: number;
}

/**
 * Writes protobuf messages of OTLP, one after the other, into memory that it keeps from message to message.
 * Nested messages are written in place: `begin` leaves room for a length, which `end` fills in.
 */
export class OtlpWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #room = FIRST_BYTES;

  /** Where the next byte goes. */
  get at(): number {
    return this.#at;
  }

  /** Makes room for so many bytes; nothing else does, but for texts and bytes. */
  reserve(bytes: number): void {
    if (this.#at + bytes <= this.#room) return;
    const longer = new Uint8Array(2 * (this.#at + bytes));
    longer.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = longer;
    this.#view = new DataView(longer.buffer);
    this.#room = longer.length;
  }

  /** A varint from 0 to 2**53. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** One byte: the tag of a field below 16, or a small varint. */
  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  double(value: number): void {
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A whole number of 64 bits, from -2**53 to 2**53. */
  fixed64(value: number): void {
    const high = Math.floor(value / TWO_POW_32);
    this.#view.setUint32(this.#at, value - high * TWO_POW_32, true);
    this.#view.setInt32(this.#at + 4, high, true);
    this.#at += 8;
  }

  time({ low, high }: Nanoseconds): void {
    this.#view.setUint32(this.#at, low, true);
    this.#view.setUint32(this.#at + 4, high, true);
    this.#at += 8;
  }

  /** `tag`: of a field of bytes. */
  bytes(tag: number, bytes: Uint8Array): void {
    this.reserve(bytes.length + 12);
    this.varint(tag);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** `tag`: of a field of text. */
  text(tag: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.reserve(length + 12);
    this.varint(tag);
    this.varint(length);
    Buffer.from(this.#bytes.buffer).write(text, this.#at);
    this.#at += length;
  }

  /** Bytes that were written before; there must be room. */
  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Opens a nested message. Pass the result to `end`. */
  begin(tag: number): number {
    this.reserve(12);
    this.varint(tag);
    this.#at += LENGTH_BYTES;
    return this.#at;
  }

  /** The length is a varint of five bytes, which the format allows. */
  end(start: number): void {
    let length = this.#at - start;
    for (let i = LENGTH_BYTES; i > 1; i--) {
      this.#bytes[start - i] = (length % 0x80) | 0x80;
      length = Math.floor(length / 0x80);
    }
    this.#bytes[start - 1] = length;
  }

  /** All that was written, where it lies: it is there until `clear`. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Begins the next message. */
  clear(): void {
    this.#at = 0;
  }

  /** A copy of what was written from `start` on; it is gone from here then. */
  cut(start: number): Uint8Array<ArrayBuffer> {
    const copy = this.#bytes.slice(start, this.#at);
    this.#at = start;
    return copy;
  }
}

/** Times as OTLP has them. Equal times in a row are worked out once. */
export class OtlpTimes {
  #millis = NaN;
  #time: Nanoseconds = { low: 0, high: 0 };

  /** `millis`: since the epoch. */
  of(millis: number): Nanoseconds {
    if (millis !== this.#millis) {
      this.#millis = millis;
      this.#time = nanosecondsOf(...hrTimeOf(millis));
    }
    return this.#time;
  }
}

/**
 * Without BigInt. A float64 cannot hold the product of both: seconds are taken apart at 2**16, so that all
 * parts are whole numbers below 2**53.
 */
export function nanosecondsOf(seconds: number, nanos: number): Nanoseconds {
  const lower = (seconds % 65_536) * 1e9 + nanos;
  const upper = Math.floor(seconds / 65_536) * 1e9 + Math.floor(lower / 65_536);
  return { low: (upper % 65_536) * 65_536 + (lower % 65_536), high: Math.floor(upper / 65_536) };
}
