/**
 * Powers of two between 1 and 2 against float64 numbers, exactly: the bounds of exponential buckets.
 *
 * A power is the product of roots 2^(1/2), 2^(1/4), .. 2^(2^-20), in double-double arithmetic (106 bits; T.
 * J. Dekker, A floating-point technique for extending the available precision, 1971). Bounds other than 1 and
 * 2 are irrational, so no number is equal to one; of all 2^20 none lies closer to a float64 than 2^-78.
 */

const LARGEST_SCALE = 20;

/** 2^(1/2), 2^(1/4), ... 2^(2^-20): each the nearest float64, and what is missing. */
const ROOTS = new Float64Array(LARGEST_SCALE);
const ROOT_RESTS = new Float64Array(LARGEST_SCALE);
for (let i = 0, root = 2, rest = 0; i < LARGEST_SCALE; i++) {
  const estimate = Math.sqrt(root);
  const square = estimate * estimate;
  const correction = (root - square - productError(estimate, estimate, square) + rest) / (2 * estimate);
  root = estimate + correction;
  rest = correction - (root - estimate);
  ROOTS[i] = root;
  ROOT_RESTS[i] = rest;
}

/**
 * Whether a number is greater than 2^(numerator / 2^scale), where that lies between 1 and 2 and is neither.
 * Scales from 1 to 20.
 */
export function isAbovePower(value: number, numerator: number, scale: number): boolean {
  let power = 1;
  let rest = 0;
  for (let i = 0; i < scale; i++) {
    if (((numerator >> (scale - 1 - i)) & 1) === 0) continue;
    const root = ROOTS[i]!;
    const product = power * root;
    const missing = productError(power, root, product) + (power * ROOT_RESTS[i]! + rest * root);
    power = product + missing;
    rest = missing - (power - product);
  }
  return value > power || (value === power && rest < 0);
}

/** The greatest number that is not above 2^(numerator / 2^scale), which may be 1 here. */
export function greatestUpTo(numerator: number, scale: number): number {
  if (numerator === 0) return 1;
  let number = 2 ** (numerator / 2 ** scale); // good to a few units in the last place
  while (isAbovePower(number, numerator, scale)) number -= Number.EPSILON;
  while (!isAbovePower(number + Number.EPSILON, numerator, scale)) number += Number.EPSILON;
  return number;
}

/**
 * a * b - product, exactly, where product is a * b as float64 (Dekker; Veltkamp's splitting). For numbers of
 * common size.
 */
function productError(a: number, b: number, product: number): number {
  const splitA = 134_217_729 * a; // 2^27 + 1
  const highA = splitA - (splitA - a);
  const lowA = a - highA;
  const splitB = 134_217_729 * b;
  const highB = splitB - (splitB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}
