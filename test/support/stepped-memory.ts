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
  if (raw instanceof Int32Array) proxies.set(proxy, { raw, watcher });
  return proxy;
}

/** Runs `run` on watched stand-ins for the arrays of `memory`, and calls `watcher` before each access it makes. */
export function watch<R>(
  memory: Memory,
  watcher: Watcher,
  run: (words: Int32Array, doubles: Float64Array) => R,
): R {
  const real = { load: Atomics.load, add: Atomics.add, exchange: Atomics.exchange };
  const atomics = Atomics as unknown as Record<
    string,
    (array: Int32Array, index: number, value: number) => number
  >;
  const stand = (
    name: 'load' | 'add' | 'exchange',
    stored: (raw: number, value: number) => number | undefined,
  ) => {
    const method = real[name] as (array: Int32Array, index: number, value: number) => number;
    atomics[name] = (array, index, value) => {
      const proxy = proxies.get(array);
      if (proxy === undefined) return method(array, index, value);
      const next = stored(proxy.raw[index]!, value);
      proxy.watcher(next === undefined ? undefined : { array: 'words', index, value: next });
      return method(proxy.raw, index, value);
    };
  };
  stand('load', () => undefined);
  stand('exchange', (_, value) => value);
  // A reader's add of 0 stores nothing new; only a real addition counts as a store.
  stand('add', (raw, value) => (value === 0 ? undefined : (raw + value) | 0));
  try {
    return run(wrap(memory.words, 'words', watcher), wrap(memory.doubles, 'doubles', watcher));
  } finally {
    Object.assign(Atomics, real);
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
