import { expect } from 'chai';
import * as fc from 'fast-check';
import { finished, HASH_SEED, hashBytes, hashText } from '../../src/base/hash.ts';

describe('hash', () => {
  it('is the same for the same bytes wherever they lie, and for the same text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), fc.integer(), (bytes, before, seed) => {
        const among = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(5, 9)]);
        const hash = hashBytes(bytes, 0, bytes.length, seed);
        expect(hash).to.equal(hash | 0);
        expect(hashBytes(among, before, before + bytes.length, seed)).to.equal(hash);
        const [text, longer] = [bytes, among].map((of) => Buffer.from(of).toString('latin1'));
        expect(hashText(longer!, before, before + bytes.length, seed)).to.equal(
          hashText(text!, 0, text!.length, seed),
        );
      }),
    );
  });

  it('spreads texts that differ in few places over a table', () => {
    for (const hashOf of [
      (text: string) => hashText(text, 0, text.length, 0),
      (text: string) => hashBytes(Buffer.from(text), 0, text.length, 0),
    ]) {
      const slots = new Int32Array(4096);
      for (let i = 0; i < 4096; i++) slots[finished(hashOf(`/api/v1/resource/${i}/of`)) & 4095]!++;
      // Thrown at random, 1 - 1/e of the slots are met.
      expect(slots.filter((count) => count > 0).length / 4096).to.be.closeTo(1 - 1 / Math.E, 0.03);
      expect(Math.max(...slots)).to.be.below(12);
    }
  });

  it('tells texts of any characters apart, whatever the seed', () => {
    const pairs = ['\u0100\u0000', '\u0000\u0001', '\u0001\u0100', '\u0100\u0001'];
    const texts = pairs.flatMap((a) =>
      pairs.flatMap((b) => pairs.flatMap((c) => pairs.map((d) => a + b + c + d))),
    );
    for (const seed of [0, 1, HASH_SEED])
      expect(new Set(texts.map((text) => finished(hashText(text, 0, text.length, seed)))).size).to.be.above(
        texts.length - 2,
      );
  });
});
