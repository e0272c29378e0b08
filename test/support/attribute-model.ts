/** What the identity of an attribute set is, said in the plainest way: a text of its entries sorted by key. */
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { canonicalAttributes, type CanonicalAttributes } from '../../src/state/attributes.ts';

export function canonical(attributes: unknown): CanonicalAttributes {
  return canonicalAttributes(attributes, () => {});
}

export function identityOf(attributes: object): string {
  const entries = Object.entries(attributes)
    .filter(([key, value]) => key !== '' && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries.map(([key, value]) => [key, textOf(value)]));
}

/** Numbers and bytes as Node shows them, but for -0; everything else as JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'number') return inspect(value + 0);
  return value instanceof Uint8Array ? inspect([...value]) : `JSON ${JSON.stringify(value)}`;
}

/** An object with its keys in this order. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const attributes = {};
  for (const [key, value] of entries)
    Object.defineProperty(attributes, key, { value, enumerable: true, configurable: true, writable: true });
  return attributes;
}

const keys = fc.constantFrom('a', 'b', 'c', 'method', 'status', '__proto__', 'constructor', '', '7', '10');
const values = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', '', '1', 'true', 'null') },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      0,
      -0,
      1,
      2,
      15,
      16,
      17,
      1023,
      1024,
      1025,
      -1,
      0.5,
      2 ** 31,
      2 ** 32,
      2 ** 32 + 1,
      1e300,
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom(true, false, null, undefined, NaN, Infinity, -Infinity) },
  { weight: 2, arbitrary: fc.integer({ min: -2000, max: 2000 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>([], [1], ['1'], [null], {}, { x: 1 }, new Date(0), Buffer.from('b')),
  },
);

/** Attribute objects over a few keys and values, in any order of keys, so that identities and shapes meet often. */
export const attributeObjects: fc.Arbitrary<object> = fc
  .uniqueArray(fc.tuple(keys, values), { selector: ([key]) => key, maxLength: 5 })
  .map(objectOf);
