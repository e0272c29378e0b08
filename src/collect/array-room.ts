/**
 * How long an array of numbers is made that is to have an element `last`: a quarter longer than it must be. What a reader keeps of each series
 * is in such arrays; doubled, they would be empty by a third on the average, and by half where all series come at once.
 */
export function roomFor(last: number): number {
  return last + 1 + Math.max(8, last >> 2);
}
