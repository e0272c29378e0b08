/** In place of numbers that are one attribute to the official SDK. */
const MARKS = new Map([NaN, Infinity, -Infinity].map((number) => [number, `\u0000${number}`]));

function marked(value: unknown): unknown {
  return MARKS.get(value as number) ?? value;
}

/** Attributes of the official SDK with the numbers that marks stand for. */
export function withoutMarks(attributes: object): object {
  const numbers = new Map([...MARKS].map(([number, mark]) => [mark, number]));
  return Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      numbers.get(value as string) ?? (value as unknown),
    ]),
  );
}

function withSortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function keptValue(read: () => unknown): unknown {
  try {
    const value = read();
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'symbol' || typeof value === 'function') return null;
    return typeof value === 'object'
      ? (JSON.parse(JSON.stringify(value) ?? 'null', withSortedKeys) as unknown)
      : marked(value);
  } catch {
    return null;
  }
}

/** The attributes as this SDK keeps them. */
export function keptAttributes(attributes: unknown): object {
  const kept = {};
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return kept;
  for (const key of Object.keys(attributes).sort()) {
    if (key === '') continue;
    const value = keptValue(() => (attributes as Record<string, unknown>)[key]);
    if (value === undefined) continue;
    Object.defineProperty(kept, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return kept;
}

/** Equal for equal attribute sets. */
export function setKey(attributes: object): string {
  const entries = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(entries, (_key, value: unknown) => marked(value));
}
