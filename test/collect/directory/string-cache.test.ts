import { expect } from 'chai';
import * as fc from 'fast-check';
import { StringCache } from '../../../src/collect/directory/string-cache.ts';

describe('StringCache', () => {
  it('gives what UTF-8 says, for new texts and for known ones', () => {
    const texts = fc.oneof(
      fc.constantFrom('', 'GET', 'POST', '200', 'é', '😀', 'x'.repeat(64), 'x'.repeat(65)),
      fc.string({ unit: 'binary', maxLength: 80 }),
    );
    const cache = new StringCache();
    fc.assert(
      fc.property(fc.array(texts), fc.nat(5), (all, offset) => {
        for (const text of [...all, ...all]) {
          const bytes = Buffer.concat([Buffer.alloc(offset, 7), Buffer.from(text), Buffer.alloc(3, 7)]);
          const expected = bytes.toString('utf8', offset, bytes.length - 3);
          expect(cache.text(bytes, offset, bytes.length - 3)).to.equal(expected);
        }
      }),
    );
  });

  it('takes no text for another whose bytes are its characters', () => {
    const cache = new StringCache();
    const textOf = (bytes: Buffer): string => cache.text(bytes, 0, bytes.length);
    // Some of so many pairs share a slot.
    for (let code = 0x800; code < 0xd800; code++) {
      const bytes = Buffer.from(String.fromCharCode(code), 'utf8');
      const asCharacters = bytes.toString('latin1');
      if (
        textOf(Buffer.from(asCharacters, 'utf8')) !== asCharacters ||
        textOf(bytes) !== String.fromCharCode(code)
      )
        expect.fail(`U+${code.toString(16)}`);
    }
  });
});
