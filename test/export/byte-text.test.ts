import { expect } from 'chai';
import * as fc from 'fast-check';
import { ByteText } from '../../src/export/byte-text.ts';
import { escapedValue } from '../../src/export/label-text.ts';

const strings = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }));

describe('ByteText', () => {
  it('is the UTF-8 of what was put into it, however it was', () => {
    const made = new ByteText();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(strings, fc.constantFrom('text', 'copy', 'append', 'byte'))),
        (pieces) => {
          made.clear();
          const expected = pieces.map(([piece, how]) => {
            if (how === 'text') made.text(piece);
            else if (how === 'copy') made.copy(Buffer.from(piece, 'utf8'));
            else if (how === 'append') {
              const other = new ByteText();
              other.text(piece);
              made.append(other);
            } else made.byte(44);
            return how === 'byte' ? ',' : piece;
          });
          expect(made.toString()).to.equal(Buffer.from(expected.join(''), 'utf8').toString('utf8'));
        },
      ),
    );
  });

  it('takes as plain just what is printable ASCII and stays as it is between quotes', () => {
    fc.assert(
      fc.property(
        fc.oneof(strings, fc.string({ unit: fc.constantFrom('a', ' ', '~', '"', '\\', '\n') })),
        (text) => {
          const made = new ByteText();
          made.text('before');
          const isPlain = /^[ -~]*$/.test(text) && escapedValue(text) === text;
          expect(made.plain(text)).to.equal(isPlain);
          expect(made.toString()).to.equal(`before${isPlain ? text : ''}`);
        },
      ),
    );
  });

  it('is equal to, and hashed like, a text of the same bytes', () => {
    const [a, b] = [new ByteText(), new ByteText()];
    b.text('a longer one, whose rest is no part of the next');
    b.clear();
    for (const one of [a, b]) one.text('route="/ä"');
    expect(a.equals(b)).to.equal(true);
    expect(a.hash()).to.equal(b.hash());
    b.byte(44);
    expect(a.equals(b)).to.equal(false);
  });
});
