/**
 * Attributes to record with, the same for every contender: a column of values per key, as long as a batch, in which every
 * series comes up, in a shuffled order.
 */
import { Buffer } from 'node:buffer';

/** Records of one batch. */
export const BATCH = 4096;

export type AttributeCount = 0 | 1 | 3 | 6;

const KEYS = ['method', 'route', 'status', 'host', 'region', 'tenant'] as const;

/** Values per key for a number of series. Their product is the number of series. */
const VALUE_COUNTS: Readonly<Record<AttributeCount, (series: number) => readonly number[]>> = {
  0: () => [],
  1: (series) => [series],
  3: (series) => (series < 20 ? [series, 1, 1] : [4, series / 20, 5]),
  6: (series) => (series < 40 ? [series, 1, 1, 1, 1, 1] : [2, series / 20, 5, 2, 1, 1]),
};

export function keysOf(count: AttributeCount): readonly string[] {
  return count === 1 ? ['route'] : KEYS.slice(0, count);
}

export type Column = (string | number)[];

/** A string as a constant in a program's source is: one of those the engine keeps once. Property names are. */
function constant(text: string): string {
  return Object.keys({ [text]: true })[0]!;
}

/** The values of one key for every series, in order of the series' numbers. */
function valuesOf(count: AttributeCount, series: number): Column[] {
  const counts = VALUE_COUNTS[count](series);
  if (
    !counts.every(Number.isInteger) ||
    counts.reduce((product, n) => product * n, 1) !== (count === 0 ? 1 : series)
  )
    throw new RangeError(`no ${count} attributes for ${series} series`);
  let stride = 1;
  return keysOf(count).map((key, i) => {
    const every = stride;
    const distinct = counts[i]!;
    stride *= distinct;
    const values = Array.from({ length: distinct }, (_, n) =>
      key === 'status' ? 200 + n : constant(`/${key}/${n}`),
    );
    return Array.from({ length: series }, (_, n) => values[Math.floor(n / every) % distinct]!);
  });
}

/** Every number below `count`, in an order without a pattern, the same in each run. */
function shuffled(count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  let state = 0x2545f491;
  for (let i = count - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (i + 1);
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
  return order;
}

/** Columns of `rows` values. Every series comes up when `rows` is at least `series`. */
export function columnsOf(count: AttributeCount, series: number, rows: number = BATCH): Column[] {
  const order = shuffled(series);
  return valuesOf(count, series).map((values) =>
    Array.from({ length: rows }, (_, row) => values[order[row % series]!]!),
  );
}

/** The rows of some columns as objects: one object per series, however often it comes up. */
export function objectsOf(
  keys: readonly string[],
  columns: readonly Column[],
): Record<string, string | number>[] {
  const known = new Map<string, Record<string, string | number>>();
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, row) => {
    const entries = keys.map((key, i): [string, string | number] => [key, columns[i]![row]!]);
    const identity = JSON.stringify(entries);
    let object = known.get(identity);
    if (object === undefined) known.set(identity, (object = Object.fromEntries(entries)));
    return object;
  });
}

/**
 * Replaces the strings of the columns by equal ones no table of the engine knows, whose hash was never asked for: what a
 * program gets that reads them from a socket. Call before each batch, so that each string is used once.
 */
export function renewStrings(columns: readonly Column[], texts: ReadonlyMap<string, Buffer>): void {
  for (const column of columns) {
    if (typeof column[0] !== 'string') continue;
    for (let row = 0; row < column.length; row++)
      column[row] = texts.get(column[row] as string)!.toString('latin1');
  }
}

/** The bytes of every string in some columns, for `renewStrings`. */
export function textsOf(columns: readonly Column[]): Map<string, Buffer> {
  const strings = columns.flat().filter((value) => typeof value === 'string');
  return new Map([...new Set(strings)].map((text) => [text, Buffer.from(text, 'latin1')]));
}

/**
 * Values for gauges and histograms: 0.05 to 20,000, so that every bucket is met. Boxed beforehand (the array holds a string
 * too, so it holds objects and not raw doubles): no call has to box its argument and be charged for it.
 */
export function recordedValues(): number[] {
  const values: unknown[] = shuffled(BATCH).map((n) => 0.05 * 400_000 ** (n / BATCH));
  values.push('');
  return values as number[];
}
