/**
 * All series of one stream that have the same attribute keys. Each value becomes a small number for its key
 * (an id), and the ids lead to the series.
 *
 *   {method: 'GET', status: 200}  --ids-->  method: 1, status: 3  --slots-->  series
 *
 * If the product of the value counts is small compared with the number of series, the ids are joined as bits
 * of an index into `slots` (exact form: nothing to compare). If it is not (user ids times routes), `slots` is
 * an open-addressing hash table over `rows` of ids. A key set starts exact and changes to hashed at most
 * once.
 *
 *   exact    slots[sum of (id - 1) << shift]  = reference;  a key of one value takes no bit
 *   hashed   slots[hash of ids ...]     = row number + 1;  rows[row * n ..] = ids;  references[row] =
 *            reference
 *
 * Slots double, since a mask finds them, and are at most half full. Rows and references grow by a quarter.
 */
import { lengthened, roomFor } from '../base/array-room.ts';
import { AttributeKey } from './attribute-key.ts';
import type { AttributeValue } from './attributes.ts';

/** An exact table may have this many slots, whatever the number of series ... */
const FREE_SLOTS = 16_384;
/** ... or this many per series. */
const SLOTS_PER_SERIES = 8;

/** Slots of a hashed table to begin with. */
const FIRST_HASHED_SLOTS = 32;

const NO_NUMBERS: Int32Array = new Int32Array(0);

export class KeySet {
  readonly keys: readonly AttributeKey[];
  slots: Int32Array = NO_NUMBERS;
  /** The same while the form is exact, else empty. */
  exactSlots: Int32Array = NO_NUMBERS;
  /** Exact form: what the sum of id << shift starts from, since ids start at 1. */
  base = 0;
  mask = 0;
  /** Hashed form only. */
  rows: Int32Array = NO_NUMBERS;
  references: Int32Array = NO_NUMBERS;
  #size = 0;
  #rows = 0; // of the hashed form

  /** `names` sorted. */
  constructor(names: readonly string[]) {
    this.keys = names.map((name, position) => new AttributeKey(name, position));
    this.#layOut();
  }

  get size(): number {
    return this.#size;
  }

  get exact(): boolean {
    return this.slots === this.exactSlots;
  }

  /** The reference of the series with these canonical values, or 0. */
  get(values: readonly AttributeValue[]): number {
    const ids = values.map((value, i) => this.keys[i]!.idOf(value));
    return ids.includes(0) ? 0 : this.#getIds(ids);
  }

  /** Adds a series that is not there yet. `reference` is above 0. */
  add(values: readonly AttributeValue[], reference: number): void {
    const ids = values.map((value, i) => this.keys[i]!.addId(value));
    this.#size++;
    if (this.exact && !this.#fit(ids)) this.#widen();
    this.#set(ids, reference);
  }

  /** Removes a series that is there. */
  remove(values: readonly AttributeValue[]): void {
    this.#size--;
    this.#set(
      values.map((value, i) => this.keys[i]!.idOf(value)),
      0,
    );
  }

  /** Removes all series whose references `isOver` takes. */
  removeWhere(isOver: (reference: number) => boolean): void {
    const references = this.exact ? this.slots : this.references;
    references.forEach((reference, i) => {
      if (reference === 0 || !isOver(reference)) return;
      references[i] = 0;
      this.#size--;
    });
  }

  /**
   * Looks `ids[0 .. keys.length)` up in the hashed form. `hash`: the sum of id * multiplier over the keys, in
   * any order. 0: not there.
   */
  probe(ids: Int32Array, hash: number): number {
    const row = this.#rowOf(ids, hash);
    return row < 0 ? 0 : this.references[row]!;
  }

  /** The row of these ids in the hashed form; negative: there is none. */
  #rowOf(ids: Int32Array, hash: number): number {
    const { slots, mask, rows } = this;
    const width = this.keys.length;
    for (let at = spread(hash) & mask; ; at = (at + 1) & mask) {
      const row = slots[at]! - 1;
      if (row < 0) return row;
      let i = 0;
      while (i < width && rows[row * width + i] === ids[i]) i++;
      if (i === width) return row;
    }
  }

  #set(ids: readonly number[], reference: number): void {
    if (this.exact) {
      this.slots[this.#indexOf(ids)] = reference;
      return;
    }
    // A series that was removed keeps its row.
    const row = this.#rowOf(Int32Array.from(ids), this.#hashOf(ids));
    if (row >= 0) this.references[row] = reference;
    else this.#addRow(ids, reference);
  }

  #getIds(ids: readonly number[]): number {
    if (!this.exact) return this.probe(Int32Array.from(ids), this.#hashOf(ids));
    return this.#fit(ids) ? this.slots[this.#indexOf(ids)]! : 0;
  }

  /** True when every id has a place in the exact form. */
  #fit(ids: readonly number[]): boolean {
    return ids.every((id, i) => id <= 1 << this.keys[i]!.bits);
  }

  #indexOf(ids: readonly number[]): number {
    return ids.reduce((index, id, i) => index + (id << this.keys[i]!.shift), this.base);
  }

  #hashOf(ids: readonly number[]): number {
    return ids.reduce((hash, id, i) => (hash + Math.imul(id, this.keys[i]!.multiplier)) | 0, 0);
  }

  /**
   * Gives every key the bits that its ids need, or changes to the hashed form if that takes too many slots.
   */
  #widen(): void {
    const before = this.#entries();
    for (const key of this.keys) key.bits = 32 - Math.clz32(key.count - 1);
    const bits = this.keys.reduce((sum, key) => sum + key.bits, 0);
    if (bits > 24 || 2 ** bits > Math.max(FREE_SLOTS, SLOTS_PER_SERIES * this.#size)) {
      this.#toHashed(before);
      return;
    }
    this.#layOut();
    for (const { ids, reference } of before) this.slots[this.#indexOf(ids)] = reference;
  }

  #layOut(): void {
    let shift = 0;
    this.base = 0;
    for (const key of this.keys) {
      key.shift = shift;
      this.base -= 1 << shift;
      shift += key.bits;
    }
    this.slots = this.exactSlots = new Int32Array(1 << shift);
  }

  /** Every series as ids and reference, read back from the exact form. */
  #entries(): { ids: number[]; reference: number }[] {
    const entries: { ids: number[]; reference: number }[] = [];
    this.slots.forEach((reference, index) => {
      if (reference === 0) return;
      entries.push({
        ids: this.keys.map((key) => 1 + ((index >> key.shift) & ((1 << key.bits) - 1))),
        reference,
      });
    });
    return entries;
  }

  #addRow(ids: readonly number[], reference: number): void {
    const row = this.#rows++;
    const width = this.keys.length;
    if (row === this.references.length) {
      this.references = lengthened(this.references, roomFor(row));
      this.rows = lengthened(this.rows, this.references.length * width);
    }
    this.rows.set(ids, row * width);
    this.references[row] = reference;
    if (2 * this.#rows <= this.slots.length) this.#fillSlot(row);
    else {
      this.slots = new Int32Array(2 * this.slots.length);
      this.mask = this.slots.length - 1;
      for (let r = 0; r <= row; r++) this.#fillSlot(r);
    }
  }

  #fillSlot(row: number): void {
    const width = this.keys.length;
    let hash = 0;
    for (let i = 0; i < width; i++)
      hash = (hash + Math.imul(this.rows[row * width + i]!, this.keys[i]!.multiplier)) | 0;
    let at = spread(hash) & this.mask;
    while (this.slots[at] !== 0) at = (at + 1) & this.mask;
    this.slots[at] = row + 1;
  }

  #toHashed(entries: readonly { ids: readonly number[]; reference: number }[]): void {
    this.exactSlots = NO_NUMBERS;
    this.slots = new Int32Array(FIRST_HASHED_SLOTS);
    this.mask = FIRST_HASHED_SLOTS - 1;
    for (const { ids, reference } of entries) this.#addRow(ids, reference);
  }
}

function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
