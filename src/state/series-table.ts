import type { CanonicalAttributes } from './attributes.ts';
import { AttributeKey } from './attribute-key.ts';
import { KeySet } from './key-set.ts';

/**
 * How many orders of keys a table remembers. A caller that writes further orders always takes the slow way.
 */
const MAX_REMEMBERED_KEYS = 16_384;
/** How many combinations of undefined keys are remembered for one order. */
const MAX_SHAPES_OF_ORDER = 16;
/** How many keys a fast look-up can have; larger attribute sets take the slow way. */
const MAX_KEYS = 64;

const INDEX = /^\d+$/;

// oxlint-disable-next-line typescript/unbound-method -- always called with `call`
const hasOwn = Object.prototype.hasOwnProperty;

/**
 * The keys of an attribute object in the order in which its writer put them. Several shapes may lead to one
 * key set.
 */
interface Shape {
  /** Those of the key set in this order, keys that are left out, and keys whose value is undefined. */
  readonly keys: readonly AttributeKey[];
  readonly keySet: KeySet;
}

/**
 * A step from key to key in the order in which callers write them. `next`: by the key's name. It also has the
 * shapes of the order that ends here: several if values are sometimes undefined, since such keys are no
 * attributes.
 */
interface Order {
  readonly next: Map<string, Order>;
  readonly shapes: Shape[];
}

/** The series of a stream by their attributes, however many tables lead to them. */
class AllKeySets {
  readonly byKeys: Map<string, KeySet> = new Map([['[]', new KeySet([])]]);
  turn = 0; // shows a look-up that a getter of the caller's object used the table meanwhile
  size = 0;
}

/** What a lookup found: a reference above 0, or one of these. */
export const ABSENT = 0; // no series has these attributes
export const UNKNOWN: number = -1; // only the slow way can tell

/**
 * Attributes to series, within one stream and one thread. Finding a series allocates nothing, sorts nothing
 * and builds no string. `for in` over the object is compared key by key with the shape that was met last, and
 * each value is one map or array look-up.
 *
 * Own enumerable keys count, as in the official SDK. An object that inherits enumerable keys takes the slow
 * way.
 */
export class SeriesTable {
  readonly #all: AllKeySets;
  readonly #orders: Order;
  #remembered = 0;
  readonly #ids: Int32Array = new Int32Array(MAX_KEYS + 1); // the last place takes the ids of dropped keys
  #last: Shape;
  readonly #maxLength: number;
  /** Which keys count; undefined: all. */
  readonly keeps: ((key: string) => boolean) | undefined;

  /** `maxLength`: at what length texts of values are cut before they come here. */
  constructor(
    maxLength: number = Infinity,
    all: AllKeySets = new AllKeySets(),
    keeps?: (key: string) => boolean,
  ) {
    this.#all = all;
    this.#maxLength = maxLength;
    this.#last = { keys: [], keySet: all.byKeys.get('[]')! };
    this.#orders = { next: new Map(), shapes: [this.#last] };
    this.keeps = keeps;
  }

  /** A second table for the same series: finds them by the attributes whose keys `keeps` accepts. */
  lookupFor(keeps: ((key: string) => boolean) | undefined): SeriesTable {
    return new SeriesTable(this.#maxLength, this.#all, keeps);
  }

  /** Series in the table. */
  get size(): number {
    return this.#all.size;
  }

  /**
   * The reference of the series with these attributes; otherwise ABSENT or UNKNOWN. Throws what a getter or a
   * proxy of the caller throws.
   */
  find(attributes: object): number {
    const { keys, keySet } = this.#last;
    const { slots } = keySet;
    let count = 0;
    let index = keySet.base;
    for (const name in attributes) {
      const key = keys[count];
      count++;
      // In a `for in` over the same object V8 turns hasOwnProperty into a check it has made already.
      if (key === undefined || name !== key.name || !hasOwn.call(attributes, name)) {
        count = -1;
        break;
      }
      if (key.leftOut) continue;
      const value: unknown = (attributes as Record<string, unknown>)[name];
      let id: number;
      if (typeof value === 'string') {
        if (value === key.only) id = key.onlyId;
        else {
          const { length } = value;
          const { letter } = key;
          const place = letter < length ? (value.charCodeAt(letter) + 3 * length) & key.mask : 0;
          id = value === key.strings[place] ? key.stringIds[place]! : key.stringIdFor(value, place);
        }
      } else if (typeof value === 'number' && value >>> 0 === value && value < key.small.length)
        id = key.small[value]!;
      else id = key.mappedId(value);
      if (id === 0) {
        count = -1;
        break;
      }
      index += id << key.shift;
    }
    // The slots were replaced: the key set became hashed, or a getter of the caller's object recorded too and
    // moved the ids.
    return count === keys.length && slots === keySet.exactSlots ? slots[index]! : this.#findOther(attributes);
  }

  /** Finds the shape by the order of the keys, so that the time does not depend on the number of orders. */
  #findOther(attributes: object): number {
    let order: Order | undefined = this.#orders;
    for (const name in attributes) {
      order = order.next.get(name);
      if (order === undefined) return UNKNOWN;
    }
    for (const shape of order.shapes) {
      const found = this.#findIn(shape, attributes);
      if (found === UNKNOWN) continue;
      this.#last = shape;
      return found;
    }
    return UNKNOWN;
  }

  /** Looks up by one shape. UNKNOWN when the keys differ or a value is not a plain scalar. */
  #findIn(shape: Shape, attributes: object): number {
    const { keys, keySet } = shape;
    const ids = this.#ids;
    let count = 0;
    let index = keySet.base;
    let hash = 0;
    let absent = false;
    const turn = ++this.#all.turn;
    for (const name in attributes) {
      const key = keys[count];
      if (key === undefined || name !== key.name || !hasOwn.call(attributes, name)) return UNKNOWN;
      const value: unknown = (attributes as Record<string, unknown>)[name];
      const id =
        typeof value === 'number' && value >>> 0 === value && value < key.small.length
          ? key.small[value]!
          : (key.ids.get(value as string) ?? 0);
      if (id === 0 && !key.leftOut) {
        if (key.valueless) return UNKNOWN;
        const isScalar =
          typeof value === 'string'
            ? value.length <= this.#maxLength // a longer one is known by what it is cut to
            : typeof value === 'number' || typeof value === 'boolean';
        if (!isScalar) return UNKNOWN;
        absent = true;
      }
      ids[key.position] = id;
      index += id << key.shift;
      hash = (hash + Math.imul(id, key.multiplier)) | 0;
      count++;
    }
    if (count !== keys.length || turn !== this.#all.turn) return UNKNOWN;
    if (absent) return ABSENT;
    return keySet.exact ? keySet.slots[index]! : keySet.probe(ids, hash);
  }

  /** The slow way: by canonical attributes. Returns the reference or ABSENT. */
  get(attributes: CanonicalAttributes): number {
    return this.#all.byKeys.get(JSON.stringify(attributes.keys))?.get(attributes.values) ?? ABSENT;
  }

  /** Adds a series that `get` did not find. `reference` is above 0. */
  add(attributes: CanonicalAttributes, reference: number): void {
    const name = JSON.stringify(attributes.keys);
    let keySet = this.#all.byKeys.get(name);
    if (keySet === undefined) this.#all.byKeys.set(name, (keySet = new KeySet(attributes.keys)));
    this.#all.turn++; // a look-up that is under way has ids of the old layout
    keySet.add(attributes.values, reference);
    this.#all.size++;
  }

  /** Removes a series that `get` found. */
  remove(attributes: CanonicalAttributes): void {
    this.#all.byKeys.get(JSON.stringify(attributes.keys))!.remove(attributes.values);
    this.#all.size--;
  }

  /** Removes all series whose references `isOver` takes. */
  removeWhere(isOver: (reference: number) => boolean): void {
    this.#all.size = 0;
    for (const keySet of this.#all.byKeys.values()) {
      keySet.removeWhere(isOver);
      this.#all.size += keySet.size;
    }
  }

  /** Remembers the order in which a caller writes the keys of a series that is in the table. */
  learnShape(attributes: object, canonical: CanonicalAttributes): void {
    const keySet = this.#all.byKeys.get(JSON.stringify(canonical.keys));
    if (keySet === undefined || this.#remembered >= MAX_REMEMBERED_KEYS) return;
    const names = Object.keys(attributes);
    // Arrays and strings also have such keys and are no attributes: the slow way tells them apart.
    if (names.length > MAX_KEYS || names.some((name) => INDEX.test(name))) return;
    const byName = new Map(keySet.keys.map((key) => [key.name, key]));
    const { keeps } = this;
    const keys = names.map((name) => {
      if (name === '' || keeps?.(name) === false) return new AttributeKey(name, MAX_KEYS, 'left out');
      return byName.get(name) ?? new AttributeKey(name, MAX_KEYS, 'valueless');
    });
    const attributeCount = keys.filter(({ leftOut, valueless }) => !leftOut && !valueless).length;
    if (attributeCount === keySet.keys.length) this.#remember(names, { keys, keySet });
  }

  #remember(names: readonly string[], shape: Shape): void {
    let order = this.#orders;
    for (const name of names) {
      let next = order.next.get(name);
      if (next === undefined) {
        order.next.set(name, (next = { next: new Map(), shapes: [] }));
        this.#remembered++;
      }
      order = next;
    }
    const isNew = order.shapes.every(({ keySet }) => keySet !== shape.keySet);
    if (isNew && order.shapes.length < MAX_SHAPES_OF_ORDER) order.shapes.push(shape);
  }
}
