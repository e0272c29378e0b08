import { expect } from 'chai';
import * as fc from 'fast-check';
import { lengthened, roomFor } from '../../src/base/array-room.ts';

describe('arrays that grow', () => {
  it('have the element they are to have, and a quarter more at most, or eight', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 28), (last) => {
        expect(roomFor(last)).to.be.above(last);
        expect(roomFor(last) - (last + 1)).to.be.within(8, Math.max(8, last / 4));
      }),
    );
  });

  it('are of the class they were, with what was in them, and zeros after it', () => {
    for (const from of [
      Int32Array.of(1, 2),
      Int16Array.of(1, 2),
      Uint8Array.of(1, 2),
      Float64Array.of(1, 2),
    ]) {
      const to = lengthened(from, 3);
      expect(to.constructor).to.equal(from.constructor);
      expect([...to]).to.deep.equal([1, 2, 0]);
      expect([...from]).to.deep.equal([1, 2]);
    }
  });
});
