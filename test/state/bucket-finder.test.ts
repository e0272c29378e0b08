import { expect } from 'chai';
import * as fc from 'fast-check';
import { BucketFinder } from '../../src/state/bucket-finder.ts';

/** The definition: the first bound that is not below the value. */
function bucketOf(value: number, bounds: readonly number[]): number {
  const found = bounds.findIndex((bound) => value <= bound);
  return found === -1 ? bounds.length : found;
}

/** Each bound, its neighbours among the float64 numbers, and the ends. */
function valuesAround(bounds: readonly number[]): number[] {
  const values = [0, -0, 5e-324, -5e-324, 1, -1, Number.MAX_VALUE, -Number.MAX_VALUE, Infinity, -Infinity];
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  for (const bound of bounds) {
    values.push(bound);
    for (const step of [-1n, 1n]) {
      number[0] = bound;
      bits[0] = bits[0]! + step;
      if (!Number.isNaN(number[0])) values.push(number[0]);
    }
  }
  return values;
}

function check(bounds: readonly number[], values: readonly number[]): void {
  const finder = new BucketFinder(bounds);
  for (const value of values)
    if (finder.find(value) !== bucketOf(value, bounds))
      expect.fail(`${value} among ${bounds.join()}: ${finder.find(value)}, not ${bucketOf(value, bounds)}`);
}

describe('BucketFinder', () => {
  const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
  const ascending = (numbers: readonly number[]): number[] =>
    [...new Set(numbers.map((n) => n + 0))].sort((a, b) => a - b);

  it('finds the first bound that is not below the value', () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 40 }), fc.array(finite), (numbers, values) => {
        const bounds = ascending(numbers);
        check(bounds, [...values, ...valuesAround(bounds)]);
      }),
    );
  });

  it('does so when many bounds share an octave, below zero too', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { maxLength: 60 }), (numbers) => {
        const bounds = ascending(numbers);
        check(bounds, valuesAround(bounds));
      }),
    );
    for (const many of [8, 9, 10, 70_000]) {
      const bounds = Array.from({ length: many }, (_, i) => 1 + i / many);
      check(bounds, [0, 0.5, 1, 1.5, 1 + 8 / many, 1.99, 2, 3, Infinity]);
    }
  });

  it('has one bucket without bounds', () => {
    check([], valuesAround([1]));
  });
});
