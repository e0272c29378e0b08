import { expect } from 'chai';
import { bytes, duration, inUnit, number, plural, rate, visible } from '../../src/page/format.ts';

describe('what the page writes', () => {
  it('is in units that people read', () => {
    expect(inUnit(1234, '{request}')).to.equal('1.23 k');
    expect(inUnit(0.34, 's')).to.equal('340 ms');
    expect(inUnit(340, 'ms')).to.equal('340 ms');
    expect(inUnit(3_500_000, 'By')).to.equal('3.34 MiB');
    expect(inUnit(12, 'Cel')).to.equal('12 Cel');
    expect(inUnit(55.56, '%')).to.equal('55.6 %');
    expect(rate(1234, '')).to.equal('1.23 k/s');
    expect(rate(null, '')).to.equal('–');
  });

  it('has three digits, whatever the size', () => {
    expect([0, 0.5, 999, 999.9, 1e6, -1234, 5e-7, 1e30].map(number)).to.deep.equal([
      '0',
      '0.5',
      '999',
      '1 k',
      '1 M',
      '-1.23 k',
      '5.00e-7',
      '1.00e+30',
    ]);
    expect([NaN, Infinity, -Infinity, null, undefined].map(number)).to.deep.equal(['–', '∞', '−∞', '–', '–']);
    expect([0, 1023, 1024, 1024 ** 2 - 1].map(bytes)).to.deep.equal(['0 B', '1023 B', '1 KiB', '1 MiB']);
    expect([0, 1e-9, 0.9999, 61, 125, 7322, 200_000].map(duration)).to.deep.equal([
      '0 s',
      '1 ns',
      '1 s',
      '61 s',
      '2 min 5 s',
      '2 h 2 min',
      '2 d 7 h',
    ]);
    expect([plural(1, 'time'), plural(1200, 'time')]).to.deep.equal(['1 time', '1,200 times']);
  });

  it('hides nothing in a name, and is never long', () => {
    expect(visible('a\u202eb\u0000c\u200b')).to.equal('a‹U+202E›b‹U+0000›c‹U+200B›');
    expect(visible('\ud800')).to.equal('‹U+D800›');
    expect(visible('<b>&amp;é漢🙂')).to.equal('<b>&amp;é漢🙂');
    expect(visible('x'.repeat(1e6))).to.have.lengthOf(301);
  });
});
