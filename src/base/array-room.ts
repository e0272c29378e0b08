/**
 * The length of an array of numbers that shall have an element `last`: a quarter more than needed. What is
 * kept of each series is in such arrays. Arrays that double would be a third empty on average, and half empty
 * if all series come at once.
 */
export function roomFor(last: number): number {
  return last + 1 + Math.max(8, last >> 2);
}

/** A copy of length `length`, with zeros at its end. */
export function lengthened<T extends Int32Array | Int16Array | Uint8Array | Float64Array>(
  from: T,
  length: number,
): T {
  const to = new (from.constructor as new (length: number) => T)(length);
  to.set(from);
  return to;
}
