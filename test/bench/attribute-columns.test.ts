import { expect } from 'chai';
import {
  BATCH,
  columnsOf,
  keysOf,
  objectsOf,
  recordedValues,
  renewStrings,
  textsOf,
} from '../../bench/attribute-columns.ts';
import { SERIES_COUNTS } from '../../bench/recording.ts';

describe('bench/attribute-columns', () => {
  for (const count of [1, 3, 6] as const)
    for (const series of SERIES_COUNTS)
      it(`brings up each of ${series} series of ${count} attributes in every batch`, () => {
        const columns = columnsOf(count, series);
        expect(columns.length).to.equal(count);
        expect(new Set(objectsOf(keysOf(count), columns)).size).to.equal(series);
        expect(columns.map((column) => column.length)).to.deep.equal(columns.map(() => BATCH));
      });

  it('refuses a number of series it has no attributes for', () => {
    expect(() => columnsOf(3, 30)).to.throw();
  });

  it('renews strings without changing what they say', () => {
    const columns = columnsOf(3, 100);
    const before = columns.map((column) => [...column]);
    renewStrings(columns, textsOf(columns));
    expect(columns).to.deep.equal(before);
  });

  it('records values for every bucket', () => {
    const values = recordedValues().slice(0, BATCH);
    expect(Math.min(...values)).to.be.below(0.1);
    expect(Math.max(...values)).to.be.above(10_000);
  });
});
