/** Values that nobody should pass as attributes, and somebody will. */
import * as fc from 'fast-check';

function thrower(): never {
  throw new Error('getter on purpose');
}

/** Each made anew, so that one test does not use up the next one's. */
export const hostileValues: Readonly<Record<string, () => unknown>> = {
  null: () => null,
  undefined: () => undefined,
  NaN: () => NaN,
  'minus zero': () => -0,
  infinity: () => -Infinity,
  'a bigint': () => 2n ** 70n,
  'a symbol': () => Symbol('s'),
  'a function': () => thrower,
  'a class': () => class Anything {},
  'a string of lone surrogates': () => '\ud800a\udc00\udfff',
  'a string with zeros': () => 'a\0b\0',
  'a string of 1 MB': () => 'x'.repeat(2 ** 20),
  'an array': () => ['a', 1, null],
  'a sparse array': () => [, 1], // eslint-disable-line no-sparse-arrays
  'a nested array': () => [[[['deep']]], { a: [] }],
  'a date': () => new Date(0),
  'an invalid date': () => new Date(NaN),
  'a map': () => new Map([[1, 2]]),
  'a typed array': () => new Float64Array(3),
  'a buffer': () => Buffer.from('bytes'),
  'a regular expression': () => /x/g,
  'an error': () => new Error('e'),
  'a boxed number': () => new Number(4),
  'a promise': () => Promise.resolve(1),
  'a proxy': () => new Proxy({ a: 1 }, {}),
  'an object without prototype': () => Object.assign(Object.create(null) as object, { a: 1 }),
  'an object with a __proto__ key': () => JSON.parse('{"__proto__":{"x":1}}') as object,
  'a frozen object': () => Object.freeze({ a: 1 }),
  'a circular object': () => {
    const circular: Record<string, unknown> = {};
    return (circular['self'] = circular);
  },
  'an object with a throwing getter': () => Object.defineProperty({}, 'k', { get: thrower, enumerable: true }),
  'an object with a throwing toJSON': () => ({ toJSON: thrower }),
  'an object whose toJSON throws a hostile thing': () => ({
    toJSON: () => {
      throw hostileValues['a revoked proxy']!();
    },
  }),
  'a getter that throws a symbol': () =>
    Object.defineProperty({}, 'k', {
      get: () => {
        throw Symbol('thrown');
      },
      enumerable: true,
    }),
  'an object with a throwing toString': () => ({ toString: thrower, [Symbol.toPrimitive]: thrower }),
  'an error with throwing properties': () =>
    Object.defineProperties(new Error('e'), { message: { get: thrower }, name: { get: thrower }, toString: { get: thrower } }),
  'an object with a throwing tag': () => Object.defineProperty({ toJSON: thrower }, Symbol.toStringTag, { get: thrower }),
  'a proxy that throws at everything': () =>
    new Proxy({}, new Proxy({}, { get: thrower }) as ProxyHandler<object>),
  'a proxy that lists keys it does not have': () =>
    new Proxy({}, { ownKeys: () => ['a', 'b'], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a revoked proxy of an array': () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
  'an array nested 20,000 deep': () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 20_000; i++) deep = [deep];
    return deep;
  },
  'an object with 1000 keys': () => Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, i])),
};

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '__proto__', 'constructor', 'toString', 'otel.metric.overflow', '0', '-1', '\ud800', 'a\0'),
);

/** A value made when it is called for: fast-check itself would stumble over the hostile ones. */
type Make = () => unknown;

const plainly = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<Make> => values.map((value) => () => value);

/** Attribute values: mostly plain, some odd, some hostile. */
export const anyValue: fc.Arbitrary<Make> = fc.oneof(
  { weight: 6, arbitrary: plainly(oddText) },
  { weight: 4, arbitrary: plainly(fc.oneof(fc.integer({ min: -3, max: 2000 }), fc.double(), fc.constantFrom(-0, 1024, 1023, 2 ** 31, 2 ** 32, 0.5))) },
  { weight: 2, arbitrary: plainly(fc.boolean()) },
  { weight: 2, arbitrary: plainly(fc.constantFrom(null, undefined, NaN, Infinity)) },
  { weight: 2, arbitrary: plainly(fc.array(fc.oneof(oddText, fc.double(), fc.constant(null)), { maxLength: 3 })) },
  { weight: 1, arbitrary: plainly(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true })) },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values(hostileValues)) },
);

const attributeObject: fc.Arbitrary<Make> = fc
  .array(fc.tuple(oddText, anyValue), { maxLength: 6 })
  .map((entries) => () => {
    const attributes = {};
    for (const [key, make] of entries)
      Object.defineProperty(attributes, key, { value: make(), enumerable: true, configurable: true, writable: true });
    return attributes;
  });

/** What may be passed where attributes belong. */
export const hostileAttributes: fc.Arbitrary<Make> = fc.oneof(
  { weight: 8, arbitrary: attributeObject },
  { weight: 1, arbitrary: anyValue },
);
