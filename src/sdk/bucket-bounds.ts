/**
 * Bucket bounds as they are used: a copy, ascending, without the infinities (the outer buckets are open
 * anyway) and without repetition. Undefined for what is no array of numbers. Never throws.
 */
export function bucketBounds(given: unknown): readonly number[] | undefined {
  if (!areNumbers(given)) return undefined;
  const finite = given.filter(Number.isFinite).sort((a, b) => a - b);
  return finite.filter((bound, i) => bound !== finite[i - 1]);
}

function areNumbers(values: unknown): values is number[] {
  try {
    return (
      Array.isArray(values) && values.every((value) => typeof value === 'number' && !Number.isNaN(value))
    );
  } catch {
    return false; // a revoked proxy, a getter that throws
  }
}
