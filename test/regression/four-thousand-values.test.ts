import { expect } from 'chai';
import { canonicalAttributes } from '../../src/state/attributes.ts';
import { SeriesTable } from '../../src/state/series-table.ts';

const canonical = (attributes: object) => canonicalAttributes(attributes, () => {});

describe('a key set that widens past 14 bits', () => {
  it('finds every series again', () => {
    const table = new SeriesTable();
    for (let i = 1; i <= 9000; i++) {
      const attributes = canonical({ route: `/r${i}`, method: 'GET', status: 200 });
      expect(table.get(attributes)).to.equal(0);
      table.add(attributes, i);
    }
    for (let i = 1; i <= 9000; i++)
      expect(table.get(canonical({ route: `/r${i}`, method: 'GET', status: 200 }))).to.equal(i);
  });
});
