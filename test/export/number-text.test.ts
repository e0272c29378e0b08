import { expect } from 'chai';
import {
  canonicalBound,
  digitsOf,
  MAX_NUMBER_BYTES,
  numberText,
  writeNumber,
} from '../../src/export/number-text.ts';
import { randomOf } from './random-metrics.ts';

const bytes = Buffer.alloc(MAX_NUMBER_BYTES + 2);

function written(value: number): string {
  bytes.fill(0x23); // #
  const end = writeNumber(bytes, 1, value);
  expect(bytes[0]).to.equal(0x23);
  expect(bytes[end]).to.equal(0x23);
  return bytes.toString('latin1', 1, end);
}

/** As the language prints it; minus zero has no sign there, and the infinities are spelt otherwise. */
const expected = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);

describe('writeNumber', () => {
  it('writes the edges of what it handles by itself', () => {
    const edges = [
      0,
      -0,
      NaN,
      Infinity,
      -Infinity,
      5e-324,
      Number.MAX_VALUE,
      1e-6,
      1e-7,
      1e21,
      1e20,
      0.1 + 0.2,
      1 / 3,
      999_999_999_999_999.9,
    ];
    for (let power = 0; power <= 22; power++)
      for (const delta of [-1, -0.5, -1e-6, 0, 1e-6, 0.5, 1])
        edges.push(10 ** power + delta, 10 ** -power + delta * 1e-12, 2 ** (2 * power + 10) + delta);
    for (const edge of edges)
      for (const value of [edge, -edge]) expect(written(value)).to.equal(expected(value));
  });

  const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
  it(`writes what the language writes (seed ${SEED})`, () => {
    const random = randomOf(SEED);
    const double = new Float64Array(1);
    const words = new Uint32Array(double.buffer);
    for (let i = 0; i < 300_000; i++) {
      let value: number;
      switch (i % 4) {
        case 0: // any bits
          words[0] = random() * 2 ** 32;
          words[1] = random() * 2 ** 32;
          value = double[0]!;
          break;
        case 1: // few decimals
          value = Math.round(random() * 10 ** Math.floor(random() * 17)) / 10 ** Math.floor(random() * 9);
          break;
        case 2: // whole
          value = Math.floor(random() * 2 ** Math.floor(random() * 70));
          break;
        default: // beside a short decimal
          double[0] = Math.round(random() * 10 ** Math.floor(random() * 12)) / 10 ** Math.floor(random() * 7);
          words[0]! += random() < 0.5 ? 1 : -1;
          value = -double[0];
      }
      const text = written(value);
      if (text !== expected(value)) expect(text).to.equal(expected(value));
      if (numberText(value) !== text) expect(numberText(value)).to.equal(text);
    }
  });

  it('counts digits', () => {
    for (let power = 1; power <= 15; power++) {
      expect(digitsOf(10 ** power - 1)).to.equal(power);
      expect(digitsOf(10 ** power)).to.equal(power + 1);
    }
    expect(digitsOf(0)).to.equal(1);
    expect(digitsOf(Number.MAX_SAFE_INTEGER)).to.equal(16);
  });
});

describe('canonicalBound', () => {
  it('writes bounds as Go prints a float64', () => {
    const bounds: [number, string][] = [
      [0, '0.0'],
      [1, '1.0'],
      [-5, '-5.0'],
      [0.005, '0.005'],
      [0.0001, '0.0001'],
      [0.00001, '1e-05'],
      [10_000, '10000.0'],
      [999_999, '999999.0'],
      [1e6, '1e+06'],
      [1_234_567.5, '1.2345675e+06'],
      [1e21, '1e+21'],
      [2.5e-10, '2.5e-10'],
      [Infinity, '+Inf'],
    ];
    for (const [bound, text] of bounds) expect(canonicalBound(bound)).to.equal(text);
  });
});
