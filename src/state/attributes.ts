import { shortText } from '../base/errors.ts';

/**
 * An attribute value as a series keeps it: scalars unchanged, arrays and objects as read back from their
 * JSON.
 */
export type AttributeValue = string | number | boolean | null | object;

/**
 * The identity of a series within its stream, independent of the order in which a caller wrote the
 * attributes.
 */
export interface CanonicalAttributes {
  /** Own enumerable keys, sorted by UTF-16 code units. */
  readonly keys: readonly string[];
  /** A copy of their values: the caller may change its object afterwards. */
  readonly values: readonly AttributeValue[];
}

/** Called for each thing in an attribute object that could not be used as it is. */
export type OnUnusable = (cause: string, message: string) => void;

export const NO_ATTRIBUTES: CanonicalAttributes = { keys: [], values: [] };

/**
 * The attribute set of the series that takes what exceeds the cardinality limit (specification, metrics SDK).
 */
export const OVERFLOW_ATTRIBUTES: CanonicalAttributes = { keys: ['otel.metric.overflow'], values: [true] };

/**
 * Copies and sorts whatever was passed as attributes. Never throws: what cannot be read or kept becomes the
 * nearest value that can, and `onUnusable` is called for it.
 *
 * Keys that `keeps` refuses are left out, and so are keys whose value is undefined: `{ user: undefined }` is
 * `{}`.
 *
 * - nothing, or a value that is no plain object: no attributes
 * - functions and symbols: null; bigint: its decimal string; circular or throwing values: null
 */
export function canonicalAttributes(
  attributes: unknown,
  onUnusable: OnUnusable,
  keeps?: (key: string) => boolean,
): CanonicalAttributes {
  if (attributes === undefined || attributes === null) return NO_ATTRIBUTES;
  let keys: string[];
  try {
    if (typeof attributes !== 'object' || Array.isArray(attributes)) {
      onUnusable(
        'not-an-object',
        `attributes must be an object, got ${shortText(attributes)}; the measurement is recorded without attributes`,
      );
      return NO_ATTRIBUTES;
    }
    keys = Object.keys(attributes).sort();
    if (keeps !== undefined) keys = keys.filter(keeps);
  } catch {
    onUnusable(
      'no-keys',
      'the keys of an attribute object cannot be read; the measurement is recorded without attributes',
    );
    return NO_ATTRIBUTES;
  }
  if (keys.length === 0) return NO_ATTRIBUTES;
  const kept: string[] = [];
  const values: AttributeValue[] = [];
  for (const key of keys) {
    const value = valueOf(attributes as Record<string, unknown>, key, onUnusable);
    if (value === undefined) continue;
    kept.push(key);
    values.push(value);
  }
  return { keys: kept, values };
}

function valueOf(
  attributes: Record<string, unknown>,
  key: string,
  onUnusable: OnUnusable,
): AttributeValue | undefined {
  try {
    const value = attributes[key];
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'undefined':
        return value;
      case 'bigint':
        onUnusable(
          `bigint ${key}`,
          `attribute ${shortText(key)} is a bigint, which is recorded as a string; pass a string or a number`,
        );
        return String(value);
      case 'object':
        if (value === null) return null;
        return JSON.parse(JSON.stringify(value) ?? 'null') as AttributeValue;
      default:
        return null;
    }
  } catch (error) {
    onUnusable(
      `unusable ${key}`,
      `attribute ${shortText(key)} cannot be read (${shortText(error)}); its value is recorded as null`,
    );
    return null;
  }
}

/**
 * What two values have in common when they are the same attribute. Strings, booleans and finite numbers: the
 * value itself. Everything that JSON writes as null (null, NaN, infinities): `null`, as in the official SDK.
 * Arrays and objects have a text identity of their own, see `textIdentity`.
 */
export function scalarIdentity(value: Exclude<AttributeValue, object>): string | number | boolean | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  return value;
}

/** Identity of an array or object: its JSON. */
export function textIdentity(value: object): string {
  return JSON.stringify(value);
}
