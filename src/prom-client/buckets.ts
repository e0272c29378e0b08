/** `count` bounds, the first at `start`, each `width` above the one before. */
export function linearBuckets(start: number, width: number, count: number): number[] {
  if (count < 1) throw new Error('Linear buckets needs a positive count');
  const buckets = roomFor(count);
  for (let i = 0; i < count; i++) buckets[i] = start + i * width;
  return buckets;
}

/** `count` bounds, the first at `start`, each `factor` times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  if (start <= 0) throw new Error('Exponential buckets needs a positive start');
  if (count < 1) throw new Error('Exponential buckets needs a positive count');
  if (factor <= 1) throw new Error('Exponential buckets needs a factor greater than 1');
  const buckets = roomFor(count);
  let bound = start;
  for (let i = 0; i < count; i++, bound *= factor) buckets[i] = bound;
  return buckets;
}

/** Throws a RangeError for what is no length. */
function roomFor(count: number): number[] {
  const room: number[] = [];
  room.length = count;
  return room;
}
