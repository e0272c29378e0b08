import { expect } from 'chai';
import * as fc from 'fast-check';
import { ABSENT, SeriesTable, UNKNOWN } from '../../src/state/series-table.ts';
import { attributeObjects, canonical, identityOf, objectOf } from '../support/attribute-model.ts';

/** A table beside a plain Map that says what it must say. */
class Checked {
  readonly table = new SeriesTable();
  readonly model = new Map<string, number>();
  quick = 0;

  /** Looks up as the record path does, and adds what is not there. */
  meet(attributes: object): number {
    const expected = this.model.get(identityOf(attributes)) ?? ABSENT;
    const found = this.table.find(attributes);
    if (found !== UNKNOWN && found !== expected)
      expect.fail(`find says ${found}, not ${expected}, of ${identityOf(attributes)}`);
    if (found > 0) this.quick++;
    const set = canonical(attributes);
    expect(this.table.get(set)).to.equal(expected);
    let reference = expected;
    if (expected === ABSENT) {
      reference = this.model.size + 1;
      this.table.add(set, reference);
      this.model.set(identityOf(attributes), reference);
    }
    this.table.learnShape(attributes, set);
    expect(this.table.get(set)).to.equal(reference);
    expect(this.table.size).to.equal(this.model.size);
    return reference;
  }
}

function permutations(keys: readonly string[]): string[][] {
  return keys.length === 0
    ? [[]]
    : keys.flatMap((key) =>
        permutations(keys.filter((other) => other !== key)).map((rest) => [key, ...rest]),
      );
}

describe('SeriesTable', () => {
  it('says what a Map keyed by the JSON of the sorted entries says, or UNKNOWN', () => {
    fc.assert(
      fc.property(fc.array(attributeObjects, { maxLength: 60 }), (objects) => {
        const checked = new Checked();
        for (const attributes of objects) checked.meet(attributes);
        for (const attributes of objects) checked.meet({ ...attributes });
      }),
      { numRuns: 300 },
    );
  });

  it('tells strings apart that share a place, however often they come by turns', () => {
    const some = fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 50, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 100 }), some, (values, picks) => {
        const checked = new Checked();
        // Equal length, and characters that differ in two places: one alone does not tell them apart.
        const text = (n: number): string => `user/${String(n % values).padStart(2, '0')}/x`;
        for (let n = 0; n < values; n++) checked.meet({ user: text(n), verb: 'GET' });
        for (const [a, b] of picks) for (const n of [a, b, a]) checked.meet({ user: text(n), verb: 'GET' });
      }),
      { numRuns: 50 },
    );
  });

  it('does so from exact to hashed, with many values per key, small and large', () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: 1100 }),
      fc.integer(),
      fc.double({ noNaN: true }),
      fc.constantFrom(-0, 0),
    );
    const text = fc.integer({ min: 0, max: 300 }).map((n) => `v${n}`);
    const entries = fc.tuple(number, text, text).map(([a, b, c]) =>
      objectOf([
        ['a', a],
        ['b', b],
        ['c', c],
      ]),
    );
    fc.assert(
      fc.property(fc.array(entries, { minLength: 100, maxLength: 400 }), (objects) => {
        const checked = new Checked();
        for (const attributes of objects) checked.meet(attributes);
        const before = checked.quick;
        for (const attributes of objects) checked.meet(attributes);
        expect(checked.quick - before, 'plain values are found the quick way').to.equal(objects.length);
      }),
      { numRuns: 15 },
    );
  });

  it('finds the quick way what was met before, in any order of keys that was met', () => {
    const checked = new Checked();
    const reference = checked.meet({ method: 'GET', status: 200, ok: true });
    expect(checked.table.find({ method: 'GET', status: 200, ok: true })).to.equal(reference);
    expect(checked.meet({ ok: true, status: 200, method: 'GET' })).to.equal(reference);
    expect(checked.table.find({ ok: true, status: 200, method: 'GET' })).to.equal(reference);
    expect(checked.table.find({ method: 'GET', status: 200, ok: true })).to.equal(reference);
    expect(checked.table.find({ method: 'GET', status: 200, ok: false })).to.equal(ABSENT);
    expect(checked.table.find({ method: 'GET', status: 200 })).to.equal(UNKNOWN);
    expect(checked.table.find({ method: 'GET', status: 200, ok: true, more: 1 })).to.equal(UNKNOWN);
  });

  it('finds objects with undefined values the quick way, as those without these keys', () => {
    const checked = new Checked();
    const one = checked.meet({ a: 1, b: undefined });
    const none = checked.meet({ a: undefined });
    expect(checked.meet({ a: 1 })).to.equal(one);
    expect(checked.table.find({ a: 1, b: undefined })).to.equal(one);
    expect(checked.table.find({ a: 2, b: undefined })).to.equal(ABSENT);
    expect(checked.table.find({ a: undefined })).to.equal(none);
    expect(checked.table.find({ a: 1, b: 2 })).to.equal(UNKNOWN);
    const both = checked.meet({ a: 1, b: 2 });
    for (const [attributes, reference] of [
      [{ a: 1, b: 2 }, both],
      [{ a: 1, b: undefined }, one],
      [{}, none],
    ] as const)
      expect(checked.table.find(attributes)).to.equal(reference);
  });

  it('finds {} and an object without prototype, and nothing that is inherited', () => {
    const checked = new Checked();
    const [none, one] = [checked.meet({}), checked.meet({ a: 1 })];
    expect(checked.table.find({})).to.equal(none);
    expect(checked.table.find(Object.assign(Object.create(null) as object, { a: 1 }))).to.equal(one);
    class WithInherited {}
    Object.defineProperty(WithInherited.prototype, 'a', { value: 1, enumerable: true });
    expect(checked.table.find(new WithInherited())).to.equal(UNKNOWN);
    expect(checked.table.find(Object.create({ a: 1 }) as object)).to.equal(UNKNOWN);
    expect(checked.table.find(Object.defineProperty({}, 'a', { value: 1 }))).to.be.oneOf([none, UNKNOWN]);
    expect(checked.table.find(Object.assign({ a: 1 }, { [Symbol('s')]: 2 }))).to.equal(one);
    for (const odd of [5, '', [], () => {}, null])
      expect(checked.table.find(odd as object)).to.be.oneOf([none, UNKNOWN]);
  });

  it('does not take an array or a string for an object with the same index keys', () => {
    const checked = new Checked();
    checked.meet({ 0: 'a' });
    checked.meet({ 0: 'a' });
    for (const odd of [['a'], 'a']) expect(checked.table.find(odd as object)).to.equal(UNKNOWN);
  });

  it('is not fooled by enumerable properties on Object.prototype', () => {
    const checked = new Checked();
    const reference = checked.meet({ a: 1 });
    const found: number[] = [];
    Object.defineProperty(Object.prototype, 'polluted', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    try {
      const set = canonical({ a: 1 });
      checked.table.learnShape({ a: 1 }, set);
      found.push(
        checked.table.find({ a: 1 }),
        checked.table.get(set),
        checked.table.find({ b: 1 }),
        checked.table.find({}),
      );
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
    expect(found[0]).to.be.oneOf([reference, UNKNOWN]);
    expect(found[1]).to.equal(reference);
    expect(found[2]).to.be.oneOf([ABSENT, UNKNOWN]);
    expect(found[3]).to.be.oneOf([ABSENT, UNKNOWN]);
  });

  it('holds more shapes and wider sets than it remembers, the slow way', () => {
    const checked = new Checked();
    const wide = (n: number, first = 'x'): object =>
      objectOf(Array.from({ length: n }, (_, i) => [`k${String(i).padStart(4, '0')}`, i === 0 ? first : i]));
    for (const width of [12, 13, 20, 63, 64, 65, 66, 500]) {
      const reference = checked.meet(wide(width));
      expect(checked.meet(wide(width, 'y'))).to.not.equal(reference);
      expect(checked.meet(wide(width))).to.equal(reference);
      expect(checked.table.find(wide(width)) === UNKNOWN, `${width} keys`).to.equal(width > 64);
    }
    for (let i = 0; i < 200; i++) checked.meet({ [`shape${i}`]: 1, b: 2 });
    for (let i = 0; i < 200; i++) checked.meet({ b: 2, [`shape${i}`]: 1 });
    expect(checked.model.size).to.equal(16 + 200);
  });

  it('finds sets in each of many orders of their keys', () => {
    const checked = new Checked();
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    const orders = permutations(keys);
    expect(orders).to.have.length(720);
    for (const order of orders) checked.meet(objectOf(order.map((key) => [key, 1])));
    expect(checked.model.size).to.equal(1);
    for (const order of orders) {
      expect(checked.table.find(objectOf(order.map((key) => [key, 1]))), order.join('')).to.be.above(0);
      expect(checked.table.find(objectOf(order.map((key) => [key, 2])))).to.equal(ABSENT);
    }
  });

  it('finds sets of one order, some of whose keys are undefined in turns', () => {
    const checked = new Checked();
    const written = (undefinedKeys: number): object =>
      objectOf(['a', 'b', 'c'].map((key, i) => [key, (undefinedKeys >> i) & 1 ? undefined : 1]));
    for (let i = 0; i < 8; i++) checked.meet(written(i));
    expect(checked.model.size).to.equal(8);
    for (let i = 0; i < 8; i++) expect(checked.table.find(written(i)), `${i}`).to.be.above(0);
  });

  describe('while a getter of the caller records too', () => {
    /** An object whose getter `b` does something before it gives its value. */
    const meddling = (a: unknown, b: unknown, meddle: () => void): object =>
      Object.defineProperty({ a }, 'b', {
        get: () => {
          meddle();
          return b;
        },
        enumerable: true,
      });

    for (const [name, prototype] of [
      ['plain objects', Object.prototype],
      ['objects without prototype', null],
      ['class instances', class Instance {}.prototype],
    ] as const)
      for (const fill of [1, 40, 3000])
        it(`never takes one series for another (${fill} sets, ${name})`, () => {
          for (const times of [1, 2, 5, 70, 5000]) {
            const checked = new Checked();
            for (let i = 0; i < fill; i++) checked.meet({ a: `a${i}`, b: i % 40 });
            let next = 0;
            const attributes = meddling('a0', 0, () => {
              for (let i = 0; i < times; i++) {
                const other = Object.assign(Object.create(prototype) as object, {
                  a: `new${next}`,
                  b: `new${next++}`,
                });
                const set = canonical(other);
                if (checked.table.get(set) === ABSENT) checked.table.add(set, 1_000_000 + next);
                checked.table.learnShape(other, set);
                checked.table.find({ a: 'a0', b: 0 });
              }
            });
            expect(checked.table.find(attributes)).to.be.oneOf([1, UNKNOWN]);
          }
        });
  });
});
