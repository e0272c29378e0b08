/**
 * Memory whose every access can be watched: to record what a writer stores, and to let something else happen between
 * two steps of a reader. The code under test is the real one; it is handed Proxies in place of its typed arrays.
 * `Atomics` refuses Proxies, so while `watch` runs, its methods are replaced by ones that unwrap them.
 */
export interface Store {
  readonly array: 'words' | 'doubles';
  readonly index: number;
  readonly value: number;
}

export interface Memory {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

export interface Watcher {
  /** Before each load or store; `store` is what is about to be stored. A read-modify-write is one access. */
  (store: Store | undefined): void;
}

export function makeMemory(doubles: number): Memory {
  const buffer = new SharedArrayBuffer(doubles * 8);
  return { words: new Int32Array(buffer), doubles: new Float64Array(buffer) };
}

export function copyMemory(from: Memory): Memory {
  const copy = makeMemory(from.doubles.length);
  copy.words.set(from.words); // as integers, so that no bit pattern is changed on the way
  return copy;
}

export function applyStore(memory: Memory, store: Store): void {
  memory[store.array][store.index] = store.value;
}

type Unwrapped = { readonly raw: Int32Array; readonly watcher: Watcher };
const proxies = new WeakMap<object, Unwrapped>();

function wrap<A extends Int32Array | Float64Array>(raw: A, array: Store['array'], watcher: Watcher): A {
  const proxy = new Proxy(raw, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) watcher(undefined);
      return Reflect.get(target, key, target) as unknown;
    },
    set(target, key, value: number) {
      watcher({ array, index: Number(key), value });
      return Reflect.set(target, key, value, target);
    },
  });
  if (array === 'words') proxies.set(proxy, { raw: raw as Int32Array, watcher });
  return proxy;
}

type AtomicMethod = (array: Int32Array, index: number, ...operands: number[]) => number;
const METHODS = ['load', 'add', 'exchange', 'compareExchange'] as const;

/** What a method is about to store, given what is there; undefined = nothing new. A reader's add of 0 is no store. */
const stored: Readonly<
  Record<(typeof METHODS)[number], (raw: number, a: number, b: number) => number | undefined>
> = {
  load: () => undefined,
  add: (raw, operand) => (operand === 0 ? undefined : (raw + operand) | 0),
  exchange: (_, value) => value,
  compareExchange: (raw, expected, value) => (raw === expected ? value : undefined),
};

function withWatchedAtomics<R>(run: () => R): R {
  const atomics = Atomics as unknown as Record<string, AtomicMethod>;
  const real = Object.fromEntries(METHODS.map((name) => [name, atomics[name]!]));
  for (const name of METHODS) {
    const method = real[name]!;
    atomics[name] = (array, index, ...operands) => {
      const proxy = proxies.get(array);
      if (proxy === undefined) return method(array, index, ...operands);
      const value = stored[name](proxy.raw[index]!, operands[0]!, operands[1]!);
      proxy.watcher(value === undefined ? undefined : { array: 'words', index, value });
      return method(proxy.raw, index, ...operands);
    };
  }
  try {
    return run();
  } finally {
    Object.assign(Atomics, real);
  }
}

/** Runs `run` on watched stand-ins for the arrays of `memory`, and calls `watcher` before each access it makes. */
export function watch<R>(
  memory: Memory,
  watcher: Watcher,
  run: (words: Int32Array, doubles: Float64Array) => R,
): R {
  return withWatchedAtomics(() =>
    run(wrap(memory.words, 'words', watcher), wrap(memory.doubles, 'doubles', watcher)),
  );
}

/** The same for code that makes its own views: those it makes of `memory`'s buffer during `run` are watched. */
export function watchViews<R>(memory: Memory, watcher: Watcher, run: () => R): R {
  const real = { Int32Array, Float64Array };
  const watching = <C extends Int32ArrayConstructor | Float64ArrayConstructor>(
    array: Store['array'],
  ): ProxyHandler<C> => ({
    construct(target, args: [SharedArrayBuffer]) {
      const view = Reflect.construct(target, args) as Int32Array;
      return args[0] === memory.words.buffer ? wrap(view, array, watcher) : view;
    },
  });
  globalThis.Int32Array = new Proxy(Int32Array, watching('words'));
  globalThis.Float64Array = new Proxy(Float64Array, watching('doubles'));
  try {
    return withWatchedAtomics(run);
  } finally {
    Object.assign(globalThis, real);
  }
}

/** The stores `run` makes, in program order; they are made on `memory` too. */
export function recordStores(
  memory: Memory,
  run: (words: Int32Array, doubles: Float64Array) => void,
): readonly Store[] {
  const stores: Store[] = [];
  watch(memory, (store) => store && stores.push(store), run);
  return stores;
}
