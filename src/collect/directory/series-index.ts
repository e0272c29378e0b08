import type { Attributes } from '@opentelemetry/api';
import { finished, HASH_SEED, hashText, withWord } from '../../base/hash.ts';
import {
  areSameValue,
  isComposite,
  textIdentity,
  type AttributeValue,
  type CanonicalAttributes,
} from '../../state/attributes.ts';
import { lengthened, roomFor } from '../../base/array-room.ts';

const double = new Float64Array(1);
const halves = new Int32Array(double.buffer);

/**
 * Finds the series of a stream by their attributes: a hash table of series numbers. It holds no attributes.
 * If two hashes are equal, it asks the stream whether the series is the right one. Finding or adding a series
 * allocates nothing.
 *
 *   hashes[series]     slots[hash reduced to their number, or the next free one] = series + 1, 0 = free
 */
export class SeriesIndex {
  readonly #attributesOf: (series: number) => Attributes;
  #hashes = new Int32Array(8);
  #slots = new Int32Array(12); // at most two thirds are used
  readonly #replaced = new Set<number>();
  #keys: readonly string[] = [];
  #keysHash = 0;

  constructor(attributesOf: (series: number) => Attributes) {
    this.#attributesOf = attributesOf;
  }

  /** The attributes that `find` and `add` take. Keys that come again as the same array are hashed once. */
  hashOf({ keys, values }: CanonicalAttributes): number {
    if (keys !== this.#keys) {
      this.#keys = keys;
      this.#keysHash = keys.reduce((hash, key) => hashOfText(key, hash), HASH_SEED);
    }
    let hash = this.#keysHash;
    for (let i = 0; i < values.length; i++) hash = hashOfValue(values[i]!, hash);
    return finished(hash);
  }

  /** The series with these attributes, or -1. */
  find(hash: number, attributes: CanonicalAttributes): number {
    for (let at = this.#slotOf(hash); ; at = this.#after(at)) {
      const series = this.#slots[at]! - 1;
      if (series < 0) return -1;
      if (this.#hashes[series] === hash && areSame(this.#attributesOf(series), attributes)) return series;
    }
  }

  /** Adds a series that `find` did not find. It gets the next number. */
  add(hash: number, series: number): void {
    if (series === this.#hashes.length) this.#grow();
    this.#hashes[series] = hash;
    this.#put(series);
  }

  /** Puts a series in the place of another with the same attributes, which is found no more. */
  replace(hash: number, before: number, series: number): void {
    if (series === this.#hashes.length) this.#grow();
    this.#hashes[series] = hash;
    let at = this.#slotOf(hash);
    while (this.#slots[at] !== before + 1) at = this.#after(at);
    this.#slots[at] = series + 1;
    this.#replaced.add(before);
  }

  /**
   * Spreads hashes over any number of slots, by their high bits. In `finished` hashes they are as mixed as
   * the low ones.
   */
  #slotOf(hash: number): number {
    return Math.floor(((hash >>> 0) / 2 ** 32) * this.#slots.length);
  }

  #after(at: number): number {
    return at + 1 === this.#slots.length ? 0 : at + 1;
  }

  #put(series: number): void {
    let at = this.#slotOf(this.#hashes[series]!);
    while (this.#slots[at] !== 0) at = this.#after(at);
    this.#slots[at] = series + 1;
  }

  #grow(): void {
    const size = this.#hashes.length;
    this.#hashes = lengthened(this.#hashes, roomFor(size));
    this.#slots = new Int32Array(Math.ceil(1.5 * this.#hashes.length));
    for (let series = 0; series < size; series++) if (!this.#replaced.has(series)) this.#put(series);
  }
}

function hashOfText(text: string, seed: number): number {
  return hashText(text, 0, text.length, withWord(seed, text.length));
}

/** Equal for values that are one attribute. */
function hashOfValue(value: AttributeValue, seed: number): number {
  if (typeof value === 'string') return hashOfText(value, seed);
  if (isComposite(value)) return hashOfText(textIdentity(value), ~seed);
  if (typeof value === 'number') {
    // The two zeros are one attribute, and so is NaN, whatever its bits.
    double[0] = Number.isNaN(value) ? NaN : value + 0;
    return withWord(withWord(seed, halves[0]!), halves[1]!);
  }
  return withWord(seed, value === null ? 1 : value ? 2 : 3);
}

function areSame(attributes: Attributes, { keys, values }: CanonicalAttributes): boolean {
  return (
    Object.keys(attributes).length === keys.length &&
    keys.every(
      (key, i) =>
        Object.hasOwn(attributes, key) && areSameValue(attributes[key] as AttributeValue, values[i]!),
    )
  );
}
