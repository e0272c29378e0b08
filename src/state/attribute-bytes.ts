/**
 * An attribute value as bytes: a tag, then what it says. Writer and reader side by side.
 *
 *   null, undefined, false, true   nothing
 *   NUMBER                         a float64, little-endian
 *   WHOLE                          a varint: a whole number from 0 to 2^32 - 1
 *   UTF8, UTF16, JSON              a varint, and so many bytes
 *   NUMBERED                       a varint: the number this text has from now on (directory-texts.ts); then as UTF8
 *   KNOWN                          a varint: the number of a text that a record before has given
 *
 * A varint has 7 bits of a number a byte, the lowest first; the highest bit of a byte says that there are more.
 */
import { RegionError } from '../base/errors.ts';
import type { AttributeValue } from './attributes.ts';
import type { DirectoryTexts, TextNumbers } from './directory-texts.ts';

const TAG_NULL = 0;
const TAG_UNDEFINED = 1;
const TAG_FALSE = 2;
const TAG_TRUE = 3;
const TAG_NUMBER = 4;
const TAG_UTF8 = 5;
const TAG_UTF16 = 6; // strings with lone surrogates, which UTF-8 cannot hold
const TAG_JSON = 7;
const TAG_WHOLE = 8;
const TAG_NUMBERED = 9;
const TAG_KNOWN = 10;

/** The number as a varint. Whole, from 0 to 2^32 - 1. */
export function varint(number: number): Buffer {
  const bytes: number[] = [];
  let rest = number;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** The value as bytes; a text by its number in `texts`, if it has one or may be given one. */
export function encodeValue(value: AttributeValue, texts: TextNumbers): Buffer {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value)
        ? encodeText(value, texts)
        : taggedBytes(TAG_UTF16, Buffer.from(value, 'utf16le'));
    case 'number': {
      if (value >>> 0 === value && !Object.is(value, -0)) return tagged(TAG_WHOLE, varint(value));
      const bytes = Buffer.alloc(9);
      bytes[0] = TAG_NUMBER;
      bytes.writeDoubleLE(value, 1);
      return bytes;
    }
    case 'boolean':
      return Buffer.of(value ? TAG_TRUE : TAG_FALSE);
    case 'undefined':
      return Buffer.of(TAG_UNDEFINED);
    default:
      return value === null
        ? Buffer.of(TAG_NULL)
        : taggedBytes(TAG_JSON, Buffer.from(JSON.stringify(value), 'utf8'));
  }
}

function encodeText(text: string, texts: TextNumbers): Buffer {
  const known = texts.numberOf(text);
  if (known !== undefined) return tagged(TAG_KNOWN, varint(known));
  const bytes = Buffer.from(text, 'utf8');
  const number = texts.take(text);
  return number === undefined
    ? taggedBytes(TAG_UTF8, bytes)
    : tagged(TAG_NUMBERED, varint(number), varint(bytes.length), bytes);
}

function tagged(tag: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(tag), ...parts]);
}

function taggedBytes(tag: number, bytes: Buffer): Buffer {
  return tagged(tag, varint(bytes.length), bytes);
}

/** Reads varints and values of a record one after the other. Its methods throw a `RegionError` where the record ends before them. */
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

  /** `texts`: of the directory the record is in. A text that has a number from now on is told to it. */
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
      case TAG_TRUE:
        return true;
      case TAG_FALSE:
        return false;
      case TAG_UNDEFINED:
        return undefined;
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
