/**
 * A piece of an exposition that stays in memory between scrapes. Its text does not change, but its numbers
 * do. They are rewritten in place, and only a number whose width changed moves what comes after it.
 *
 *   http_requests_total{route="/a"} 17\nhttp_requests_total{route="/b"} 9\n ...
 *                                   ^ starts[0], sizes[0] = 2            ^ starts[1], sizes[1] = 1
 *
 * A number may have a tail: text between it and the end of its line, which comes, changes and goes. Exemplars
 * are tails. Chunks without tails pay nothing for them.
 */
import { lengthened } from '../base/array-room.ts';
import { digitsOf, isWhole, MAX_NUMBER_BYTES, writeNumber, writeWhole } from './number-text.ts';

/** A chunk of this length takes no more rows. */
export const CHUNK_BYTES: number = 64 * 1024;

/** Runs up to this length are copied byte by byte, which is faster than a call. */
const SHORT_RUN = 48;

const number = new Uint8Array(MAX_NUMBER_BYTES);
let scratch: Buffer = Buffer.alloc(0);
let moved: Int32Array = new Int32Array(1024);

/** How many senders still send some bytes. They are not written to while there is any. */
interface Hold {
  count: number;
}

/** Bytes of a chunk that do not change until `release` is called. */
export interface HeldBytes {
  readonly bytes: Buffer;
  release(): void;
}

const NO_TAILS: ReadonlyMap<number, Buffer> = new Map<number, Buffer>();

export class PageChunk {
  #bytes: Buffer;
  #length: number;
  #hold: Hold = { count: 0 };
  readonly #starts: Int32Array;
  readonly #sizes: Uint8Array;
  readonly #shown: Float64Array;
  #tails: ReadonlyMap<number, Buffer> = NO_TAILS;

  /**
   * `starts` of the numbers in `text`, and the numbers that stand there. The chunk owns both arrays from now
   * on; the text is copied.
   */
  constructor(text: Buffer, starts: Int32Array, sizes: Uint8Array, shown: Float64Array) {
    // Some extra room, since counters get longer. Never from a pool, which another chunk would keep alive.
    this.#bytes = Buffer.allocUnsafeSlow(text.length + starts.length);
    text.copy(this.#bytes);
    this.#length = text.length;
    this.#starts = starts;
    this.#sizes = sizes;
    this.#shown = shown;
  }

  get length(): number {
    return this.#length;
  }

  /** How many numbers there are. */
  get slots(): number {
    return this.#starts.length;
  }

  /**
   * The present text, which does not change until it is released. If the chunk changes before that, it
   * continues in bytes of its own.
   */
  hold(): HeldBytes {
    const hold = this.#hold;
    hold.count++;
    let held = true;
    return {
      bytes: this.#bytes.subarray(0, this.#length),
      release: () => {
        if (held) hold.count--;
        held = false;
      },
    };
  }

  /** The present text, to be read at once. */
  peek(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Shows `values[0 .. slots)`. */
  update(values: Float64Array): void {
    const starts = this.#starts;
    const sizes = this.#sizes;
    const shown = this.#shown;
    const slots = starts.length;
    let bytes = this.#bytes;
    let movedCount = 0;
    let isOwn = this.#hold.count === 0;
    for (let i = 0; i < slots; i++) {
      const value = values[i]!;
      const before = shown[i]!;
      if (value === before || (value !== value && before !== before)) continue;
      if (!isOwn) {
        bytes = this.#takeOwnBytes();
        isOwn = true;
      }
      shown[i] = value;
      const size = sizes[i]!;
      if (isWhole(value)) {
        if (digitsOf(value) === size) {
          writeWhole(bytes, starts[i]!, value, size);
          continue;
        }
      } else if (writeNumber(number, 0, value) === size) {
        const start = starts[i]!;
        for (let b = 0; b < size; b++) bytes[start + b] = number[b]!;
        continue;
      }
      if (movedCount === moved.length) moved = lengthened(moved, 2 * moved.length);
      moved[movedCount++] = i;
    }
    if (movedCount > 0) this.#rewrite(movedCount, this.#tails);
  }

  /** Shows `tails` by slot, and no others. A tail has changed if it is another object. */
  updateTails(tails: ReadonlyMap<number, Buffer>): void {
    if (tails.size === 0 && this.#tails.size === 0) return;
    const changed: number[] = [];
    for (const [slot, tail] of tails) if (this.#tails.get(slot) !== tail) changed.push(slot);
    for (const slot of this.#tails.keys()) if (!tails.has(slot)) changed.push(slot);
    if (changed.length === 0) return;
    if (this.#hold.count > 0) this.#takeOwnBytes();
    while (moved.length < changed.length) moved = lengthened(moved, 2 * moved.length);
    moved.set(changed.sort((a, b) => a - b));
    this.#rewrite(changed.length, tails);
  }

  #takeOwnBytes(): Buffer {
    this.#bytes = Buffer.from(this.#bytes.buffer.slice(0)); // allocUnsafeSlow: the buffer is ours alone
    this.#hold = { count: 0 };
    return this.#bytes;
  }

  /** Moves the text where numbers or tails changed their width: `moved[0 .. movedCount)`, ascending. */
  #rewrite(movedCount: number, tails: ReadonlyMap<number, Buffer>): void {
    const starts = this.#starts;
    const sizes = this.#sizes;
    const from = this.#bytes;
    const before = this.#tails;
    let room = this.#length + movedCount * MAX_NUMBER_BYTES;
    if (tails !== before) for (const tail of tails.values()) room += tail.length;
    if (scratch.length < room) scratch = Buffer.allocUnsafeSlow(2 * room);
    const to = scratch;
    const first = starts[moved[0]!]!;
    let read = first;
    let write = 0;
    for (let m = 0; m < movedCount; m++) {
      const slot = moved[m]!;
      const start = starts[slot]!;
      write = copyRun(from, read, start, to, write);
      read = start + sizes[slot]!;
      let end = writeNumber(to, write, this.#shown[slot]!);
      sizes[slot] = end - write;
      if (tails !== before) {
        read += before.get(slot)?.length ?? 0;
        end += tails.get(slot)?.copy(to, end) ?? 0;
      }
      // All numbers up to the next one that changes its width move by the same distance.
      const next = m + 1 < movedCount ? moved[m + 1]! : starts.length;
      starts[slot] = first + write;
      const shift = first + end - read;
      for (let s = slot + 1; s < next; s++) starts[s]! += shift;
      write = end;
    }
    write = copyRun(from, read, this.#length, to, write);
    this.#tails = tails;
    this.#length = first + write;
    if (this.#length > from.length) {
      this.#bytes = Buffer.allocUnsafeSlow(this.#length + starts.length);
      from.copy(this.#bytes, 0, 0, first);
    }
    to.copy(this.#bytes, first, 0, write);
  }
}

function copyRun(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > SHORT_RUN) return at + from.copy(to, at, start, end);
  for (let i = start; i < end; i++) to[at++] = from[i]!;
  return at;
}
