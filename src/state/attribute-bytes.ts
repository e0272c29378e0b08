/**
 * An attribute value as bytes: a tag, then nothing (null, undefined, false, true), a float64, or a u32 length and so many bytes.
 * Little-endian. Writer and reader side by side.
 */
import type { AttributeValue } from './attributes.ts';

const TAG_NULL = 0;
const TAG_UNDEFINED = 1;
const TAG_FALSE = 2;
const TAG_TRUE = 3;
const TAG_NUMBER = 4;
const TAG_UTF8 = 5;
const TAG_UTF16 = 6; // strings with lone surrogates, which UTF-8 cannot hold
const TAG_JSON = 7;

export function encodeValue(value: AttributeValue): Buffer {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value)
        ? taggedBytes(TAG_UTF8, Buffer.from(value, 'utf8'))
        : taggedBytes(TAG_UTF16, Buffer.from(value, 'utf16le'));
    case 'number': {
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

function taggedBytes(tag: number, bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head[0] = tag;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** How many bytes the value at `at` has. */
export function valueBytes(payload: Buffer, at: number): number {
  switch (payload[at]) {
    case TAG_NUMBER:
      return 9;
    case TAG_UTF8:
    case TAG_UTF16:
    case TAG_JSON:
      return 5 + payload.readUInt32LE(at + 1);
    default:
      return 1;
  }
}

/** Makes a text of the UTF-8 bytes from `start` to `end`. */
export type TextOfBytes = (bytes: Buffer, start: number, end: number) => string;

export const utf8Text: TextOfBytes = (bytes, start, end) => bytes.toString('utf8', start, end);

export function decodeValue(payload: Buffer, at: number, textOf: TextOfBytes): AttributeValue {
  const end = at + valueBytes(payload, at);
  switch (payload[at]) {
    case TAG_NUMBER:
      return payload.readDoubleLE(at + 1);
    case TAG_UTF8:
      return textOf(payload, at + 5, end);
    case TAG_UTF16:
      return payload.toString('utf16le', at + 5, end);
    case TAG_JSON:
      return JSON.parse(payload.toString('utf8', at + 5, end)) as object;
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

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}
