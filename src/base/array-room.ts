/**
 * How long an array of numbers is made that is to have an element `last`: a quarter longer than it must be.
 * What is kept of each series is in such arrays; doubled, they would be empty by a third on the average, and
 * by half where all series come at once.
 */
export function roomFor(last: number): number {
  return last + 1 + Math.max(8, last >> 2);
}

/** A copy that is `length` long, with zeros at its end. */
export function lengthened<T extends Int32Array | Int16Array | Uint8Array | Float64Array>(
  from: T,
  length: number,
): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(from);
  return to;
}
