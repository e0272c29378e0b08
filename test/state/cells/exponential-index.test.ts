import { expect } from 'chai';
import * as fc from 'fast-check';
import { exponentialIndex, MAX_SCALE, MIN_SCALE } from '../../../src/state/cells/exponential-index.ts';
import { exactIndex, neighbour } from '../../support/exact-index.ts';

const SMALLEST_NORMAL = 2 ** -1022;
const SCALES = Array.from({ length: MAX_SCALE - MIN_SCALE + 1 }, (_, i) => MIN_SCALE + i);
const normals = fc.double({ min: SMALLEST_NORMAL, noNaN: true, noDefaultInfinity: true });
const scales = fc.integer({ min: MIN_SCALE, max: MAX_SCALE });

function expectExact(value: number, scale: number): void {
  const index = exponentialIndex(value, scale);
  // Not by `expect` each time, which takes longer than what it looks at.
  if (index !== exactIndex(value, scale))
    expect(index, `${value} at scale ${scale}`).to.equal(exactIndex(value, scale));
}

describe('exponentialIndex', () => {
  it('is the exact bucket of any number at any scale', () => {
    fc.assert(fc.property(normals, scales, expectExact), { numRuns: 5000 });
  });

  it('is exact for the numbers about each bound of scales up to 8, in every octave that a test has time for', () => {
    for (const exponent of [-1022, -1, 0, 1, 52, 1023]) {
      for (let scale = 1; scale <= 8; scale++) {
        for (let n = 0; n < 1 << scale; n++) {
          const bound = 2 ** (n / 2 ** scale) * 2 ** exponent;
          for (let steps = exponent === -1022 && n === 0 ? 0 : -2; steps <= 2; steps++)
            expectExact(neighbour(bound, steps), scale);
        }
      }
    }
  });

  it('is exact for the numbers about bounds of higher scales', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: MAX_SCALE }),
        fc.nat({ max: 2 ** 20 - 1 }),
        fc.integer({ min: -1021, max: 1022 }),
        fc.integer({ min: -2, max: 2 }),
        (scale, n, exponent, steps) =>
          expectExact(neighbour(2 ** ((n % 2 ** scale) / 2 ** scale) * 2 ** exponent, steps), scale),
      ),
      { numRuns: 5000 },
    );
  });

  it('is exact where a bound lies nearest to a float64: 2^-78 of it away, at scale 20', () => {
    for (let steps = -1; steps <= 1; steps++) expectExact(neighbour(2 ** (308_076 / 2 ** 20), steps), 20);
  });

  it('puts a power of two into the bucket that ends with it', () => {
    for (let exponent = -1022; exponent <= 1023; exponent++) {
      for (const scale of SCALES) {
        const index = Math.ceil(exponent * 2 ** scale) - 1;
        if (exponentialIndex(2 ** exponent, scale) !== index)
          expect(exponentialIndex(2 ** exponent, scale), `2^${exponent} at scale ${scale}`).to.equal(index);
      }
    }
  });

  it('is halved by each step down in scale', () => {
    fc.assert(
      fc.property(normals, scales, (value, scale) => {
        expect(exponentialIndex(value, scale)).to.equal(
          Math.floor(exponentialIndex(value, MAX_SCALE) / 2 ** (MAX_SCALE - scale)),
        );
      }),
    );
  });

  it('counts subnormal numbers as the smallest normal one', () => {
    for (const value of [Number.MIN_VALUE, neighbour(SMALLEST_NORMAL, -1), SMALLEST_NORMAL]) {
      for (const scale of SCALES)
        expect(exponentialIndex(value, scale)).to.equal(Math.ceil(-1022 * 2 ** scale) - 1);
    }
  });

  it('has two buckets at the lowest scale and int32 indices at the highest', () => {
    expect(exponentialIndex(Number.MIN_VALUE, MIN_SCALE)).to.equal(-1);
    expect(exponentialIndex(1, MIN_SCALE)).to.equal(-1);
    expect(exponentialIndex(neighbour(1, 1), MIN_SCALE)).to.equal(0);
    expect(exponentialIndex(Number.MAX_VALUE, MIN_SCALE)).to.equal(0);
    expect(exponentialIndex(Number.MAX_VALUE, MAX_SCALE)).to.equal(2 ** 30 - 1);
    expect(exponentialIndex(Number.MIN_VALUE, MAX_SCALE)).to.equal(-1022 * 2 ** 20 - 1);
  });
});
