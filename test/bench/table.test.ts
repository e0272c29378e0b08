import { expect } from 'chai';
import { figure, table } from '../../bench/table.ts';

describe('bench/table', () => {
  it('lines columns up, the first to the left and figures to the right', () => {
    expect(
      table(
        ['', 'ours'],
        [
          ['counter', '9.00'],
          ['gauge', '123.4'],
        ],
      ),
    ).to.equal(
      ['|         |  ours |', '|---------|------:|', '| counter |  9.00 |', '| gauge   | 123.4 |'].join('\n'),
    );
  });

  it('prints about three digits, and a dash for none', () => {
    expect([0, 0.001, 1.234, 45.67, 999.6, 12345].map(figure)).to.deep.equal([
      '0',
      '0',
      '1.23',
      '45.7',
      '1,000',
      '12,345',
    ]);
    expect([undefined, null].map(figure)).to.deep.equal(['-', '-']);
    expect(figure(-18.66)).to.equal('-18.7');
  });
});
