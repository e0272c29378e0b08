import { expect } from 'chai';
import * as fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { crcOf } from '../../src/memory/crc.ts';

describe('crcOf', () => {
  it('is the CRC of node:zlib, of short and of long runs, from wherever it goes on', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(2 ** 32 - 1),
        fc.nat(20),
        fc.nat(20),
        (bytes, before, skipped, left) => {
          const start = Math.min(skipped, bytes.length);
          const end = Math.max(start, bytes.length - left);
          // That one calls the CRC of nothing 0, whatever stands before.
          const expected = start === end ? before : crc32(bytes.subarray(start, end), before);
          expect(crcOf(bytes, start, end, before)).to.equal(expected);
        },
      ),
    );
    expect(crcOf(Buffer.from('123456789'), 0, 9, 0)).to.equal(0xcbf43926); // the check value of the algorithm's catalogues
  });
});
