/**
 * Adds up series and says what has changed since it was last asked: the points of the page
 * (page-protocol.ts).
 * There is one for each stream, and one for each group of a split.
 */
import type { ColumnDescription, ColumnKind } from '../collect/rows/column.ts';
import {
  addExponentialRow,
  coarserIndex,
  ROW_COUNT,
  ROW_COUNTS,
  ROW_MAX,
  ROW_MIN,
  ROW_RANGES,
  ROW_SCALE,
  ROW_SUM,
  ROW_ZERO_COUNT,
} from '../collect/rows/exponential.ts';
import {
  addHistogramRow,
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_SUM,
} from '../collect/rows/histogram.ts';
import type { Point, StreamKind } from './page-protocol.ts';

export interface Tally {
  /** Adds the row of a series at `at`. */
  add(values: Float64Array, at: number): void;
  /**
   * Ends a frame: what has changed since the frame before, undefined if nothing has. After that rows are
   * added anew. `isBase`: nothing is known of the time before, so what was counted so far is not new.
   */
  close(isBase: boolean): Point | undefined;
}

export const STREAM_KINDS: Readonly<Record<ColumnKind, StreamKind>> = {
  counter: 'counter',
  'up-down-counter': 'level',
  gauge: 'gauge',
  histogram: 'histogram',
  'exponential-histogram': 'exponential',
};

/** Sums are shown to so many digits. What lies beyond is rounding, and takes room. */
const DIGITS = 12;

function rounded(value: number): number {
  return Number.isSafeInteger(value) ? value : Number(value.toPrecision(DIGITS));
}

const MAKERS: Readonly<Record<StreamKind, (description: ColumnDescription) => Tally>> = {
  counter: () => new CounterTally(),
  level: () => new LevelTally(),
  gauge: () => new GaugeTally(),
  histogram: ({ words }) => new HistogramTally(words),
  exponential: ({ words, maxSize }) => new ExponentialTally(words, maxSize!),
};

/** A tally of series with this description. */
export function tallyOf(description: ColumnDescription): Tally {
  return MAKERS[STREAM_KINDS[description.kind]](description);
}

/** Whether its points say what happened in a frame, so that no point means nothing happened. */
export function isOfFrame(kind: StreamKind): boolean {
  return kind !== 'level' && kind !== 'gauge';
}

class CounterTally implements Tally {
  #total = 0;
  #previous = 0;

  add(values: Float64Array, at: number): void {
    this.#total += values[at]!;
  }

  /** A total falls where a series has ended or begun anew: that says nothing of what was recorded. */
  close(isBase: boolean): Point | undefined {
    const increase = this.#total - this.#previous;
    this.#previous = this.#total;
    this.#total = 0;
    return isBase || !(increase > 0) ? undefined : [rounded(increase)];
  }
}

class LevelTally implements Tally {
  #sum = 0;
  #previous: number | undefined;

  add(values: Float64Array, at: number): void {
    this.#sum += values[at]!;
  }

  close(): Point | undefined {
    const sum = this.#sum;
    this.#sum = 0;
    if (Object.is(sum, this.#previous)) return undefined;
    this.#previous = sum;
    return [rounded(sum)];
  }
}

class GaugeTally implements Tally {
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;
  #count = 0;
  #previous = '';

  add(values: Float64Array, at: number): void {
    const value = values[at]!;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    this.#count++;
  }

  close(): Point | undefined {
    const point =
      this.#count === 0 ? [] : [rounded(this.#sum / this.#count), this.#min, this.#max, this.#count];
    this.#sum = this.#count = 0;
    this.#min = Infinity;
    this.#max = -Infinity;
    const text = point.join();
    if (text === this.#previous) return undefined;
    this.#previous = text;
    return point;
  }
}

class HistogramTally implements Tally {
  readonly #words: number;
  #row: Float64Array;
  #previous: Float64Array;

  constructor(words: number) {
    this.#words = words;
    this.#row = new Float64Array(words);
    this.#previous = new Float64Array(words);
  }

  add(values: Float64Array, at: number): void {
    addHistogramRow(this.#row, 0, this.#words, values.subarray(at, at + this.#words));
  }

  close(isBase: boolean): Point | undefined {
    const row = this.#row;
    const previous = this.#previous;
    this.#row = previous;
    this.#previous = row;
    const count = row[HISTOGRAM_ROW_COUNT]! - previous[HISTOGRAM_ROW_COUNT]!;
    const point = [count, rounded(row[HISTOGRAM_ROW_SUM]! - previous[HISTOGRAM_ROW_SUM]!)];
    for (let i = HISTOGRAM_ROW_BUCKETS; i < this.#words; i++) {
      const more = row[i]! - previous[i]!;
      if (more > 0) point.push(i - HISTOGRAM_ROW_BUCKETS, more);
    }
    previous.fill(0);
    return isBase || count <= 0 ? undefined : point;
  }
}

/** The finest scale that is shown: 16 buckets from one power of two to the next. */
const FINEST_SCALE = 4;

/** Counts of an exponential histogram by bucket index. */
interface Buckets {
  readonly scale: number;
  readonly count: number;
  readonly sum: number;
  readonly zeros: number;
  readonly ranges: readonly [positive: Map<number, number>, negative: Map<number, number>];
}

class ExponentialTally implements Tally {
  readonly #maxSize: number;
  readonly #row: Float64Array;
  #previous: Buckets | undefined;
  #isEmpty = true;

  constructor(words: number, maxSize: number) {
    this.#maxSize = maxSize;
    this.#row = new Float64Array(words);
  }

  add(values: Float64Array, at: number): void {
    const row = this.#row;
    const part = values.subarray(at, at + row.length);
    if (this.#isEmpty) {
      row.fill(0);
      row[ROW_MIN] = Infinity;
      row[ROW_MAX] = -Infinity;
      row[ROW_SCALE] = part[ROW_SCALE]!;
      this.#isEmpty = false;
    }
    addExponentialRow(row, 0, part, this.#maxSize);
  }

  close(isBase: boolean): Point | undefined {
    const now = this.#isEmpty ? undefined : this.#buckets();
    this.#isEmpty = true;
    const before = this.#previous;
    this.#previous = now;
    if (isBase || now === undefined) return undefined;
    const count = now.count - (before?.count ?? 0);
    if (count <= 0) return undefined;
    const [positive, negative] = now.ranges.map((range, i) => {
      const old = before && coarser(before.ranges[i]!, before.scale - now.scale);
      return increases(range, old);
    });
    return [
      count,
      rounded(now.sum - (before?.sum ?? 0)),
      now.scale,
      now.zeros - (before?.zeros ?? 0),
      positive!.length / 2,
      ...positive!,
      ...negative!,
    ];
  }

  #buckets(): Buckets {
    const row = this.#row;
    const scale = Math.min(row[ROW_SCALE]!, FINEST_SCALE);
    const range = (number: 0 | 1): Map<number, number> => {
      const offset = row[ROW_RANGES + 2 * number]!;
      const length = row[ROW_RANGES + 2 * number + 1]!;
      const counts = new Map<number, number>();
      for (let i = 0; i < length; i++) {
        const count = row[ROW_COUNTS + number * this.#maxSize + i]!;
        if (count > 0) counts.set(offset + i, count);
      }
      return coarser(counts, row[ROW_SCALE]! - scale);
    };
    return {
      scale,
      count: row[ROW_COUNT]!,
      sum: row[ROW_SUM]!,
      zeros: row[ROW_ZERO_COUNT]!,
      ranges: [range(0), range(1)],
    };
  }
}

/** The same counts at a scale that is lower by `change`. */
function coarser(counts: Map<number, number>, change: number): Map<number, number> {
  if (change <= 0) return counts;
  const merged = new Map<number, number>();
  for (const [index, count] of counts) {
    const to = coarserIndex(index, change);
    merged.set(to, (merged.get(to) ?? 0) + count);
  }
  return merged;
}

function increases(now: Map<number, number>, before: Map<number, number> | undefined): number[] {
  const all: number[] = [];
  for (const [index, count] of now) {
    const more = count - (before?.get(index) ?? 0);
    if (more > 0) all.push(index, more);
  }
  return all;
}

/** The points of several groups as one. Points of an exponential histogram come to the coarsest scale. */
export function joined(kind: StreamKind, points: readonly Point[]): Point {
  switch (kind) {
    case 'counter':
    case 'level':
      return [rounded(points.reduce((sum, [value = 0]) => sum + value, 0))];
    case 'gauge':
      return joinedGauges(points.filter((point) => point.length > 0));
    case 'histogram':
      return [...headOf(points), ...pairsOf(points.map((point) => point.slice(2)))];
    case 'exponential':
      return joinedExponentials(points);
  }
}

function joinedGauges(points: readonly Point[]): Point {
  if (points.length === 0) return [];
  const series = points.reduce((sum, point) => sum + point[3]!, 0);
  return [
    rounded(points.reduce((sum, point) => sum + point[0]! * point[3]!, 0) / series),
    points.reduce((min, point) => Math.min(min, point[1]!), Infinity),
    points.reduce((max, point) => Math.max(max, point[2]!), -Infinity),
    series,
  ];
}

function joinedExponentials(points: readonly Point[]): Point {
  const scale = points.reduce((least, point) => Math.min(least, point[2]!), FINEST_SCALE);
  const at = (from: (point: Point) => Point): number[] =>
    pairsOf(
      points.map((point) =>
        from(point).map((value, i) => (i % 2 === 0 ? coarserIndex(value, point[2]! - scale) : value)),
      ),
    );
  const positive = at((point) => point.slice(5, 5 + 2 * point[4]!));
  const negative = at((point) => point.slice(5 + 2 * point[4]!));
  const zeros = points.reduce((sum, point) => sum + point[3]!, 0);
  return [...headOf(points), scale, zeros, positive.length / 2, ...positive, ...negative];
}

/** Count and sum. */
function headOf(points: readonly Point[]): [number, number] {
  return [
    points.reduce((sum, point) => sum + point[0]!, 0),
    rounded(points.reduce((sum, point) => sum + point[1]!, 0)),
  ];
}

/** Lists of bucket and count, added up. */
function pairsOf(lists: readonly Point[]): number[] {
  const counts = new Map<number, number>();
  for (const list of lists)
    for (let i = 0; i < list.length; i += 2) counts.set(list[i]!, (counts.get(list[i]!) ?? 0) + list[i + 1]!);
  return [...counts].sort(([a], [b]) => a - b).flat();
}
