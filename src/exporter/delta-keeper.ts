/**
 * Keeps what was pushed as deltas where it survives the exporter: the next exporter of the store continues
 * from there, in whatever thread or process. It is kept at the end of each push.
 *
 * If an exporter ends during a push, the push is repeated, because it is not known whether it arrived. In
 * this case OTLP prefers duplicate data to lost data (OTLP specification, duplicate data).
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { shortText } from '../base/errors.ts';
import { tellOfLoss } from '../base/warnings.ts';
import type { DeltaState } from '../collect/snapshot/deltas.ts';

/** Where it is kept: plain data, which can be sent to a thread. */
export type KeeperPlace = KeeperMemory | KeeperFile;

/**
 * For exporters of one process, one after the other: shared memory. The slot that is not in use is written.
 *
 *   whole    int32: the number of the slot that is whole, from 1 on; 0 before the first push; -1 where what
 *            was pushed could not be kept
 *
 *   slot     0                  4
 *            +------------------+-------------------+
 *            | bytes that follow | the states, encoded |
 *            +------------------+-------------------+
 */
export interface KeeperMemory {
  readonly whole: SharedArrayBuffer;
  /** None if there was no address space for them. */
  readonly slots: readonly SharedArrayBuffer[];
}

/**
 * For exporters of several processes: a file, which is replaced by a whole one.
 *
 *   0                     36       40
 *   +---------------------+--------+-------------------+
 *   | id of the store     | CRC-32 | the states, encoded |
 *   +---------------------+--------+-------------------+
 */
export interface KeeperFile {
  readonly path: string;
  /** Where a new one is written. */
  readonly newPath: string;
  readonly storeId: string;
}

const NOTHING_PUSHED = 0;
const LOST = -1;
const HEADER_BYTES = 4;
const PRIVATE_FILE = 0o600;

/** Memory for at most `maxBytes` of deltas. Only what is used of it takes memory. */
export function keeperMemory(maxBytes: number): KeeperMemory {
  const slot = (): SharedArrayBuffer => new SharedArrayBuffer(0, { maxByteLength: maxBytes });
  const whole = new SharedArrayBuffer(4);
  try {
    return { whole, slots: [slot(), slot()] };
  } catch {
    return { whole, slots: [] };
  }
}

interface PushUnderWay {
  readonly encoded: Uint8Array;
  ended: boolean;
}

/** Keeps the bytes of one exporter for the next one. */
interface Shelf {
  /** Undefined if that cannot be known; empty before the first push. */
  load(): Uint8Array | undefined;
  store(bytes: Uint8Array): void;
}

export class DeltaKeeper {
  readonly #underWay: PushUnderWay[] = []; // in the order of their collections
  readonly #shelf: Shelf;

  constructor(place: KeeperPlace) {
    this.#shelf = 'path' in place ? new FileShelf(place) : new MemoryShelf(place);
  }

  /**
   * What was pushed so far. Undefined if that cannot be known: something was pushed and could not be kept.
   */
  kept(): DeltaState[] | undefined {
    const bytes = this.#shelf.load();
    return bytes && (bytes.length === 0 ? [] : decoded(bytes));
  }

  /**
   * Notes that a push begins which tells the collector all of `states`. Returns a function to call at its
   * end.
   */
  begin(states: readonly DeltaState[]): () => void {
    const push: PushUnderWay = { encoded: encoded(states), ended: false };
    this.#underWay.push(push);
    return () => {
      push.ended = true;
      // A later push that ends earlier waits for it.
      while (this.#underWay[0]?.ended === true) this.#shelf.store(this.#underWay.shift()!.encoded);
    };
  }
}

class MemoryShelf implements Shelf {
  readonly #whole: Int32Array;
  readonly #slots: readonly SharedArrayBuffer[];

  constructor({ whole, slots }: KeeperMemory) {
    this.#whole = new Int32Array(whole);
    this.#slots = slots;
  }

  load(): Uint8Array | undefined {
    const slot = Atomics.load(this.#whole, 0);
    if (slot === NOTHING_PUSHED) return new Uint8Array();
    const memory = this.#slots[slot - 1];
    return memory && new Uint8Array(memory, HEADER_BYTES, new Int32Array(memory, 0, 1)[0]).slice();
  }

  store(bytes: Uint8Array): void {
    const slot = Atomics.load(this.#whole, 0) === 1 ? 2 : 1;
    Atomics.store(this.#whole, 0, this.#write(bytes, slot) ? slot : LOST);
  }

  #write(bytes: Uint8Array, slot: number): boolean {
    const memory = this.#slots[slot - 1];
    if (memory === undefined) return false;
    const needed = HEADER_BYTES + bytes.length;
    try {
      if (memory.byteLength < needed) memory.grow(needed);
    } catch {
      return false;
    }
    new Int32Array(memory, 0, 1)[0] = bytes.length;
    new Uint8Array(memory, HEADER_BYTES, bytes.length).set(bytes);
    return true;
  }
}

class FileShelf implements Shelf {
  readonly #file: KeeperFile;

  constructor(file: KeeperFile) {
    this.#file = file;
  }

  load(): Uint8Array | undefined {
    const { path, storeId } = this.#file;
    let file: Buffer;
    try {
      file = readFileSync(path);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Uint8Array() : undefined;
    }
    // Of an earlier store nothing counts.
    if (file.toString('latin1', 0, storeId.length) !== storeId) return new Uint8Array();
    const bytes = file.subarray(storeId.length + 4);
    const isWhole = file.length >= storeId.length + 4 && file.readUInt32LE(storeId.length) === crc32(bytes);
    return isWhole ? new Uint8Array(bytes) : undefined;
  }

  /** Where it fails, the file of the push before stays: the next exporter repeats, and loses nothing. */
  store(bytes: Uint8Array): void {
    const { path, newPath, storeId } = this.#file;
    const header = Buffer.alloc(storeId.length + 4);
    header.write(storeId, 'latin1');
    header.writeUInt32LE(crc32(bytes), storeId.length);
    try {
      writeFileSync(newPath, Buffer.concat([header, bytes]), { mode: PRIVATE_FILE });
      renameSync(newPath, path);
    } catch (error) {
      tellOfLoss(
        'warn',
        `seqlock-metrics: it cannot be noted in ${path} which deltas were pushed (${shortText(error)}): if this process ends, the next one pushes again what was pushed since the last note. Free space there, or push cumulative metrics`,
      );
    }
  }
}

type Numbers = 'cells' | 'series' | 'versions' | 'updates' | 'rows';
const ARRAYS: Readonly<Record<Numbers, Int32ArrayConstructor | Float64ArrayConstructor>> = {
  cells: Int32Array,
  series: Int32Array,
  versions: Float64Array,
  updates: Int32Array,
  rows: Float64Array,
};
const NAMES = Object.keys(ARRAYS) as Numbers[];

/**
 * The same bytes for every version of Node.js: the length of a JSON text, the text, which says what arrays
 * follow, and the arrays.
 */
function encoded(states: readonly DeltaState[]): Uint8Array {
  const described = states.map((state) => ({
    stream: state.stream,
    untilMillis: state.untilMillis,
    lengths: NAMES.map((name) => state[name].length),
  }));
  const text = Buffer.from(JSON.stringify(described));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const arrays = states.flatMap((state) =>
    NAMES.map((name) => {
      const { buffer, byteOffset, byteLength } = state[name];
      return new Uint8Array(buffer, byteOffset, byteLength);
    }),
  );
  return Buffer.concat([length, text, ...arrays]);
}

function decoded(bytes: Uint8Array): DeltaState[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 4 + view.readUInt32LE();
  const described = JSON.parse(view.toString('utf8', 4, at)) as {
    stream: string;
    untilMillis?: number;
    lengths: number[];
  }[];
  return described.map(({ stream, untilMillis, lengths }) => {
    const arrays = NAMES.map((name, i) => {
      const from = at;
      at += lengths[i]! * ARRAYS[name].BYTES_PER_ELEMENT;
      return [name, new ARRAYS[name](bytes.slice(from, at).buffer)];
    });
    return { stream, untilMillis, ...(Object.fromEntries(arrays) as Pick<DeltaState, Numbers>) };
  });
}
