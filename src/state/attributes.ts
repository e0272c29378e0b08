import { types } from 'node:util';
import { shortText } from '../base/errors.ts';

/**
 * An attribute value as a series keeps it (specification, AnyValue): scalars and bytes as they are, `null`
 * for an empty value, arrays and objects as read back from their JSON. JSON has no form for some values
 * within them: NaN and the infinities are texts there, and so are bytes, as base64.
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

/**
 * How long the text of an attribute value may be where nobody says otherwise, in UTF-16 code units: twice
 * what large backends take, and little enough for 2,000 series to fit into a store.
 */
export const DEFAULT_VALUE_LENGTH = 4096;

/** How deep arrays and objects of a value may be nested (specification, attribute limits). */
const MAX_DEPTH = 64;

export const NO_ATTRIBUTES: CanonicalAttributes = { keys: [], values: [] };

/**
 * The attribute set of the series that takes what exceeds the cardinality limit (specification, metrics SDK).
 */
export const OVERFLOW_ATTRIBUTES: CanonicalAttributes = { keys: ['otel.metric.overflow'], values: [true] };

/**
 * Copies and sorts whatever was passed as attributes. Never throws: what cannot be read or kept becomes the
 * nearest value that can, and `onUnusable` is called for it.
 *
 * Keys that `keeps` refuses are left out, and so are the empty key, which is none (specification, attribute),
 * and keys whose value is undefined: `{ user: undefined }` is `{}`. Texts are cut at `maxLength` UTF-16 code
 * units, and bytes at as many.
 *
 * - nothing, or a value that is no plain object: no attributes
 * - functions and symbols: null; bigint: its decimal string; circular or throwing values: null
 */
export function canonicalAttributes(
  attributes: unknown,
  onUnusable: OnUnusable,
  keeps?: (key: string) => boolean,
  maxLength: number = Infinity,
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
  if (keys[0] === '') {
    onUnusable('empty key', 'an attribute has the empty key; it is left out. Give the attribute a name');
    keys.shift();
  }
  if (keys.length === 0) return NO_ATTRIBUTES;
  const kept: string[] = [];
  const values: AttributeValue[] = [];
  for (const key of keys) {
    const value = new GivenValue(key, maxLength, onUnusable).read(attributes as Record<string, unknown>);
    if (value === undefined) continue;
    kept.push(key);
    values.push(value);
  }
  return { keys: kept, values };
}

/** One attribute of an object that a caller passed. */
class GivenValue {
  readonly #key: string;
  readonly #maxLength: number;
  readonly #onUnusable: OnUnusable;
  /** The arrays and objects around the value that is being read. */
  readonly #around: object[] = [];

  constructor(key: string, maxLength: number, onUnusable: OnUnusable) {
    this.#key = key;
    this.#maxLength = maxLength;
    this.#onUnusable = onUnusable;
  }

  /** Undefined for no attribute. */
  read(attributes: Readonly<Record<string, unknown>>): AttributeValue | undefined {
    try {
      const value = attributes[this.#key];
      if (typeof value === 'number' || value === undefined) return value;
      if (types.isUint8Array(value)) return this.#bytes(value);
      return this.#plain(value) ?? null;
    } catch (error) {
      this.#onUnusable(
        `unusable ${this.#key}`,
        `attribute ${shortText(this.#key)} cannot be read (${shortText(error)}); its value is recorded as null`,
      );
      return null;
    }
  }

  /** What JSON reads back of a value; undefined for what it leaves out. */
  #plain(given: unknown): AttributeValue | undefined {
    const value = jsonForm(given);
    switch (typeof value) {
      case 'string':
        return this.#text(value);
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'bigint':
        this.#onUnusable(
          `bigint ${this.#key}`,
          `attribute ${shortText(this.#key)} is a bigint, which is recorded as a string; pass a string or a number`,
        );
        return String(value);
      case 'object':
        return value === null ? null : this.#nested(value);
      default:
        return undefined;
    }
  }

  #nested(value: object): AttributeValue {
    if (types.isUint8Array(value)) return Buffer.from(this.#bytes(value)).toString('base64');
    if (this.#around.includes(value)) throw new TypeError('it contains itself');
    if (this.#around.length === MAX_DEPTH) return null;
    this.#around.push(value);
    const copy = Array.isArray(value)
      ? Array.from(value, (element) => this.#plain(element) ?? null)
      : Object.fromEntries(
          // Objects are equal whatever the order of their keys (specification, map).
          Object.keys(value)
            .sort()
            .map((key) => [key, this.#plain((value as Record<string, unknown>)[key])])
            .filter(([, one]) => one !== undefined),
        );
    this.#around.pop();
    return copy;
  }

  #text(text: string): string {
    if (text.length <= this.#maxLength) return text;
    this.#tellOfLength(`${text.length} characters`);
    // No half of a pair of surrogates is left at the end.
    return text.slice(0, this.#maxLength).replace(/[\ud800-\udbff]$/, '');
  }

  #bytes(bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.#maxLength) this.#tellOfLength(`${bytes.length} bytes`);
    return new Uint8Array(bytes.subarray(0, this.#maxLength));
  }

  #tellOfLength(length: string): void {
    this.#onUnusable(
      `length ${this.#key}`,
      `attribute ${shortText(this.#key)} has a value of ${length}, which is cut at ${this.#maxLength}. Values that begin alike become one series. Record shorter values, or raise attributeValueLengthLimit of the SeqlockMeterProvider`,
    );
  }
}

/** What JSON writes in place of an object that says it itself, or is a boxed scalar. */
function jsonForm(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || types.isUint8Array(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === 'function') return toJSON.call(value, '') as unknown;
  return types.isBoxedPrimitive(value) ? value.valueOf() : value;
}

/**
 * Whether two values are one attribute (specification, attribute): NaN is, with itself, and 0 is with -0.
 */
export function areSameValue(a: AttributeValue, b: AttributeValue): boolean {
  if (isComposite(a)) return isComposite(b) && textIdentity(a) === textIdentity(b);
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

/** True for arrays, objects and bytes, whose identity is a text. */
export function isComposite(value: AttributeValue): value is object {
  return typeof value === 'object' && value !== null;
}

/** Identity of an array or object: its JSON. Of bytes: a text that is no JSON. */
export function textIdentity(value: object): string {
  return types.isUint8Array(value) ? Buffer.from(value).toString('base64') : JSON.stringify(value);
}

/** A value in JSON, by the rules for values within arrays. */
export function jsonOfValue(value: AttributeValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`;
  return JSON.stringify(types.isUint8Array(value) ? textIdentity(value) : value);
}
