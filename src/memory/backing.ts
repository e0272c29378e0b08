import { RegionError } from '../base/errors.ts';
import { INITIAL_REGION_BYTES } from './layout.ts';

/** Where a region's bytes are. Each thread has an object of its own; several may be over the same bytes. */
export interface Backing {
  readonly buffer: SharedArrayBuffer;
  /**
   * Gives memory to the bytes from `start` to `end`, which nobody has claimed yet. From then on writing there
   * cannot fail. False where the machine has no memory left. Any thread; several threads may ask for the same
   * bytes at the same time.
   */
  provide(start: number, end: number): boolean;
}

/** Memory of the process, which its threads share. It grows in place. */
export class ThreadMemory implements Backing {
  readonly buffer: SharedArrayBuffer;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }

  /**
   * New memory that can grow to `maxBytes`. Throws a `RegionError` where the process cannot reserve as much.
   */
  static create(maxBytes: number): ThreadMemory {
    return new ThreadMemory(growableBuffer(Math.min(INITIAL_REGION_BYTES, maxBytes), maxBytes));
  }

  provide(_start: number, end: number): boolean {
    const { buffer } = this;
    let length: number;
    do {
      length = buffer.byteLength;
      if (length >= end) break;
      if (!this.#tryGrow(Math.min(buffer.maxByteLength, Math.max(end, 2 * length)))) this.#tryGrow(end);
    } while (buffer.byteLength > length); // some thread grew it: look again
    return buffer.byteLength >= end;
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
