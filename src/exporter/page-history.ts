/**
 * What the page shows of the time before it was opened: a frame for each second, with the points of the
 * streams that changed in it. The oldest frames make room. So it takes no more memory than it may, however
 * many streams there are, and goes back less far when there is more to keep.
 *
 *   frame    +--------+--------+-----+
 *            | entry  | entry  | ... |
 *            +--------+--------+-----+
 *   entry    +---------------+--------------+--------+-----+
 *            | stream number | bytes follow | number | ... |
 *            +---------------+--------------+--------+-----+
 *   number   a whole number of at least 0 and below 2^52: twice itself, 7 bits a byte, the lowest first;
 *            any other: one byte 1, and 8 bytes
 */
import { lengthened } from '../base/array-room.ts';
import type { NumberedPoint, Point } from './page-protocol.ts';

/** Memory that the frames take at most. */
export const HISTORY_MAX_BYTES: number = 2 * 2 ** 20;
/** How far back they go at most. */
export const HISTORY_MILLIS: number = 10 * 60_000;
/** What a frame takes beside its bytes, about. */
const FRAME_BYTES = 160;

const WHOLE_LIMIT = 2 ** 52;
const FLOAT = 1;

interface Frame {
  readonly t: number;
  readonly bytes: Uint8Array;
}

export class PageHistory {
  readonly #maxBytes: number;
  readonly #frames: Frame[] = [];
  readonly #writer = new NumberWriter();
  #bytes = 0;

  constructor(maxBytes: number = HISTORY_MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Memory that the frames take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest frame was taken; undefined if there is none. */
  get start(): number | undefined {
    return this.#frames[0]?.t;
  }

  /** Adds the frame of the time `t`, in milliseconds since the epoch. */
  add(t: number, points: Iterable<readonly [id: number, point: Point]>): void {
    const writer = this.#writer;
    writer.begin();
    for (const [id, point] of points) writer.entry(id, point);
    const bytes = writer.bytes();
    this.#frames.push({ t, bytes });
    this.#bytes += bytes.length + FRAME_BYTES;
    while (this.#bytes > this.#maxBytes || t - this.#frames[0]!.t > HISTORY_MILLIS) {
      const first = this.#frames.shift();
      if (first === undefined) break;
      this.#bytes -= first.bytes.length + FRAME_BYTES;
      if (this.#frames.length === 0) break;
    }
  }

  /**
   * All frames, oldest first, with the points of the streams that are asked for. `since`: by stream, the time
   * up to which its points are known; they are left out.
   */
  frames(since: ReadonlyMap<number, number>): { readonly t: number; readonly p: NumberedPoint[] }[] {
    return this.#frames.map(({ t, bytes }) => {
      const p: NumberedPoint[] = [];
      const reader = new NumberReader(bytes);
      while (reader.hasMore) {
        const id = reader.number();
        const length = reader.number();
        const known = since.get(id);
        if (known === undefined || known >= t) reader.skip(length);
        else p.push([id, ...reader.numbers(length)]);
      }
      return { t, p };
    });
  }
}

class NumberWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  readonly #double = new DataView(new ArrayBuffer(8));

  begin(): void {
    this.#length = 0;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  entry(id: number, point: Point): void {
    this.#number(id);
    this.#number(point.reduce((bytes, value) => bytes + lengthOf(value), 0));
    for (const value of point) this.#number(value);
  }

  #number(value: number): void {
    if (this.#length + 9 > this.#bytes.length) this.#bytes = lengthened(this.#bytes, 2 * this.#bytes.length);
    if (!isWhole(value)) {
      this.#bytes[this.#length++] = FLOAT;
      this.#double.setFloat64(0, value);
      for (let i = 0; i < 8; i++) this.#bytes[this.#length++] = this.#double.getUint8(i);
      return;
    }
    let rest = 2 * value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }
}

function isWhole(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < WHOLE_LIMIT && !Object.is(value, -0);
}

function lengthOf(value: number): number {
  if (!isWhole(value)) return 9;
  let bytes = 1;
  for (let rest = 2 * value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

class NumberReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  /** The numbers in so many bytes. */
  numbers(bytes: number): number[] {
    const end = this.#at + bytes;
    const all: number[] = [];
    while (this.#at < end) all.push(this.number());
    return all;
  }

  number(): number {
    const bytes = this.#bytes;
    if (bytes[this.#at] === FLOAT) {
      const { buffer, byteOffset } = bytes;
      const value = new DataView(buffer, byteOffset + this.#at + 1, 8).getFloat64(0);
      this.#at += 9;
      return value;
    }
    let value = 0;
    let factor = 1;
    let byte;
    do {
      byte = bytes[this.#at++]!;
      value += (byte % 128) * factor;
      factor *= 128;
    } while (byte >= 128);
    return value / 2;
  }
}
