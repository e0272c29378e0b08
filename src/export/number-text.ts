/**
 * Numbers as text, byte for byte as the language converts them (shortest digits that read back as the same
 * double), except `+Inf` and `-Inf`, as Prometheus spells the infinities. Most metric values are whole or
 * have few decimals; they are converted by integer arithmetic.
 */

/** Bytes any double takes at most: sign, 17 digits, point, `e-308` or five leading zeros. */
export const MAX_NUMBER_BYTES = 25;

const ZERO = 48;
const POINT = 46;
const MINUS = 45;
const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 16 }, (_, i) => Number(`1e${i}`));
const MAX_DECIMALS = 6;
/** 15 digits always distinguish two decimal numbers as doubles, so the first one found is the shortest. */
const MAX_SCALED = 999_999_999_999_999;

/** Digits of a whole number from 0 to 2**53. */
export function digitsOf(whole: number): number {
  if (whole < 100_000) {
    if (whole < 100) return whole < 10 ? 1 : 2;
    return whole < 1000 ? 3 : whole < 10_000 ? 4 : 5;
  }
  let digits = 6;
  while (digits < 16 && whole >= POWERS_OF_TEN[digits]!) digits++;
  return digits;
}

/** True for what `writeWhole` can write. */
export function isWhole(value: number): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value;
}

/** Writes a whole number from 0 to 2**53 with exactly `digits` digits. */
export function writeWhole(bytes: Uint8Array, at: number, whole: number, digits: number): void {
  let end = at + digits;
  let rest = whole;
  while (rest >= 1_000_000_000) {
    const high = Math.floor(rest / 1_000_000_000);
    let low = (rest - high * 1_000_000_000) | 0;
    for (let i = 0; i < 9; i++) {
      const tens = (low / 10) | 0;
      bytes[--end] = ZERO + (low - tens * 10);
      low = tens;
    }
    rest = high;
  }
  let low = rest | 0;
  while (end > at) {
    const tens = (low / 10) | 0;
    bytes[--end] = ZERO + (low - tens * 10);
    low = tens;
  }
}

/** Writes any double at `at`, where MAX_NUMBER_BYTES must be free. Returns the end. */
export function writeNumber(bytes: Uint8Array, at: number, value: number): number {
  if (isWhole(value)) {
    const digits = digitsOf(value);
    writeWhole(bytes, at, value, digits);
    return at + digits;
  }
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-6 && magnitude < MAX_SCALED) {
    for (let decimals = 0; decimals <= MAX_DECIMALS; decimals++) {
      const power = POWERS_OF_TEN[decimals]!;
      const scaled = Math.round(magnitude * power);
      if (scaled > MAX_SCALED) break;
      // Both exact, so the division is the correctly rounded reading of the decimal text.
      if (scaled / power === magnitude) return writeDecimal(bytes, at, value < 0, scaled, decimals);
    }
  }
  return writeText(bytes, at, numberText(value));
}

function writeDecimal(
  bytes: Uint8Array,
  at: number,
  negative: boolean,
  scaled: number,
  decimals: number,
): number {
  if (negative) bytes[at++] = MINUS;
  if (decimals === 0) {
    const digits = digitsOf(scaled);
    writeWhole(bytes, at, scaled, digits);
    return at + digits;
  }
  const digits = Math.max(digitsOf(scaled), decimals + 1);
  writeWhole(bytes, at + 1, scaled, digits); // one place to the right, then the whole part goes back
  const point = at + digits - decimals;
  for (let i = at; i < point; i++) bytes[i] = bytes[i + 1]!;
  bytes[point] = POINT;
  return at + digits + 1;
}

function writeText(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

/** The same as a string. */
export function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}

/**
 * A bound in the form that OpenMetrics calls canonical for `le`: as Go prints a float64. Examples: `1.0`,
 * `0.25`, `1e+06`, `1e-05`.
 */
export function canonicalBound(bound: number): string {
  if (!Number.isFinite(bound)) return numberText(bound);
  const [mantissa, exponentText] = bound.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  if (bound !== 0 && (exponent < -4 || exponent >= 6))
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  const plain = String(bound);
  return Number.isInteger(bound) ? `${plain}.0` : plain;
}
