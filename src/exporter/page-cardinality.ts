import type { Attributes } from '@opentelemetry/api';
import { yieldToEventLoop } from '../base/event-loop.ts';
import { finished, hashText } from '../base/hash.ts';
import type { ColumnDescription } from '../collect/rows/column.ts';
import { OVERFLOW_ATTRIBUTES } from '../state/attributes.ts';
import type { MetricCardinality } from './page-protocol.ts';

const [OVERFLOW_KEY] = OVERFLOW_ATTRIBUTES.keys;
/** Series that are looked at without a pause. */
const SERIES_BETWEEN_TURNS = 2000;
/** Attributes that are looked at of a metric. */
const MAX_ATTRIBUTES = 16;

/** The values of one attribute, numbered: `NO_VALUE` for series without it. */
class AttributeValues {
  readonly #numbers = new Map<unknown, number>();
  readonly #hashes: [low: number, high: number][] = [[0, 0]];
  readonly #key: string;
  readonly ofSeries: Int32Array;

  constructor(key: string, series: number) {
    this.#key = key;
    this.ofSeries = new Int32Array(series);
  }

  get size(): number {
    return this.#numbers.size;
  }

  note(series: number, value: unknown): void {
    const id = typeof value === 'object' ? JSON.stringify(value) : (value as string | number | boolean);
    let number = this.#numbers.get(id);
    if (number === undefined) {
      number = this.#hashes.length;
      this.#numbers.set(id, number);
      const text = `${this.#key}\0${typeof value}\0${String(id)}`;
      this.#hashes.push([hashed(text, 1), hashed(text, 2)]);
    }
    this.ofSeries[series] = number;
  }

  /** Two hashes of the attribute as the series has it; zeros if it does not. */
  hashesOf(series: number): readonly [low: number, high: number] {
    return this.#hashes[this.ofSeries[series]!]!;
  }
}

function hashed(text: string, seed: number): number {
  return finished(hashText(text, 0, text.length, seed));
}

/**
 * Which attributes the series of a metric differ in: how many values each has, and how many series would be
 * left without it. In slices, with turns of the event loop in between.
 *
 * A series is told by the sum of the hashes of its attributes. Without one of them it is that sum without the
 * hash. Two of 100,000 series are taken for one with a chance of one in a million.
 */
export async function attributesOf(series: readonly Attributes[]): Promise<MetricCardinality['attributes']> {
  const found = new Map<string, AttributeValues>();
  const low = new Int32Array(series.length);
  const high = new Int32Array(series.length);
  for (let i = 0; i < series.length; i++) {
    if (i % SERIES_BETWEEN_TURNS === 0) await yieldToEventLoop();
    const attributes = series[i]! as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(attributes)) {
      if (key === OVERFLOW_KEY) continue; // not the app's
      let values = found.get(key);
      if (values === undefined) {
        if (found.size >= MAX_ATTRIBUTES) continue;
        found.set(key, (values = new AttributeValues(key, series.length)));
      }
      values.note(i, attributes[key]);
      const [partLow, partHigh] = values.hashesOf(i);
      low[i] = low[i]! + partLow;
      high[i] = high[i]! + partHigh;
    }
  }
  const all = [];
  for (const [key, values] of found) {
    const left = new Set<number>();
    for (let i = 0; i < series.length; i++) {
      if (i % SERIES_BETWEEN_TURNS === 0) await yieldToEventLoop();
      const [partLow, partHigh] = values.hashesOf(i);
      left.add(joined((low[i]! - partLow) | 0, (high[i]! - partHigh) | 0));
    }
    all.push({ key, values: values.size, without: left.size });
  }
  return all.sort((a, b) => b.values - a.values);
}

/** 53 bits: all that a number holds exactly. */
function joined(low: number, high: number): number {
  return (low >>> 0) * 2 ** 21 + (high >>> 11);
}

/** What a counter series takes: cell and directory record. */
const SERIES_BYTES = 56;

/** Bytes of the store that a series takes in one thread, about (docs/performance.md). */
export function seriesBytesOf({ kind, words }: ColumnDescription): number {
  if (kind === 'histogram') return SERIES_BYTES + 8 * words + 32;
  return kind === 'exponential-histogram' ? SERIES_BYTES + 8 * words + 64 : SERIES_BYTES;
}
