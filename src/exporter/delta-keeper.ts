/**
 * Keeps what was pushed as deltas where it survives the exporter's thread: the next exporter of the store
 * continues from there. It is written at the end of each push, to the slot that is not in use.
 *
 *   whole    int32: the number of the slot that is whole, from 1 on; 0 before the first push; -1 where what
 *            was pushed could not be kept
 *
 *   slot     0                  4
 *            +------------------+------------------------------+
 *            | bytes that follow | DeltaState[], serialized by V8 |
 *            +------------------+------------------------------+
 *
 * If a thread dies during a push, the push is repeated, because it is not known whether it arrived. In this
 * case OTLP prefers duplicate data to lost data (OTLP specification, duplicate data).
 */
import { deserialize, serialize } from 'node:v8';
import type { DeltaState } from '../collect/snapshot/deltas.ts';

const NOTHING_PUSHED = 0;
const LOST = -1;

const HEADER_BYTES = 4;

/** Shared memory, so that it can be passed from an exporter to the next one, in whatever thread. */
export interface KeeperMemory {
  readonly whole: SharedArrayBuffer;
  /** None if there was no address space for them. */
  readonly slots: readonly SharedArrayBuffer[];
}

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
  readonly serialized: Buffer;
  ended: boolean;
}

export class DeltaKeeper {
  readonly #underWay: PushUnderWay[] = []; // in the order of their collections
  readonly #whole: Int32Array;
  readonly #slots: readonly SharedArrayBuffer[];

  constructor({ whole, slots }: KeeperMemory) {
    this.#whole = new Int32Array(whole);
    this.#slots = slots;
  }

  /**
   * What was pushed so far. Undefined if that cannot be known: something was pushed and could not be kept.
   */
  kept(): DeltaState[] | undefined {
    const slot = Atomics.load(this.#whole, 0);
    if (slot === NOTHING_PUSHED) return [];
    const memory = this.#slots[slot - 1];
    if (memory === undefined) return undefined;
    const bytes = new Int32Array(memory, 0, 1)[0]!;
    return deserialize(Buffer.from(new Uint8Array(memory, HEADER_BYTES, bytes).slice())) as DeltaState[];
  }

  /**
   * Notes that a push begins which tells the collector all of `states`. Returns a function to call at its
   * end.
   */
  begin(states: readonly DeltaState[]): () => void {
    const push: PushUnderWay = { serialized: serialize(states), ended: false };
    this.#underWay.push(push);
    return () => {
      push.ended = true;
      // A later push that ends earlier waits for it.
      while (this.#underWay[0]?.ended === true) this.#keep(this.#underWay.shift()!.serialized);
    };
  }

  #keep(serialized: Buffer): void {
    const slot = Atomics.load(this.#whole, 0) === 1 ? 2 : 1;
    Atomics.store(this.#whole, 0, this.#write(serialized, slot) ? slot : LOST);
  }

  #write(serialized: Buffer, slot: number): boolean {
    const memory = this.#slots[slot - 1];
    if (memory === undefined) return false;
    const needed = HEADER_BYTES + serialized.length;
    try {
      if (memory.byteLength < needed) memory.grow(needed);
    } catch {
      return false;
    }
    new Int32Array(memory, 0, 1)[0] = serialized.length;
    new Uint8Array(memory, HEADER_BYTES, serialized.length).set(serialized);
    return true;
  }
}
