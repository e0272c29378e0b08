import type { Attributes } from '@opentelemetry/api';
import type { OtlpWriter } from './otlp-writer.ts';

// Tags of opentelemetry.proto.common.v1: field number * 8 + wire type.
const KEY = 0x0a;
const VALUE = 0x12;
const STRING = 0x0a;
const BOOL = 0x10;
const INT = 0x18;
const DOUBLE = 0x21;
const ARRAY = 0x2a;
const MAP = 0x32;
const BYTES = 0x3a;
const ARRAY_VALUE = 0x0a;
const MAP_VALUE = 0x0a;

/** Writes attributes as `KeyValue`s of the field with this tag. */
export function writeAttributes(writer: OtlpWriter, tag: number, attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes)) {
    const pair = writer.begin(tag);
    writer.text(KEY, key);
    writeAnyValue(writer, VALUE, value);
    writer.end(pair);
  }
}

/**
 * An `AnyValue`: whole numbers as integers, as official exporters do; without a field for what it cannot
 * hold.
 */
function writeAnyValue(writer: OtlpWriter, tag: number, value: unknown): void {
  const message = writer.begin(tag);
  writer.reserve(24);
  if (typeof value === 'string') writer.text(STRING, value);
  else if (typeof value === 'boolean') {
    writer.byte(BOOL);
    writer.byte(value ? 1 : 0);
  } else if (typeof value === 'number') writeNumber(writer, value);
  else if (value instanceof Uint8Array) writer.bytes(BYTES, value);
  else if (Array.isArray(value)) {
    const array = writer.begin(ARRAY);
    for (const element of value) writeAnyValue(writer, ARRAY_VALUE, element);
    writer.end(array);
  } else if (typeof value === 'object' && value !== null) {
    const map = writer.begin(MAP);
    writeAttributes(writer, MAP_VALUE, value as Attributes);
    writer.end(map);
  }
  writer.end(message);
}

const INT64_LIMIT = 2 ** 63;

/** Whether a number is whole and fits in an int64. */
export function isInt64(value: number): boolean {
  return Number.isInteger(value) && value >= -INT64_LIMIT && value < INT64_LIMIT;
}

function writeNumber(writer: OtlpWriter, value: number): void {
  if (!isInt64(value)) {
    writer.byte(DOUBLE);
    writer.double(value);
    return;
  }
  writer.byte(INT);
  if (value >= 0) writer.varint(value);
  else
    for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
      writer.byte(Number(rest & 0x7fn) | (rest >= 0x80n ? 0x80 : 0));
      if (rest < 0x80n) break;
    }
}
