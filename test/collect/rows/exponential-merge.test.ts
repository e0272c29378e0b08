import { expect } from 'chai';
import * as fc from 'fast-check';
import { addExponentialRow } from '../../../src/collect/rows/exponential.ts';
import * as exponentialRow from '../../../src/collect/rows/exponential.ts';

const SIZE = 5;
const WORDS = exponentialRow.exponentialLayout(SIZE, 2, true, true).words;

interface Part {
  readonly scale: number;
  /** By range: index of the first bucket, and the counts from there on. */
  readonly ranges: readonly { readonly offset: number; readonly counts: readonly number[] }[];
}

/** None, or those from the first that is not 0 to the last that is not 0. */
const counts: fc.Arbitrary<number[]> = fc.oneof(
  fc.constantFrom<number[]>([], [1]),
  fc.array(fc.nat(3), { maxLength: SIZE - 2 }).map((between) => [1, ...between, 2]),
);
const range = fc.record({ offset: fc.integer({ min: -40, max: 40 }), counts });
const part: fc.Arbitrary<Part> = fc.record({
  scale: fc.integer({ min: -3, max: 6 }),
  ranges: fc.tuple(range, range),
});

/** What is not in use is rubbish, as it is where a row held another series before. */
function rowOf({ scale, ranges }: Part): Float64Array {
  const row = new Float64Array(WORDS).fill(NaN);
  row.set([7, 0.5, -1, 2, 3, scale]);
  for (const [r, { offset, counts: own }] of ranges.entries()) {
    row.set([own.length === 0 ? 0 : offset, own.length], exponentialRow.ROW_RANGES + 2 * r);
    row.set(own, exponentialRow.ROW_COUNTS + r * SIZE);
  }
  return row;
}

/** Scale and [index, count] of both ranges: the highest scale at which all fits, found by trying one after the other. */
function model(parts: readonly Part[]): [number, ...[number, number][][]] {
  for (let scale = Math.min(...parts.map((one) => one.scale)); ; scale--) {
    const sums = [0, 1].map((r) => {
      const sum = new Map<number, number>();
      for (const { scale: own, ranges } of parts)
        ranges[r]!.counts.forEach((count, i) => {
          const index = (ranges[r]!.offset + i) >> (own - scale);
          if (count > 0) sum.set(index, (sum.get(index) ?? 0) + count);
        });
      return [...sum].sort(([a], [b]) => a - b);
    });
    if (sums.every((sum) => sum.length === 0 || sum.at(-1)![0] - sum[0]![0] < SIZE)) return [scale, ...sums];
  }
}

describe('adding exponential rows', () => {
  it('gives what one writer would have, whatever scales and places they have and what was in the row before', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const row = new Float64Array(100).fill(NaN);
        const at = 20;
        row.set(rowOf(parts[0]!), at);
        for (const other of parts.slice(1)) addExponentialRow(row, at, rowOf(other), SIZE);
        const used = [0, 1].map((r) => {
          const [offset, length] = row.subarray(at + exponentialRow.ROW_RANGES + 2 * r);
          const from = at + exponentialRow.ROW_COUNTS + r * SIZE;
          return [...row.subarray(from, from + length!)]
            .map((count, i): [number, number] => [offset! + i, count])
            .filter(([, count]) => count !== 0);
        });
        expect([row[at + exponentialRow.ROW_SCALE]!, ...used]).to.deep.equal(model(parts));
        expect([...row.subarray(at, at + 5)]).to.deep.equal(
          [7, 0.5, -1, 2, 3].map((n, i) => (i === 2 || i === 3 ? n : n * parts.length)),
        );
        expect([...row.subarray(0, at), ...row.subarray(at + WORDS)].every(Number.isNaN)).to.equal(true);
      }),
    );
  });
});
