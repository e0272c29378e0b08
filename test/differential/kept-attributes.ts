function keptValue(read: () => unknown): unknown {
  try {
    const value = read();
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'symbol' || typeof value === 'function') return null;
    return typeof value === 'object' ? (JSON.parse(JSON.stringify(value) ?? 'null') as unknown) : value;
  } catch {
    return null;
  }
}

/** The attributes as this SDK keeps them. */
export function keptAttributes(attributes: unknown): object {
  const kept = {};
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return kept;
  for (const key of Object.keys(attributes).sort()) {
    const value = keptValue(() => (attributes as Record<string, unknown>)[key]);
    if (value === undefined) continue;
    Object.defineProperty(kept, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return kept;
}

/** Equal for equal attribute sets. */
export function setKey(attributes: object): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
}
