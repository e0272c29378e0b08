/**
 * Keeps what was pushed as deltas where the death of the exporter thread does not reach it: the next one goes on from there. Written at the end of
 * each push by the exporter thread, to the slot that is not in use; the host only holds the memory.
 *
 *   slot     0                  4
 *            +------------------+------------------------------+
 *            | bytes that follow | DeltaState[], serialized by V8 |
 *            +------------------+------------------------------+
 *
 * A push under way when the thread dies is made again: whether it arrived is not known. OTLP prefers data twice to data lost there
 * (OTLP specification, duplicate data).
 */
import { deserialize, serialize } from 'node:v8';
import type { DeltaState } from '../collect/snapshot/delta-state.ts';
import { KEPT_INDEX, type KeeperMemory } from './protocol.ts';

/** Values of the control word; from 1 on, the number of the slot that is whole. */
const NOTHING_PUSHED = 0;
const LOST = -1;

const HEADER_BYTES = 4;

/** Memory for at most `maxBytes` of deltas; undefined where there is none. Only what is used of it takes memory. */
export function keeperMemory(maxBytes: number): KeeperMemory | undefined {
  const slot = (): SharedArrayBuffer => new SharedArrayBuffer(0, { maxByteLength: maxBytes });
  try {
    return [slot(), slot()];
  } catch {
    return undefined; // of address space
  }
}

interface PushUnderWay {
  readonly serialized: Buffer;
  ended: boolean;
}

export class DeltaKeeper {
  readonly #underWay: PushUnderWay[] = []; // in the order of their collections
  readonly #control: Int32Array;
  readonly #memory: KeeperMemory | undefined;

  constructor(control: Int32Array, memory: KeeperMemory | undefined) {
    this.#control = control;
    this.#memory = memory;
  }

  /** What was pushed so far. Undefined when that is not to be known: something was, and could not be kept. */
  kept(): DeltaState[] | undefined {
    const slot = Atomics.load(this.#control, KEPT_INDEX);
    if (slot === NOTHING_PUSHED) return [];
    const memory = this.#memory?.[slot - 1];
    if (memory === undefined) return undefined;
    const bytes = new Int32Array(memory, 0, 1)[0]!;
    return deserialize(Buffer.from(new Uint8Array(memory, HEADER_BYTES, bytes).slice())) as DeltaState[];
  }

  /** A push begins that tells the collector all of `states`. Returns what to call when it has come to its end. */
  begin(states: readonly DeltaState[]): () => void {
    const push: PushUnderWay = { serialized: serialize(states), ended: false };
    this.#underWay.push(push);
    return () => {
      push.ended = true;
      // A later one that ends earlier waits for it.
      while (this.#underWay[0]?.ended === true) this.#keep(this.#underWay.shift()!.serialized);
    };
  }

  #keep(serialized: Buffer): void {
    const slot = Atomics.load(this.#control, KEPT_INDEX) === 1 ? 2 : 1;
    Atomics.store(this.#control, KEPT_INDEX, this.#write(serialized, slot) ? slot : LOST);
  }

  #write(serialized: Buffer, slot: number): boolean {
    const memory = this.#memory?.[slot - 1];
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
