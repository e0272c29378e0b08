/**
 * What an app knows it recorded: plain numbers in its own variables, kept without the package under test. Values are
 * multiples of 1/128 below 2^40, so that every sum of them is exact in any order.
 */

export type Labels = Readonly<Record<string, string | number | boolean>>;

export interface BookedHistogram {
  count: number;
  sum: number;
  min: number;
  max: number;
  /** Of the buckets of `bounds`, upper bounds inclusive, the last one open. */
  buckets: number[];
}

export type BookedValue = number | BookedHistogram;

/** Values by name and attributes; see `seriesKey`. */
export type Books = Record<string, BookedValue>;

/** Names a series the same way in every format: the metric's name, and its attributes sorted by key. */
export function seriesKey(name: string, attributes: Labels): string {
  return JSON.stringify([
    name,
    Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))),
  ]);
}

export function nameAndAttributes(key: string): [string, Labels] {
  return JSON.parse(key) as [string, Labels];
}

/** Of histograms, how often each value was recorded: `values[series][value]`. */
export type Values = Record<string, Record<number, number>>;

export class Account {
  readonly books: Books = {};
  readonly values: Values = {};

  add(name: string, attributes: Labels, value: number): void {
    const key = seriesKey(name, attributes);
    this.books[key] = ((this.books[key] as number | undefined) ?? 0) + value;
  }

  set(name: string, attributes: Labels, value: number): void {
    this.books[seriesKey(name, attributes)] = value;
  }

  observe(name: string, attributes: Labels, value: number, bounds: readonly number[]): void {
    const key = seriesKey(name, attributes);
    const booked = (this.books[key] ??= {
      count: 0,
      sum: 0,
      min: Infinity,
      max: -Infinity,
      buckets: [...bounds, Infinity].map(() => 0),
    }) as BookedHistogram;
    const values = (this.values[key] ??= {});
    values[value] = (values[value] ?? 0) + 1;
    booked.count++;
    booked.sum += value;
    booked.min = Math.min(booked.min, value);
    booked.max = Math.max(booked.max, value);
    booked.buckets[[...bounds, Infinity].findIndex((bound) => value <= bound)]!++;
  }
}

/** The books of several threads or intervals as one; series of numbers and of histograms add up. */
export function addUp(all: readonly Books[]): Books {
  const total: Books = {};
  for (const [key, value] of all.flatMap((books) => Object.entries(books))) {
    const had = total[key];
    total[key] = had === undefined ? value : sumOf(had, value);
  }
  return total;
}

function sumOf(a: BookedValue, b: BookedValue): BookedValue {
  if (typeof a === 'number' || typeof b === 'number') return (a as number) + (b as number);
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    buckets: a.buckets.map((count, i) => count + b.buckets[i]!),
  };
}

export function addUpValues(all: readonly Values[]): Values {
  const total: Values = {};
  for (const [key, values] of all.flatMap((each) => Object.entries(each)))
    for (const [value, count] of Object.entries(values)) {
      const counts = (total[key] ??= {});
      counts[Number(value)] = (counts[Number(value)] ?? 0) + count;
    }
  return total;
}
