import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_RANGES,
  EXPONENTIAL_SCALE,
  ExponentialShape,
  initExponential,
  readExponentialInto,
  recordToExponentialFast,
  recordToExponentialStrict,
} from '../../../src/state/cells/exponential-histogram-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { exactIndex } from '../../support/exact-index.ts';
import { makeMemory, type Memory } from '../../support/stepped-memory.ts';

type Record = typeof recordToExponentialFast;

const SMALLEST_NORMAL = 2 ** -1022;

/** Numbers of ranges that need few and many steps of scale, zeros, and the ends of the number line. */
const magnitudes = fc.oneof(
  fc.double({ min: 1, max: 1.001, noNaN: true }),
  fc.double({ min: 0.001, max: 1000, noNaN: true }),
  fc.integer({ min: 0, max: 64 }),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, Number.MIN_VALUE, SMALLEST_NORMAL, 1, Number.MAX_VALUE),
);
const signed = fc.tuple(magnitudes, fc.boolean()).map(([value, minus]) => (minus ? -value + 0 : value)); // no -0: min and max may keep either zero

/** Counts by index, as an object the tests can compare. */
type Counts = ReadonlyMap<number, number>;

function countsOf(indices: readonly number[]): Counts {
  const counts = new Map<number, number>();
  for (const index of [...indices].sort((a, b) => a - b)) counts.set(index, (counts.get(index) ?? 0) + 1);
  return counts;
}

/** Flat form of scale and counts: [scale, (index, count)... of both signs, separated by NaN]. */
function flat(scale: number, positive: Counts, negative: Counts): number[] {
  return [scale, ...[...positive].flat(), NaN, ...[...negative].flat()];
}

function read({ words, doubles }: Memory, at: number, shape: ExponentialShape): number[] {
  const into = new Float64Array(shape.copyWords);
  expect(readExponentialInto(words, doubles, at, shape, into)).to.equal(1);
  const range = (r: number): Counts => {
    const counts = new Map<number, number>();
    const [offset, length] = into.subarray(EXPONENTIAL_RANGES + 2 * r);
    for (let i = 0; i < length!; i++) {
      const count = into[EXPONENTIAL_COUNTS + r * shape.maxSize + i]!;
      if (count === 0)
        expect(i).to.be.within(1, length! - 2); // nothing is copied that is not in use
      else counts.set(offset! + i, count);
    }
    return counts;
  };
  return [...into.subarray(0, 5), ...flat(into[EXPONENTIAL_SCALE]!, range(0), range(1))];
}

/** The highest scale up to `maxScale` at which all values fit, found by trying one after the other. */
function model(values: readonly number[], maxSize: number, maxScale: number): number[] {
  const sum = values.reduce((total, value) => total + value, 0);
  const min = values.reduce((least, value) => (value < least ? value : least), Infinity);
  const max = values.reduce((most, value) => (value > most ? value : most), -Infinity);
  const zeros = values.filter((value) => value === 0).length;
  for (let scale = maxScale; ; scale--) {
    const indices = (sign: number): number[] =>
      values
        .filter((value) => value * sign > 0)
        .map((value) => exactIndex(Math.max(Math.abs(value), SMALLEST_NORMAL), scale));
    const sides = [indices(1), indices(-1)] as const;
    if (sides.some((side) => Math.max(...side) - Math.min(...side) >= maxSize)) continue;
    return [values.length, sum, min, max, zeros, ...flat(scale, countsOf(sides[0]), countsOf(sides[1]))];
  }
}

function makeCell(shape: ExponentialShape): Memory {
  const memory = makeMemory(1 + shape.cellWords + shape.arrayWords);
  initExponential(memory.doubles, 1, shape);
  shape.spare = 1 + shape.cellWords;
  return memory;
}

describe('exponential histogram cell', () => {
  for (const [form, record] of [
    ['FAST', recordToExponentialFast],
    ['STRICT', recordToExponentialStrict],
  ] as [string, Record][]) {
    describe(form, () => {
      for (const [maxSize, maxScale, negative] of [
        [2, 20, false],
        [7, 20, true],
        [160, 20, false],
        [160, 3, true],
      ] as const) {
        describe(`with ${maxSize} buckets, from scale ${maxScale}${negative ? ', of either sign' : ''}`, () => {
          const shape = new ExponentialShape(maxSize, maxScale, negative);
          itObeysTheCellLaws<number>({
            cellWords: shape.cellWords + shape.arrayWords,
            records: negative ? signed : magnitudes,
            init({ words, doubles }, at) {
              expect(words[at << 1]! & 1).to.equal(0); // as for the histogram cell
              initExponential(doubles, at, shape);
              shape.spare = at + shape.cellWords;
            },
            record: ({ words, doubles }, at, value) => record(words, doubles, at, shape, value),
            read: (memory, at) => read(memory, at, shape),
            model: (values) => model(values, maxSize, maxScale),
          });
        });
      }

      it('keeps the highest scale for one value, however often it comes, and whatever zeros come before', () => {
        const shape = new ExponentialShape(160, 20, false);
        const memory = makeCell(shape);
        for (const value of [0, 0, 3, 3, 3, 0]) record(memory.words, memory.doubles, 1, shape, value);
        expect(read(memory, 1, shape)).to.deep.equal([6, 9, 0, 3, 3, 20, exactIndex(3, 20), 3, NaN]);
      });

      it('reaches the scale that a row of values needs by any path to it', () => {
        const shape = new ExponentialShape(8, 20, false);
        const values = Array.from({ length: 40 }, (_, i) => 1.07 ** i);
        const expected = model(values, 8, 20).slice(5);
        for (const order of [values, [...values].reverse(), [...values.slice(20), ...values.slice(0, 20)]]) {
          const memory = makeCell(shape);
          for (const value of order) record(memory.words, memory.doubles, 1, shape, value);
          expect(read(memory, 1, shape).slice(5)).to.deep.equal(expected);
        }
      });

      it('counts a negative value where none was to come without touching other memory', () => {
        const shape = new ExponentialShape(2, 20, false);
        const end = 1 + shape.cellWords + shape.arrayWords;
        const memory = makeMemory(end + 1);
        memory.doubles[end] = 42;
        initExponential(memory.doubles, 1, shape);
        shape.spare = 1 + shape.cellWords;
        for (const value of [-1, -5, 3]) record(memory.words, memory.doubles, 1, shape, value);
        expect(memory.doubles[end]).to.equal(42);
        expect(read(memory, 1, shape)[0]).to.equal(3);
      });

      it('moves seldom: a range that grows bucket by bucket fills the array in few moves', () => {
        const shape = new ExponentialShape(160, 3, false);
        for (const direction of [1, -1]) {
          const memory = makeCell(shape);
          let moves = 0;
          let { spare } = shape;
          for (let i = 0; i < 160; i++) {
            record(memory.words, memory.doubles, 1, shape, 2 ** (100 + (direction * i + 0.5) / 8));
            if (shape.spare !== spare) moves++;
            ({ spare } = shape);
          }
          expect(moves).to.be.within(1, 9);
          expect(read(memory, 1, shape)[5]).to.equal(3);
        }
      });
    });
  }
});
