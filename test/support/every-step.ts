/**
 * Runs code that stores to a region and stops after each single store. What a thread that dies there leaves behind is the
 * memory as it is at that step; what a reader sees meanwhile likewise.
 *
 * A step is: before and after each Atomics call that can store, and each 8 bytes of a `bytes.set` or `bytes.fill`. Plain stores to
 * `words` and `doubles` are seen at the step after them.
 */
import type { Region } from '../../src/memory/region.ts';

type AtomicsMethod = 'store' | 'add' | 'exchange' | 'compareExchange';
const METHODS: readonly AtomicsMethod[] = ['store', 'add', 'exchange', 'compareExchange'];

/** Returns what `action` returns. `onStep` may use the region as it likes: its own stores are not steps. */
export function everyStep<T>(region: Region, action: () => T, onStep: (step: number) => void): T {
  let steps = 0;
  let inStep = false;
  const step = (): void => {
    if (inStep) return;
    inStep = true;
    try {
      onStep(steps++);
    } finally {
      inStep = false;
    }
  };
  const atomics = Atomics as unknown as Record<AtomicsMethod, (...args: unknown[]) => unknown>;
  const originals = METHODS.map((method) => [method, atomics[method]] as const);
  for (const [method, original] of originals)
    atomics[method] = (...args) => {
      step();
      const result = original(...args);
      step();
      return result;
    };
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array;
  const { set, fill } = typedArray;
  const memory = region.buffer;
  typedArray.set = function (this: Uint8Array, from: ArrayLike<number>, offset = 0) {
    if (this.buffer !== memory || inStep) return set.call(this, from, offset);
    for (let i = 0; i < from.length; i += 8) {
      set.call(this, Array.prototype.slice.call(from, i, i + 8) as number[], offset + i);
      step();
    }
  };
  typedArray.fill = function (this: Uint8Array, value: number, start?: number, end?: number) {
    if (this.buffer !== memory || inStep) return fill.call(this, value, start, end);
    const middle = ((start ?? 0) + (end ?? this.length)) >> 1;
    fill.call(this, value, start, middle);
    step();
    fill.call(this, value, middle, end);
    step();
    return this;
  };
  try {
    return action();
  } finally {
    for (const [method, original] of originals) atomics[method] = original;
    typedArray.set = set;
    typedArray.fill = fill;
  }
}

/** The buffer as it is now, in memory of its own. */
export function copyOf(buffer: SharedArrayBuffer): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(buffer.byteLength, { maxByteLength: buffer.maxByteLength });
  new Int32Array(copy, 0, buffer.byteLength >> 2).set(new Int32Array(buffer, 0, buffer.byteLength >> 2));
  return copy;
}
