import { expect } from 'chai';
import * as fc from 'fast-check';
import { once } from 'node:events';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { MEMORY_ORDER_VARIABLE, MEMORY_ORDER } from '../../src/memory/memory-order.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import { deals } from '../support/interleavings.ts';
import { applyStore, copyMemory, makeMemory, watchViews } from '../support/stepped-memory.ts';
import type { Memory, Store } from '../support/stepped-memory.ts';

const memoryFor = (length: number, byteOffset = 0): SharedArrayBuffer =>
  new SharedArrayBuffer(byteOffset + Seqlock.byteLength(length));

const LOCK_INDEX = 0;
const VERSION_INDEX = 2;
const SLOTS = 2;

function read(seqlock: Seqlock): number[] {
  const into = new Float64Array(seqlock.length);
  expect(seqlock.read(into)).to.equal(true);
  return [...into];
}

describe('Seqlock', () => {
  it('is all zeros in zeroed memory', () => {
    expect(read(new Seqlock(memoryFor(3), 0, 3))).to.deep.equal([0, 0, 0]);
  });

  it('reads what was written last, through any object over the same memory', () => {
    const numbers = fc.array(fc.double(), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(numbers), fc.constantFrom(0, 8, 64), (writes, byteOffset) => {
        const memory = memoryFor(4, byteOffset);
        const writer = new Seqlock(memory, byteOffset, 4);
        const reader = new Seqlock(memory, byteOffset, 4);
        let last = [0, 0, 0, 0];
        writes.forEach((values, i) => {
          writer.write(i % 2 === 0 ? values : Float64Array.from(values));
          last = values;
          expect(read(reader)).to.deep.equal(last);
        });
      }),
    );
  });

  it('update changes the state in place and publishes it', () => {
    const seqlock = new Seqlock(memoryFor(2), 0, 2);
    seqlock.write([1, 2]);
    seqlock.update((state) => {
      expect([...state]).to.deep.equal([1, 2]);
      state[0]! += 10;
    });
    expect(read(seqlock)).to.deep.equal([11, 2]);
  });

  it('update publishes nothing and frees the lock when its function throws', () => {
    const memory = memoryFor(2);
    const seqlock = new Seqlock(memory, 0, 2);
    seqlock.write([1, 2]);
    expect(() =>
      seqlock.update((state) => {
        state[0] = 99;
        throw new RangeError('no');
      }),
    ).to.throw(RangeError, 'no');
    expect(read(seqlock)).to.deep.equal([1, 2]);
    expect(new Int32Array(memory)[LOCK_INDEX]).to.equal(0);
    seqlock.write([3, 4]);
    expect(read(seqlock)).to.deep.equal([3, 4]);
  });

  it('write and update inside the function of update throw instead of deadlocking; read works and sees the old state', () => {
    const seqlock = new Seqlock(memoryFor(2), 0, 2);
    const other = new Seqlock(memoryFor(1), 0, 1);
    seqlock.write([1, 2]);
    seqlock.update((state) => {
      state[0] = 5;
      expect(() => seqlock.write([7, 7])).to.throw(Error, /inside the function given to update/);
      expect(() => seqlock.update(() => {})).to.throw(Error, /inside the function given to update/);
      expect(() => other.write([1])).to.throw(Error, /inside the function given to update/);
      expect(read(seqlock)).to.deep.equal([1, 2]);
    });
    expect(read(seqlock)).to.deep.equal([5, 2]);
  });

  it('goes on over the sign and the wrap of the version', () => {
    for (const version of [0x7ffffffd, -3]) {
      const memory = memoryFor(2);
      new Int32Array(memory)[VERSION_INDEX] = version;
      const seqlock = new Seqlock(memory, 0, 2);
      for (let i = 1; i <= 8; i++) {
        seqlock.write([i, -i]);
        expect(read(seqlock)).to.deep.equal([i, -i]);
        expect(new Int32Array(memory)[VERSION_INDEX]).to.equal((version + i) | 0);
      }
    }
  });

  it('works over a growable buffer, before and after it grows', () => {
    const bytes = Seqlock.byteLength(2);
    const buffer = new SharedArrayBuffer(bytes, { maxByteLength: 4 * bytes });
    const seqlock = new Seqlock(buffer, 0, 2);
    seqlock.write([1, 2]);
    buffer.grow(2 * bytes);
    expect(read(seqlock)).to.deep.equal([1, 2]);
    const second = new Seqlock(buffer, bytes, 2);
    second.write([3, 4]);
    expect([read(seqlock), read(second)]).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
  });

  it('takes a buffer of another realm', () => {
    const buffer = runInNewContext(`new SharedArrayBuffer(${Seqlock.byteLength(1)})`) as SharedArrayBuffer;
    const seqlock = new Seqlock(buffer, 0, 1);
    seqlock.write([8]);
    expect(read(seqlock)).to.deep.equal([8]);
  });

  it('touches no byte outside its range', () => {
    const memory = new SharedArrayBuffer(8 + Seqlock.byteLength(3) + 8);
    const doubles = new Float64Array(memory);
    doubles[0] = doubles[doubles.length - 1] = 1234.5;
    const seqlock = new Seqlock(memory, 8, 3);
    for (let i = 0; i < 4; i++) seqlock.write([i, i, i]);
    expect([doubles[0], doubles[doubles.length - 1]]).to.deep.equal([1234.5, 1234.5]);
  });

  it('read gives up, returns false and leaves its argument alone when every copy is overtaken', () => {
    const memory = memoryFor(2);
    const words = new Int32Array(memory);
    const seqlock = new Seqlock(memory, 0, 2);
    seqlock.write([1, 2]);
    const load = Atomics.load;
    const into = Float64Array.of(7, 8);
    try {
      // Another publish before each look at the version.
      Atomics.load = ((array: Int32Array, index: number) => {
        words[VERSION_INDEX]! += 1;
        return load(array, index);
      }) as typeof Atomics.load;
      expect(seqlock.read(into)).to.equal(MEMORY_ORDER === 'strict'); // its re-check is no load
    } finally {
      Atomics.load = load;
    }
    if (MEMORY_ORDER === 'fast') expect([...into]).to.deep.equal([7, 8]);
    expect(seqlock.read(into)).to.equal(true);
  });

  it('fills only the first `length` elements of a longer array', () => {
    const seqlock = new Seqlock(memoryFor(2), 0, 2);
    seqlock.write([1, 2]);
    const into = Float64Array.of(9, 9, 9);
    seqlock.read(into);
    expect([...into]).to.deep.equal([1, 2, 9]);
  });

  describe('step by step', () => {
    /** A Seqlock of [1, 2], and the stores the real `write([3, 4])` makes to it. */
    function recordWrite(): { readonly start: Memory; readonly stores: readonly Store[] } {
      const memory = makeMemory(Seqlock.byteLength(2) / 8);
      new Seqlock(memory.words.buffer as SharedArrayBuffer, 0, 2).write([1, 2]);
      const start = copyMemory(memory);
      const stores: Store[] = [];
      watchViews(
        memory,
        (store) => store && stores.push(store),
        () => new Seqlock(memory.words.buffer as SharedArrayBuffer, 0, 2).write([3, 4]),
      );
      return { start, stores };
    }

    it('a write takes the lock, fills the other slot, publishes, frees the lock', () => {
      const scratch = SLOTS; // version 1: slot 1 is published
      expect(recordWrite().stores).to.deep.equal([
        { array: 'words', index: LOCK_INDEX, value: Seqlock.ownMark },
        { array: 'doubles', index: scratch, value: 3 },
        { array: 'doubles', index: scratch + 1, value: 4 },
        { array: 'words', index: VERSION_INDEX, value: 2 },
        { array: 'words', index: LOCK_INDEX, value: 0 },
      ]);
    });

    it('dead after any store, a writer leaves the old or the new state, and a lock the next writer gets', () => {
      const { start, stores } = recordWrite();
      const dead = 0x7ffffff0; // this thread is not dead, so the stores are made to look like another's
      for (let made = 0; made <= stores.length; made++) {
        const memory = copyMemory(start);
        for (const store of stores.slice(0, made)) {
          applyStore(memory, store.value === Seqlock.ownMark ? { ...store, value: dead } : store);
        }
        const buffer = memory.words.buffer as SharedArrayBuffer;
        const seqlock = new Seqlock(buffer, 0, 2, { isDead: (mark) => mark === dead });
        expect(read(seqlock), `after ${made}`).to.deep.equal(made < 4 ? [1, 2] : [3, 4]);
        seqlock.update((state) => (state[1]! += 1));
        expect(read(seqlock), `after ${made}`).to.deep.equal(made < 4 ? [1, 3] : [3, 5]);
        expect(memory.words[LOCK_INDEX]).to.equal(0);
      }
    });

    it('in every interleaving with a write, read gives the old or the new state', () => {
      const { start, stores } = recordWrite();
      const outcomes = new Set<string>();
      for (const dealt of deals(stores.length, 4, 4)) {
        const memory = copyMemory(start);
        const into = new Float64Array(2);
        let made = 0;
        let access = 0;
        let watching = false;
        const step = (): void => {
          if (!watching) return;
          for (let n = dealt[access++] ?? 0; n > 0; n--) applyStore(memory, stores[made++]!);
        };
        const took = watchViews(memory, step, () => {
          const seqlock = new Seqlock(memory.words.buffer as SharedArrayBuffer, 0, 2);
          watching = true;
          return seqlock.read(into);
        });
        outcomes.add(`${took} ${into.join()} ${access > 4 ? 'again' : 'at once'}`);
      }
      expect([...outcomes].sort()).to.deep.equal(['true 1,2 at once', 'true 3,4 again', 'true 3,4 at once']);
    });
  });

  describe('refuses', () => {
    const memory = memoryFor(4);
    const cases: readonly [string, () => unknown, typeof TypeError | typeof RangeError, RegExp][] = [
      [
        'a buffer that is not shared',
        () => new Seqlock(new ArrayBuffer(99) as never, 0, 1),
        TypeError,
        /buffer must be a SharedArrayBuffer, got \[object ArrayBuffer\]/,
      ],
      [
        'no buffer',
        () => new Seqlock(undefined as never, 0, 1),
        TypeError,
        /buffer must be .* got undefined/,
      ],
      [
        'a negative byteOffset',
        () => new Seqlock(memory, -8, 1),
        RangeError,
        /byteOffset must be a multiple of 8 .* got -8/,
      ],
      [
        'an unaligned byteOffset',
        () => new Seqlock(memory, 4, 1),
        RangeError,
        /byteOffset must be a multiple of 8 .* got 4/,
      ],
      [
        'a byteOffset that is no number',
        () => new Seqlock(memory, '8' as never, 1),
        TypeError,
        /byteOffset must be a number, got string/,
      ],
      [
        'length 0',
        () => new Seqlock(memory, 0, 0),
        RangeError,
        /length must be an integer from 1 to 536870911, got 0/,
      ],
      [
        'a fractional length',
        () => new Seqlock(memory, 0, 1.5),
        RangeError,
        /length must be an integer .* got 1.5/,
      ],
      [
        'no length',
        () => new Seqlock(memory, 0, undefined as never),
        TypeError,
        /length must be a number, got undefined/,
      ],
      [
        'a range beyond the buffer',
        () => new Seqlock(memory, 8, 4),
        RangeError,
        /4 numbers at byteOffset 8 need a buffer of 88 bytes, got 80/,
      ],
      [
        'an isDead that is no function',
        () => new Seqlock(memory, 0, 4, { isDead: 1 as never }),
        TypeError,
        /isDead is 1; it must be a function/,
      ],
      [
        'another length than that of the memory',
        () => {
          new Seqlock(memory, 0, 4);
          return new Seqlock(memory, 0, 3);
        },
        RangeError,
        /length must be 4, .* got 3/,
      ],
      [
        'to write too few numbers',
        () => new Seqlock(memory, 0, 4).write([1]),
        RangeError,
        /from must have 4 elements, got 1/,
      ],
      [
        'to write what is no number',
        () => new Seqlock(memory, 0, 4).write([1, 2, '3', 4] as never),
        TypeError,
        /from\[2\] must be a number, got string/,
      ],
      [
        'to read into too short an array',
        () => new Seqlock(memory, 0, 4).read(new Float64Array(3)),
        RangeError,
        /into must have at least 4 elements, got 3/,
      ],
      [
        'byteLength of a bad length',
        () => Seqlock.byteLength(-1),
        RangeError,
        /length must be an integer .* got -1/,
      ],
    ];
    for (const [name, act, type, message] of cases) {
      it(name, () => {
        expect(act).to.throw(type, message);
      });
    }

    it('a thread of the other memory order', async () => {
      const buffer = memoryFor(1);
      new Seqlock(buffer, 0, 1);
      const module = new URL('../../src/memory/seqlock.js', import.meta.url).href;
      const code = `
        const { parentPort, workerData } = require('worker_threads');
        import(${JSON.stringify(module)}).then(({ Seqlock }) => {
          try { new Seqlock(workerData, 0, 1); parentPort.postMessage('accepted'); }
          catch (error) { parentPort.postMessage(error.message); }
        });`;
      const other = MEMORY_ORDER === 'strict' ? '' : 'strict';
      const worker = new Worker(code, {
        eval: true,
        workerData: buffer,
        env: { [MEMORY_ORDER_VARIABLE]: other },
      });
      const [message] = (await once(worker, 'message')) as [string];
      await worker.terminate();
      expect(message).to.match(process.arch === 'x64' ? /another|memory order/ : /accepted/);
    });
  });

  it('byteLength is lock, shape, version, an unused word and two slots', () => {
    expect(Seqlock.byteLength(1)).to.equal(16 + 2 * 8);
    expect(Seqlock.byteLength(100)).to.equal(16 + 2 * 800);
  });

  it('ownMark is what the lock word holds while this thread writes', () => {
    const memory = memoryFor(1);
    new Seqlock(memory, 0, 1).update(() => {
      expect(new Int32Array(memory)[LOCK_INDEX]).to.equal(Seqlock.ownMark);
    });
  });
});
