/** Random values and attributes. They are described, so that a failing program can be shortText, shrunk and run twice. */
import * as fc from 'fast-check';

/** Things no literal stands for, by name. Each is made anew for each use. */
const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  NaN: () => NaN,
  infinity: () => Infinity,
  'minus infinity': () => -Infinity,
  'minus zero': () => -0,
  bigint: () => 2n ** 65n,
  'negative bigint': () => -5n,
  symbol: () => Symbol('s'),
  function: () => () => 1,
  date: () => new Date(86_400_000),
  'boxed string': () => new String('a'),
  circular: () => {
    const loop: unknown[] = [];
    loop.push(loop);
    return loop;
  },
  'throwing toJSON': () => ({
    toJSON() {
      throw new Error('on purpose');
    },
  }),
  'throwing valueOf': () => ({
    valueOf() {
      throw new Error('on purpose');
    },
  }),
  'toJSON of undefined': () => ({ toJSON: () => undefined }),
};

/** A described thing: a plain value, or the name of an odd one. */
export interface Described {
  readonly plain?: unknown;
  readonly odd?: string;
}

/** Makes what is described. */
export function make({ plain, odd }: Described): unknown {
  return odd === undefined ? structuredClone(plain) : ODD[odd]!();
}

const plainly = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Described> =>
  values.map((plain) => ({ plain }));
const oddly: fc.Arbitrary<Described> = fc.constantFrom(...Object.keys(ODD)).map((odd) => ({ odd }));

export const measurements: fc.Arbitrary<Described> = fc.oneof(
  { weight: 12, arbitrary: plainly(fc.nat(30_000).map((eighths) => eighths / 8)) },
  { weight: 3, arbitrary: plainly(fc.constantFrom(0, 5, 10, 10_000, 10_001, 0.1, 0.2, 1.9, 0.5, 2 ** 53)) },
  { weight: 2, arbitrary: plainly(fc.constantFrom(-1, -0.5, -1.9, -(2 ** 40), -0.1)) },
  {
    weight: 1,
    arbitrary: plainly(
      fc.constantFrom(
        1e300,
        5e-324,
        2 ** -1022,
        Number.MAX_VALUE,
        -Number.MAX_VALUE,
        2 ** 53 + 2,
        '5',
        '-5',
        '',
        null,
        true,
        [1],
        {},
      ),
    ),
  },
  { weight: 1, arbitrary: oddly },
);

const attributeValues: fc.Arbitrary<Described> = fc.oneof(
  {
    weight: 12,
    arbitrary: plainly(fc.constantFrom('a', 'b', '1', 'true', '', 1, 2, 200, 1023, 1024, true, false)),
  },
  {
    weight: 3,
    arbitrary: plainly(
      fc.constantFrom(0.5, -1, 2 ** 32, null, '\ud800', 'null', '[1]', 'zäh 日本', 'x'.repeat(300)),
    ),
  },
  {
    weight: 2,
    arbitrary: plainly(fc.constantFrom(['a'], [1, null], [], ['1'], { a: 1, b: 2 }, { b: 2, a: 1 }, [['a']])),
  },
  { weight: 1, arbitrary: oddly },
);

type Form =
  'plain' | 'no prototype' | 'inheriting' | 'getters' | 'throwing getter' | 'hidden and symbol keys';

export interface DescribedAttributes {
  readonly entries?: readonly (readonly [string, Described])[];
  readonly form?: Form;
  /** In place of an object. */
  readonly instead?: Described;
}

/** Makes what is described. */
export function makeAttributes({ entries = [], form, instead }: DescribedAttributes): unknown {
  if (instead !== undefined) return make(instead);
  const base: unknown =
    form === 'no prototype'
      ? null
      : form === 'inheriting'
        ? { inherited: 'not an attribute' }
        : Object.prototype;
  const attributes = Object.create(base as object | null) as object;
  const define = (key: PropertyKey, rest: PropertyDescriptor): unknown =>
    Object.defineProperty(attributes, key, { configurable: true, enumerable: true, ...rest });
  entries.forEach(([key, described], i) => {
    const value = make(described);
    if (form === 'getters') define(key, { get: () => value });
    else if (form === 'throwing getter' && i === 0)
      define(key, {
        get: () => {
          throw new Error('on purpose');
        },
      });
    else define(key, { value, writable: true });
  });
  if (form === 'hidden and symbol keys') {
    define('hidden', { value: 1, enumerable: false });
    define(Symbol('key'), { value: 1 });
  }
  return attributes;
}

/** Few, so that many attribute sets differ in one value alone. */
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constant('k') },
  { weight: 3, arbitrary: fc.constant('method') },
  { weight: 1, arbitrary: fc.constantFrom('a', 'z', '__proto__', 'toString', '7', '', 'ключ') },
);

export const attributes: fc.Arbitrary<DescribedAttributes> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      entries: fc.uniqueArray(fc.tuple(keys, attributeValues), { maxLength: 3, selector: ([key]) => key }),
      form: fc.oneof(
        { weight: 10, arbitrary: fc.constant<Form>('plain') },
        {
          weight: 3,
          arbitrary: fc.constantFrom<Form>(
            'no prototype',
            'inheriting',
            'getters',
            'throwing getter',
            'hidden and symbol keys',
          ),
        },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ instead: { odd: 'undefined' } }) },
  {
    weight: 1,
    arbitrary: plainly(fc.constantFrom(null, 'text', 5, true, ['a'])).map((instead) => ({ instead })),
  },
);
