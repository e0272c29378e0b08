/**
 * One attribute key of a key set: maps its values to small numbers (ids), from 1 on.
 *
 * A map has the id of every value. Before it there are two short cuts, and most look-ups end in one of them:
 *
 *   small whole numbers    small[value] = id
 *   strings                place = (character at `letter` + 3 * length) & mask
 *                          strings[place] === value ?  stringIds[place] = id
 *
 * `letter` is where the key's strings differ most, which is found out as they come: one character tells GET
 * from POST and /users from /orders. While a key has one string, that is `only`, which is compared first. If
 * several strings share a place, it holds the one that was looked up last. Comparing costs almost nothing if
 * it is the same string object, as constants of a program are. For an equal string that was made at run time
 * it costs less than hashing.
 */
import { HASH_SEED } from '../base/hash.ts';
import type { AttributeValue } from './attributes.ts';
import { isComposite, textIdentity } from './attributes.ts';

/** Whole numbers below this are looked up in an array instead of a map: status codes, small counts, flags. */
const SMALL_NUMBERS = 1024;
const NO_NUMBERS: Int32Array = new Int32Array(0);
/** A value that nobody passes. Somebody who does gets the slow way, since its id is 0. */
const NONE = '\u0000seqlock-metrics: none';
/** Beyond the end of every string. */
const NO_LETTER = 0x3fff_ffff;
/** How many characters of a string are tried as its letter. */
const TRIED_LETTERS = 64;
/**
 * The most places a key may have. If the strings are more than half as many, one character seldom tells them
 * apart.
 */
const MAX_PLACES = 64;
/** The id of undefined, for a key that is no attribute. */
const VALUELESS_ID = 2;

/**
 * Spreads the bits of a small number over a word (finalizer of MurmurHash3), differently in each realm:
 * nobody outside can choose values whose ids share a sum. Multipliers of different positions must not be
 * small multiples of each other, or sums of ids would collide.
 */
function mixed(n: number): number {
  let word = Math.imul(n, 0x9e3779b1) ^ HASH_SEED;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}

export class AttributeKey {
  readonly name: string;
  /** Place among the sorted keys. */
  readonly position: number;
  /** How many bits the ids take, and where they lie in the exact index. */
  bits = 0;
  shift = 0;
  /** Ids of scalars. */
  readonly ids: Map<string | number | boolean | null | undefined, number> = new Map();
  /** The short cuts; see above. 0 = none. */
  small: Int32Array = NO_NUMBERS;
  only: string = NONE;
  onlyId = 0;
  letter: number = NO_LETTER;
  mask = 0;
  strings: string[] = [NONE];
  stringIds: number[] = [0];
  /** Spreads ids over the hash of a row: odd, one per position. */
  readonly multiplier: number;
  /** Ids of arrays, objects and bytes by their text. */
  texts: Map<string, number> | undefined;
  /** The number of values that have an id. */
  count = 0;
  /** True for a key that is empty, or that a view drops: it has no ids, and all its values are equal. */
  readonly leftOut: boolean;
  /**
   * True for a key that is no attribute because its value is undefined. Undefined is its only value, and its
   * id adds nothing to an index or a hash.
   */
  readonly valueless: boolean;

  constructor(name: string, position: number, role: 'attribute' | 'left out' | 'valueless' = 'attribute') {
    this.name = name;
    this.position = position;
    this.leftOut = role === 'left out';
    this.valueless = role === 'valueless';
    this.multiplier = this.valueless ? 0 : mixed(position + 1) | 1;
    if (!this.valueless) return;
    this.ids.set(undefined, VALUELESS_ID);
    this.shift = 31; // VALUELESS_ID << 31 is 0
  }

  /** The id of a canonical value, or 0. */
  idOf(value: AttributeValue): number {
    return (isComposite(value) ? this.texts?.get(textIdentity(value)) : this.ids.get(value)) ?? 0;
  }

  /** The id of a scalar that has no short cut, or 0. */
  mappedId(value: unknown): number {
    return this.ids.get(value as boolean) ?? 0;
  }

  /** The id of a string that was not in its place, and gets that place now; or 0. */
  stringIdFor(value: string, place: number): number {
    const id = this.ids.get(value) ?? 0;
    if (id !== 0) {
      this.strings[place] = value;
      this.stringIds[place] = id;
    }
    return id;
  }

  /** The id of a canonical value. Gives it one if it has none. */
  addId(value: AttributeValue): number {
    const known = this.idOf(value);
    if (known !== 0) return known;
    const id = ++this.count;
    if (isComposite(value)) {
      this.texts ??= new Map();
      this.texts.set(textIdentity(value), id);
      return id;
    }
    this.ids.set(value, id);
    if (typeof value === 'string') {
      // At the first value and the next few, then each time the number of values has doubled.
      if (id <= 8 || this.only !== NONE || this.strings.length === 1 || (id & (id - 1)) === 0)
        this.#choosePlaces();
    } else if (typeof value === 'number' && value >>> 0 === value && value < SMALL_NUMBERS) {
      if (value >= this.small.length) this.#growSmall(value + 1);
      this.small[value] = id;
    }
    return id;
  }

  #choosePlaces(): void {
    const strings = [...this.ids.keys()].filter((value) => typeof value === 'string');
    const [first] = strings;
    this.only = strings.length === 1 ? first! : NONE;
    this.onlyId = strings.length === 1 ? this.count : 0;
    if (strings.length < 2 || 2 * strings.length > MAX_PLACES) return;
    const places = 2 ** Math.ceil(Math.log2(2 * strings.length));
    const end = Math.min(TRIED_LETTERS, Math.max(...strings.map(({ length }) => length)));
    let maxDistinct = 0;
    for (let letter = 0; letter < end; letter++) {
      const distinct = new Set(strings.map((text) => placeOf(text, letter, places - 1))).size;
      if (distinct <= maxDistinct) continue;
      maxDistinct = distinct;
      this.letter = letter;
    }
    this.mask = places - 1;
    this.strings = Array.from({ length: places }, () => NONE);
    this.stringIds = Array.from({ length: places }, () => 0);
  }

  #growSmall(length: number): void {
    const small = new Int32Array(Math.min(SMALL_NUMBERS, Math.max(16, 2 ** Math.ceil(Math.log2(length)))));
    small.set(this.small);
    this.small = small;
  }
}

/** The same as in `SeriesTable.find`, which has it inline to stay small enough for V8 to inline. */
function placeOf(text: string, letter: number, mask: number): number {
  return letter < text.length ? (text.charCodeAt(letter) + 3 * text.length) & mask : 0;
}
