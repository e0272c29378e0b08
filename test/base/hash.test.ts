import { expect } from 'chai';
import * as fc from 'fast-check';
import { finished, hashBytes, hashText } from '../../src/base/hash.ts';

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
});
