import { RegionError } from '../base/errors.ts';
import { INITIAL_REGION_BYTES } from './layout.ts';
import type { Refusal } from './refusal.ts';

/** Where a region's bytes are. Each thread has an object of its own; several may be over the same bytes. */
export interface Backing {
  readonly buffer: SharedArrayBuffer;
  /** Bytes from the start that have memory, as far as this thread knows. Nobody looks beyond. Never falls. */
  readonly length: number;
  /** The store directory; undefined in a store of one process. */
  readonly directory?: string;
  /**
   * Gives memory to the bytes from `start` to `end`, which nobody has claimed yet. From then on writing there
   * cannot fail. Returns why not, where the machine gives none. Any thread; several threads may ask for the
   * same bytes at the same time.
   */
  provide(start: number, end: number): Refusal | undefined;
}

const NO_MEMORY: Refusal = {
  reason: 'the system gives this process no more memory',
  fix: 'Raise the memory limit of the process or its group',
};

/** Memory of the process, which its threads share. It grows in place. */
export class ThreadMemory implements Backing {
  readonly buffer: SharedArrayBuffer;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }

  get length(): number {
    return this.buffer.byteLength;
  }

  /**
   * New memory that can grow to `maxBytes`. Throws a `RegionError` where the process cannot reserve as much.
   */
  static create(maxBytes: number): ThreadMemory {
    return new ThreadMemory(growableBuffer(Math.min(INITIAL_REGION_BYTES, maxBytes), maxBytes));
  }

  provide(_start: number, end: number): Refusal | undefined {
    const { buffer } = this;
    let length: number;
    do {
      length = buffer.byteLength;
      if (length >= end) break;
      if (!this.#tryGrow(Math.min(buffer.maxByteLength, Math.max(end, 2 * length)))) this.#tryGrow(end);
    } while (buffer.byteLength > length); // some thread grew it: look again
    return buffer.byteLength >= end ? undefined : NO_MEMORY;
  }

  #tryGrow(length: number): boolean {
    try {
      this.buffer.grow(length);
      return true;
    } catch {
      return false; // no memory, or another thread grew it past `length` meanwhile
    }
  }
}

/** Reserves the address range of `maxBytes` at once, which may be more than the process is allowed. */
export function growableBuffer(bytes: number, maxBytes: number): SharedArrayBuffer {
  let buffer: SharedArrayBuffer;
  try {
    buffer = new SharedArrayBuffer(bytes, { maxByteLength: maxBytes });
  } catch (error) {
    throw new RegionError(
      'E_MEMORY',
      `cannot reserve ${maxBytes} bytes of shared memory (${String(error)}): lower maxBytes, or raise the limit of the process (ulimit -v)`,
    );
  }
  if (buffer.maxByteLength !== maxBytes)
    throw new RegionError('E_MEMORY', 'this JavaScript engine has no shared memory that can grow');
  return buffer;
}
