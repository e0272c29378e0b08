import type { Attributes } from '@opentelemetry/api';
import { finished, hashText, withWord } from '../base/hash.ts';
import {
  scalarIdentity,
  textIdentity,
  type AttributeValue,
  type CanonicalAttributes,
} from '../state/attributes.ts';

/** Characters of a text that are hashed, from each end. */
const HASHED = 64;

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/**
 * Finds the series of a stream by their attributes: a hash table of series numbers. It holds no attributes of its own; whether a series is the
 * one that is looked for is asked of the stream, and only where the hashes are equal. Nothing is allocated to find one or to add one.
 */
export class SeriesIndex {
  readonly #attributesOf: (series: number) => Attributes;
  #hashes = new Int32Array(16);
  #series = new Int32Array(16); // number + 1, 0 = free; at most half full
  #size = 0;
  #keys: readonly string[] = [];
  #keysHash = 0;

  constructor(attributesOf: (series: number) => Attributes) {
    this.#attributesOf = attributesOf;
  }

  /** What `find` and `add` want. Keys that come again as the same array are hashed once. */
  hashOf({ keys, values }: CanonicalAttributes): number {
    if (keys !== this.#keys) {
      this.#keys = keys;
      this.#keysHash = keys.reduce((hash, key) => hashOfText(key, hash), 0);
    }
    let hash = this.#keysHash;
    for (let i = 0; i < values.length; i++) hash = hashOfValue(values[i], hash);
    return finished(hash);
  }

  /** The series with these attributes, or -1. */
  find(hash: number, attributes: CanonicalAttributes): number {
    const mask = this.#series.length - 1;
    for (let at = hash & mask; this.#series[at] !== 0; at = (at + 1) & mask) {
      const series = this.#series[at]! - 1;
      if (this.#hashes[at] === hash && areSame(this.#attributesOf(series), attributes)) return series;
    }
    return -1;
  }

  /** Adds a series that `find` did not find. */
  add(hash: number, series: number): void {
    if (2 * ++this.#size > this.#series.length) this.#grow();
    this.#put(hash, series + 1);
  }

  #put(hash: number, entry: number): void {
    const mask = this.#series.length - 1;
    let at = hash & mask;
    while (this.#series[at] !== 0) at = (at + 1) & mask;
    this.#hashes[at] = hash;
    this.#series[at] = entry;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const series = this.#series;
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#series = new Int32Array(2 * series.length);
    for (let i = 0; i < series.length; i++) if (series[i] !== 0) this.#put(hashes[i]!, series[i]!);
  }
}

function hashOfText(text: string, seed: number): number {
  const { length } = text;
  const hash = hashText(text, 0, Math.min(length, HASHED), withWord(seed, length));
  return length <= HASHED ? hash : hashText(text, Math.max(HASHED, length - HASHED), length, hash);
}

/** Equal for values that are one attribute. */
function hashOfValue(value: AttributeValue, seed: number): number {
  if (typeof value === 'string') return hashOfText(value, seed);
  if (typeof value === 'object' && value !== null) return hashOfText(textIdentity(value), ~seed);
  const identity = scalarIdentity(value);
  if (typeof identity === 'number') {
    double[0] = identity + 0; // the two zeros are one attribute
    return withWord(withWord(seed, halves[0]!), halves[1]!);
  }
  return withWord(seed, identity === null ? 1 : identity === true ? 2 : 3);
}

function areSame(attributes: Attributes, { keys, values }: CanonicalAttributes): boolean {
  return (
    Object.keys(attributes).length === keys.length &&
    keys.every(
      (key, i) => Object.hasOwn(attributes, key) && isSame(attributes[key] as AttributeValue, values[i]),
    )
  );
}

function isSame(a: AttributeValue, b: AttributeValue): boolean {
  if (typeof a === 'object' && a !== null)
    return typeof b === 'object' && b !== null && textIdentity(a) === textIdentity(b);
  return (typeof b !== 'object' || b === null) && scalarIdentity(a) === scalarIdentity(b);
}
