import { expect } from 'chai';
import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { shortText } from '../../src/base/errors.ts';
import {
  canonicalAttributes,
  NO_ATTRIBUTES,
  textIdentity,
  type CanonicalAttributes,
} from '../../src/state/attributes.ts';
import { AttributeKey } from '../../src/state/attribute-key.ts';
import { hostileAttributes, hostileValues } from '../support/hostile-values.ts';

const ignore = (): void => {};

function canonical(attributes: unknown): CanonicalAttributes {
  return canonicalAttributes(attributes, ignore);
}

/** Whether two values are one attribute, as the tables that count them decide it. */
function isSame(a: unknown, b: unknown): boolean {
  const key = new AttributeKey('k', 0);
  const [first, second] = [a, b].map((value) => canonical({ k: value }).values[0]!);
  return key.addId(first!) === key.addId(second!);
}

describe('canonicalAttributes', () => {
  it('never throws, whatever it is given, and gives sorted keys with one value each', () => {
    fc.assert(
      fc.property(hostileAttributes, (make) => {
        const { keys, values } = canonical(make());
        expect(values).to.have.length(keys.length);
        expect([...keys].sort()).to.deep.equal(keys);
        expect(new Set(keys).size).to.equal(keys.length);
        for (const value of values)
          expect(typeof value).to.be.oneOf(['string', 'number', 'boolean', 'object']);
      }),
      { numRuns: 300 },
    );
  });

  for (const [name, make] of Object.entries(hostileValues))
    it(`takes ${name} as attributes, as a value and in an array`, () => {
      expect(() => canonical(make())).to.not.throw();
      const { keys, values } = canonical({ before: 1, k: make(), z: 'after' });
      expect(keys).to.deep.equal(make() === undefined ? ['before', 'z'] : ['before', 'k', 'z']);
      expect(() => canonical({ k: [make()] })).to.not.throw();
      expect([values[0], values.at(-1)]).to.deep.equal([1, 'after']);
      expect(() => shortText(make())).to.not.throw();
      expect(shortText(make()).length).to.be.at.most(80);
    });

  it('says once per cause what it could not take', () => {
    const causes: string[] = [];
    const hear = (cause: string, message: string): void => {
      causes.push(cause);
      expect(message).to.be.a('string').and.not.equal('');
    };
    canonicalAttributes('text', hear);
    canonicalAttributes(['a'], hear);
    canonicalAttributes({ big: 5n }, hear);
    canonicalAttributes({ round: hostileValues['a circular object']!() }, hear);
    canonicalAttributes(hostileValues['a revoked proxy']!(), hear);
    expect(causes).to.deep.equal([
      'not-an-object',
      'not-an-object',
      'bigint big',
      'unusable round',
      'no-keys',
    ]);
    canonicalAttributes({ a: 1, b: null, c: undefined, d: NaN, e: [1], f: () => 1, g: Symbol('s') }, hear);
    expect(causes).to.have.length(5);
  });

  it('takes nothing, an empty object and what is no object for no attributes', () => {
    for (const attributes of [undefined, null, {}, [], ['a'], 'text', 5, true, 5n, Symbol('s'), () => {}])
      expect(canonical(attributes)).to.equal(NO_ATTRIBUTES);
  });

  it('takes a value that is undefined for no attribute', () => {
    expect(canonical({ b: undefined, a: 1, c: undefined })).to.deep.equal({ keys: ['a'], values: [1] });
    expect(canonical({ a: undefined })).to.deep.equal({ keys: [], values: [] });
    expect(canonical({ a: null })).to.deep.equal({ keys: ['a'], values: [null] });
  });

  it('takes own enumerable string keys only', () => {
    class Base {
      inherited = 1;
    }
    Object.defineProperty(Base.prototype, 'onPrototype', { value: 2, enumerable: true });
    class Own extends Base {
      own = 3;
    }
    const attributes = Object.assign(new Own(), { [Symbol('hidden')]: 4 });
    Object.defineProperty(attributes, 'notEnumerable', { value: 5, enumerable: false });
    expect(canonical(attributes)).to.deep.equal({ keys: ['inherited', 'own'], values: [1, 3] });
    expect(canonical(Object.assign(Object.create(null) as object, { b: 1, a: 2 }))).to.deep.equal({
      keys: ['a', 'b'],
      values: [2, 1],
    });
  });

  it('keeps a key named __proto__', () => {
    const attributes = JSON.parse('{"__proto__":"x","constructor":1,"a":2}') as object;
    expect(canonical(attributes)).to.deep.equal({
      keys: ['__proto__', 'a', 'constructor'],
      values: ['x', 2, 1],
    });
  });

  it('sorts keys by UTF-16 code units, so that all threads agree whatever their locale', () => {
    const keys = ['ä', 'z', 'Z', 'a', '\u{1f600}', '\uffff', '10', '9'];
    const attributes = Object.fromEntries(keys.map((key) => [key, 1]));
    expect(canonical(attributes).keys).to.deep.equal(['10', '9', 'Z', 'a', 'z', 'ä', '\u{1f600}', '\uffff']);
  });

  it('takes a snapshot: what the caller does to its object or arrays afterwards changes nothing', () => {
    const list = ['a', { deep: [1] }];
    const attributes: Record<string, unknown> = { list, text: 'x' };
    const taken = canonical(attributes);
    const before = structuredClone(taken);
    list.push('b');
    (list[1] as { deep: number[] }).deep.push(2);
    attributes['text'] = 'y';
    attributes['more'] = 1;
    expect(taken).to.deep.equal(before);
  });

  it('gives a bigint as text, a date as its ISO string, functions and symbols as null', () => {
    const date = new Date(0);
    const { values } = canonical({
      a: 12345678901234567890n,
      b: date,
      c: () => 1,
      d: Symbol('s'),
      e: new String('s'),
    });
    expect(values).to.deep.equal(['12345678901234567890', '1970-01-01T00:00:00.000Z', null, null, 's']);
  });
});

describe('attribute values', () => {
  it('are kept as the specification has them: NaN, the infinities, null and bytes; texts within arrays', () => {
    const bytes = Buffer.from('hello world');
    const { keys, values } = canonical({
      a: NaN,
      b: -Infinity,
      c: null,
      d: bytes,
      e: [NaN, Infinity, null, bytes, 2n],
    });
    expect(keys).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    expect(values).to.deep.equal([
      NaN,
      -Infinity,
      null,
      new Uint8Array(bytes),
      ['NaN', 'Infinity', null, 'aGVsbG8gd29ybGQ=', '2'],
    ]);
    bytes.fill(0);
    expect(values[3]).to.deep.equal(new TextEncoder().encode('hello world'));
  });

  it('of the empty key are none, and that is said', () => {
    const causes: string[] = [];
    const given = { '': 1, a: 2 };
    expect(canonicalAttributes(given, (cause) => causes.push(cause))).to.deep.equal({
      keys: ['a'],
      values: [2],
    });
    expect(canonicalAttributes({ '': 1 }, ignore)).to.equal(NO_ATTRIBUTES);
    expect(causes).to.deep.equal(['empty key']);
  });

  it('are cut at a length, each text and all bytes, and that is said', () => {
    const causes: string[] = [];
    const given = {
      a: 'abc',
      b: 'abcd',
      c: ['abcd', { d: 'abcd' }],
      e: Buffer.from('abcd'),
      f: 12345,
      g: 'ab\u{1f600}',
    };
    const { values } = canonicalAttributes(given, (cause) => causes.push(cause), undefined, 3);
    expect(values).to.deep.equal([
      'abc',
      'abc',
      ['abc', { d: 'abc' }],
      new Uint8Array(Buffer.from('abc')),
      12345,
      'ab',
    ]);
    expect(causes).to.deep.equal(['length b', 'length c', 'length c', 'length e', 'length g']);
  });

  it('are null below 64 levels of arrays and objects, and where they contain themselves', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 64; level++) deep = [deep];
    expect(canonical({ deep }).values).to.deep.equal([deep]);
    expect(JSON.stringify(canonical({ deep: [deep] }).values[0])).to.equal(
      `${'['.repeat(64)}null${']'.repeat(64)}`,
    );
    const twice: unknown[] = [];
    twice.push(twice, twice);
    expect(canonical({ twice }).values).to.deep.equal([null]);
    const shared = ['s'];
    expect(canonical({ shared: [shared, shared] }).values).to.deep.equal([[shared, shared]]);
  });
});

describe('the identity of attribute values', () => {
  it('tells 1, "1", true and "true" apart, and 0 from false, "" and null', () => {
    const distinct = [
      1,
      '1',
      true,
      'true',
      0,
      '0',
      false,
      'false',
      '',
      null,
      'null',
      [],
      {},
      [1],
      ['1'],
      '[1]',
      '{}',
      [[]],
    ];
    for (let i = 0; i < distinct.length; i++)
      for (let j = 0; j < distinct.length; j++)
        expect(
          isSame(distinct[i], distinct[j]),
          `${shortText(distinct[i])} and ${shortText(distinct[j])}`,
        ).to.equal(i === j);
  });

  it('tells NaN, the infinities, null and bytes apart, each one value', () => {
    const distinct = [
      null,
      NaN,
      Infinity,
      -Infinity,
      'NaN',
      Uint8Array.of(1),
      Uint8Array.of(1, 2),
      'AQ==',
      ['AQ=='],
    ];
    for (const [i, a] of distinct.entries())
      for (const [j, b] of distinct.entries())
        expect(isSame(a, b), `${shortText(a)} and ${shortText(b)}`).to.equal(i === j);
    expect(isSame(Uint8Array.of(1, 2), Buffer.from([1, 2]))).to.equal(true);
    const nulls = [null, () => 1, Symbol('s'), { toJSON: () => undefined }];
    for (const a of nulls) for (const b of nulls) expect(isSame(a, b)).to.equal(true);
  });

  it('takes 0 and -0 for one value', () => {
    expect(isSame(0, -0)).to.equal(true);
    expect(isSame(-0, 0)).to.equal(true);
  });

  it('compares arrays by content and order, objects by content', () => {
    expect(isSame([1, 'a', null], [1, 'a', undefined])).to.equal(true);
    expect(isSame([1, 2], [2, 1])).to.equal(false);
    expect(isSame({ a: 1, b: 2 }, { a: 1, b: 2 })).to.equal(true);
    expect(isSame({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 })).to.equal(true);
    expect(textIdentity(['\ud800'])).to.equal('["\\ud800"]');
  });

  it('is that of the value, for what JSON can write', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        expect(isSame(a, b)).to.equal(isDeepStrictEqual(a, b));
        expect(isSame(a, structuredClone(a))).to.equal(true);
      }),
      { numRuns: 500 },
    );
  });
});
