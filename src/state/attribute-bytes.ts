/**
 * An attribute value as bytes: a tag, then its content. Writer and reader are side by side.
 *
 *   null, false, true              nothing
 *   NUMBER                         a float64, little-endian
 *   WHOLE                          a varint: a whole number from 0 to 2^32 - 1
 *   UTF8, UTF16, JSON, BYTES       a varint, and so many bytes
 *   NUMBERED                       a varint: the number this text has from now on (directory-texts.ts); then
 *                                  as UTF8
 *   KNOWN                          a varint: the number of a text that a record before has given
 *
 * A varint has 7 bits of a number a byte, the lowest first; the highest bit of a byte says that there are
 * more.
 */
import { types } from 'node:util';
import { RegionError } from '../base/errors.ts';
import type { AttributeValue } from './attributes.ts';
import type { DirectoryTexts, TextNumbers } from './directory-texts.ts';

const TAG_NULL = 0;
const TAG_FALSE = 2;
const TAG_TRUE = 3;
const TAG_NUMBER = 4;
const TAG_UTF8 = 5;
const TAG_UTF16 = 6; // strings with lone surrogates, which UTF-8 cannot hold
const TAG_JSON = 7;
const TAG_WHOLE = 8;
const TAG_NUMBERED = 9;
const TAG_KNOWN = 10;
const TAG_BYTES = 11;

/** Large enough for most records of series. */
const FIRST_BYTES = 128;
const MAX_VARINT_BYTES = 5;

/** Writes numbers and values of a record one after the other. */
export class ValueWriter {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  /** What was written so far. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  uint32(number: number): void {
    const at = this.#add(4);
    this.#bytes.writeUInt32LE(number, at);
  }

  double(number: number): void {
    const at = this.#add(8);
    this.#bytes.writeDoubleLE(number, at);
  }

  /** A whole number from 0 to 2^32 - 1. */
  varint(number: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    let rest = number;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /** A text by its number in `texts`, if it has one or may be given one. */
  value(value: AttributeValue, texts: TextNumbers): void {
    switch (typeof value) {
      case 'string':
        if (isWellFormed(value)) this.#text(value, texts);
        else this.#encoded(TAG_UTF16, value, 'utf16le');
        return;
      case 'number':
        if (value >>> 0 === value && !Object.is(value, -0)) {
          this.#tag(TAG_WHOLE);
          this.varint(value);
        } else {
          this.#tag(TAG_NUMBER);
          this.double(value);
        }
        return;
      case 'boolean':
        this.#tag(value ? TAG_TRUE : TAG_FALSE);
        return;
      default:
        if (value === null) this.#tag(TAG_NULL);
        else if (types.isUint8Array(value)) {
          this.#tag(TAG_BYTES);
          this.varint(value.length);
          const at = this.#add(value.length);
          this.#bytes.set(value, at);
        } else this.#encoded(TAG_JSON, JSON.stringify(value), 'utf8');
    }
  }

  #text(text: string, texts: TextNumbers): void {
    const known = texts.numberOf(text);
    const number = known ?? texts.take(text);
    if (number !== undefined) {
      this.#tag(known === undefined ? TAG_NUMBERED : TAG_KNOWN);
      this.varint(number);
    } else this.#tag(TAG_UTF8);
    if (known === undefined) this.#characters(text, 'utf8');
  }

  #encoded(tag: number, text: string, encoding: BufferEncoding): void {
    this.#tag(tag);
    this.#characters(text, encoding);
  }

  /** Their length, then the bytes. */
  #characters(text: string, encoding: BufferEncoding): void {
    const length = Buffer.byteLength(text, encoding);
    this.varint(length);
    const at = this.#add(length);
    this.#bytes.write(text, at, encoding);
  }

  #tag(tag: number): void {
    const at = this.#add(1);
    this.#bytes[at] = tag;
  }

  /** The index at which so many further bytes begin. Call it first: it may replace `#bytes`. */
  #add(bytes: number): number {
    this.#reserve(bytes);
    const at = this.#length;
    this.#length += bytes;
    return at;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const more = Buffer.allocUnsafe(2 * (this.#length + bytes));
    more.set(this.written);
    this.#bytes = more;
  }
}

/**
 * Reads varints and values of a record, one after the other. Its methods throw a `RegionError` when the
 * record ends before they are done.
 */
export class ValueReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** Of the bytes from `start` to `end`. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  varint(): number {
    let number = 0;
    for (let weight = 1; weight <= 2 ** 28; weight *= 0x80) {
      const byte = this.#bytes[this.#take(1)]!;
      number += (byte & 0x7f) * weight;
      if (byte < 0x80) return number;
    }
    throw new RegionError('E_RANGE', 'a directory record has a number of too many bytes');
  }

  /** `texts`: those of the directory the record is in. It learns each text that gets a number here. */
  value(texts: DirectoryTexts): AttributeValue {
    switch (this.#bytes[this.#take(1)]) {
      case TAG_NUMBER:
        return this.#bytes.readDoubleLE(this.#take(8));
      case TAG_WHOLE:
        return this.varint();
      case TAG_KNOWN:
        return texts.get(this.varint());
      case TAG_NUMBERED: {
        const number = this.varint();
        const text = this.#text(texts);
        texts.set(number, text);
        return text;
      }
      case TAG_UTF8:
        return this.#text(texts);
      case TAG_UTF16:
        return this.#taken('utf16le');
      case TAG_JSON:
        return JSON.parse(this.#taken('utf8')) as object;
      case TAG_BYTES: {
        const length = this.varint();
        const start = this.#take(length);
        return Uint8Array.from(this.#bytes.subarray(start, start + length));
      }
      case TAG_TRUE:
        return true;
      case TAG_FALSE:
        return false;
      default:
        return null;
    }
  }

  #text(texts: DirectoryTexts): string {
    const length = this.varint();
    const start = this.#take(length);
    return texts.textOf(this.#bytes, start, start + length);
  }

  #taken(encoding: BufferEncoding): string {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.toString(encoding, start, start + length);
  }

  /** Where the next bytes are. */
  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#end)
      throw new RegionError('E_RANGE', 'a directory record ends within the attributes of its series');
    return at;
  }
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
