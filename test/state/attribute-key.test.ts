import { expect } from 'chai';
import * as fc from 'fast-check';
import { AttributeKey } from '../../src/state/attribute-key.ts';

describe('AttributeKey', () => {
  it('gives each value one id, from 1 on, and finds it again', () => {
    const values = fc.uniqueArray(fc.oneof(fc.string(), fc.integer({ min: -5, max: 3000 }), fc.boolean()), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(values, (distinct) => {
        const key = new AttributeKey('k', 0);
        expect(distinct.map((value) => key.idOf(value)).every((id) => id === 0)).to.equal(true);
        const ids = distinct.map((value) => key.addId(value));
        expect(ids).to.deep.equal(distinct.map((_, i) => i + 1));
        expect(distinct.map((value) => key.idOf(value))).to.deep.equal(ids);
        expect(distinct.map((value) => key.addId(value))).to.deep.equal(ids);
        expect(key.count).to.equal(distinct.length);
        // The short cut for small whole numbers says the same as the map.
        key.small.forEach((id, value) => expect(id).to.equal(key.ids.get(value) ?? 0));
      }),
    );
  });

  it('keeps the array of small numbers small', () => {
    const key = new AttributeKey('k', 0);
    for (const value of [-1, 1024, 0.5, 2 ** 32, -(2 ** 31)]) key.addId(value);
    expect(key.small).to.have.length(0);
    key.addId(1023);
    expect(key.small).to.have.length(1024);
    key.addId(200);
    expect(key.small).to.have.length(1024);
    expect([key.small[1023], key.small[200]]).to.deep.equal([6, 7]);
  });

  it('finds every string by the short cut, whatever is in its place', () => {
    const texts = fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', '')), {
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 200 }), (distinct, order) => {
        const key = new AttributeKey('k', 0);
        for (const text of distinct) key.addId(text);
        for (const n of order) {
          const text = distinct[n % distinct.length]!;
          // An equal string made anew, as a program's input is.
          expect(idByPlace(key, Buffer.from(text, 'utf16le').toString('utf16le'))).to.equal(key.idOf(text));
        }
        expect(idByPlace(key, 'not among them')).to.equal(0);
      }),
    );
  });

  it('tells a few strings apart by one character, and goes to the map for none of them', () => {
    for (const texts of [
      ['GET', 'PUT', 'POST', 'DELETE', 'HEAD'],
      ['/users', '/orders', '/carts', '/health', '/login'],
      Array.from({ length: 10 }, (_, i) => `/route/${i}`),
    ]) {
      const key = new AttributeKey('k', 0);
      for (const text of texts) key.addId(text);
      for (const text of texts) idByPlace(key, text);
      expect([...key.strings].filter((text) => texts.includes(text))).to.have.members(texts);
    }
  });

  it('keeps few places, however many strings there are', () => {
    const key = new AttributeKey('k', 0);
    for (let i = 0; i < 5000; i++) key.addId(`user ${i}`);
    expect(key.strings.length).to.be.at.most(64);
    expect(key.stringIds).to.have.length(key.strings.length);
    expect(idByPlace(key, 'user 4711')).to.equal(4712);
  });
});

/** The look-up of `SeriesTable.find`, written once more. */
function idByPlace(key: AttributeKey, text: string): number {
  if (text === key.only) return key.onlyId;
  const place = key.letter < text.length ? (text.charCodeAt(key.letter) + 3 * text.length) & key.mask : 0;
  return text === key.strings[place] ? key.stringIds[place]! : key.stringIdFor(text, place);
}
