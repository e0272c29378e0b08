import { expect } from 'chai';
import * as fc from 'fast-check';
import type { AttributeValue } from '../../src/state/attributes.ts';
import { KeySet } from '../../src/state/key-set.ts';

describe('KeySet', () => {
  const isIn = (set: KeySet, rows: readonly AttributeValue[][]): void => {
    rows.forEach((row, i) => {
      if (set.get(row) !== i + 1)
        expect.fail(`row ${i} (${JSON.stringify(row)}) has reference ${set.get(row)}`);
    });
  };

  function filled(names: readonly string[], rows: readonly AttributeValue[][]): KeySet {
    const set = new KeySet(names);
    rows.forEach((row, i) => {
      expect(set.get(row)).to.equal(0);
      set.add(row, i + 1);
    });
    expect(set.size).to.equal(rows.length);
    isIn(set, rows);
    return set;
  }

  it('without keys has one series', () => {
    const set = new KeySet([]);
    expect(set.get([])).to.equal(0);
    set.add([], 9);
    expect(set.get([])).to.equal(9);
  });

  it('stays exact while the combinations are few, and forgets none as ids grow', () => {
    const rows = Array.from({ length: 300 }, (_, i) => [`m${i % 3}`, i]);
    expect(filled(['method', 'n'], rows).exact).to.equal(true);
  });

  it('changes to hashed where the combinations are many, at any point, and forgets none', () => {
    const rows = Array.from({ length: 6000 }, (_, i) => [`user${i}`, i % 50, `route${(i * 7) % 31}`]);
    const set = new KeySet(['user', 'shard', 'route']);
    let changedAt = 0;
    rows.forEach((row, i) => {
      set.add(row, i + 1);
      if (changedAt === 0 && !set.exact) {
        changedAt = i;
        isIn(set, rows.slice(0, i + 1));
      }
    });
    expect(changedAt).to.be.above(10);
    isIn(set, rows);
    for (let i = 0; i < 100; i++)
      expect(set.get([`user${i}`, (i + 1) % 50, `route${(i * 7) % 31}`]), 'a row not there').to.equal(0);
    expect(set.get(['nobody', 1, 'route1'])).to.equal(0);
  });

  it('never uses more memory than the series justify', () => {
    const set = new KeySet(['a', 'b']);
    for (let size = 1; size <= 4000; size++) {
      set.add([size, `v${size}`], size);
      const { slots, rows, references } = set;
      // Exact: 16,384 slots are free. Hashed: 2 to 4 slots, and 3 numbers and a quarter.
      const most = set.exact ? Math.max(16_384, 8 * size) : 4 * size + 3 * (size + Math.max(16, size / 4));
      expect(slots.length + rows.length + references.length, `${size}`).to.be.at.most(most);
    }
    expect(set.exact).to.equal(false);
  });

  for (const width of [12, 13, 33, 64, 65, 200])
    it(`holds sets of ${width} keys`, () => {
      const names = Array.from({ length: width }, (_, i) => `key${String(i).padStart(3, '0')}`);
      const rows = Array.from({ length: 40 }, (_, i) =>
        names.map((_, k) => (k === i % width ? `odd${i}` : i % 2)),
      );
      const set = filled(names, rows);
      if (width > 12) expect(set.exact).to.equal(false);
    });

  it('keeps a wide set right whatever values it starts with', () => {
    const rows = fc.uniqueArray(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 14, maxLength: 14 }), {
      selector: (row) => row.join(),
      maxLength: 40,
    });
    fc.assert(
      fc.property(rows, (distinct) => {
        filled(
          Array.from({ length: 14 }, (_, i) => `k${String(i).padStart(2, '0')}`),
          distinct,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('finds every row among ones whose hashes are equal', () => {
    // Permutations of one row of ids: a hash that added ids up without regard to position would see them all as one.
    const set = new KeySet(['a', 'b', 'c', 'd']);
    const rows: number[][] = [];
    for (let a = 0; a < 8; a++)
      for (let b = 0; b < 8; b++)
        for (let c = 0; c < 8; c++) for (let d = 0; d < 8; d++) rows.push([a, b, c, d]);
    rows.forEach((row, i) => set.add(row, i + 1));
    isIn(set, rows);
  });
});
