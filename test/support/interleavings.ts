/**
 * Every interleaving of one reader with a writer, up to a number of switches between them.
 * The writer's stores are recorded once and then dealt out between the steps of the real reader: before access a of
 * the reader the writer makes some of them. `states[s]` is the number of updates published after s stores.
 */
import type { CellProtocol } from './cell-protocol.ts';
import { applyStore, copyMemory, makeMemory, recordStores, watch } from './stepped-memory.ts';
import type { Memory, Store } from './stepped-memory.ts';

export const AT = 3; // odd, so that a mix-up of float64 and int32 indices shows

export interface Script {
  readonly protocol: CellProtocol;
  readonly start: Memory;
  readonly stores: readonly Store[];
  /** Updates published once the first s stores are made; s = 0 .. stores.length. */
  readonly published: readonly number[];
  /** Updates made before the script starts. */
  readonly before: number;
}

/** Makes a cell of version `version` (even: the first state lies in slot 0), with `before` updates in it, and records `updates` more. */
export function recordScript(
  protocol: CellProtocol,
  version: number,
  before: number,
  updates: number,
): Script {
  const memory = makeMemory(AT + protocol.cellWords + 2);
  memory.words[AT << 1] = version;
  protocol.init(memory, AT);
  for (let k = 1; k <= before; k++) protocol.write(memory.words, memory.doubles, AT, k);
  const start = copyMemory(memory);
  const stores: Store[] = [];
  const published = [before];
  for (let k = before + 1; k <= before + updates; k++) {
    const own = recordStores(memory, (words, doubles) => protocol.write(words, doubles, AT, k));
    stores.push(...own);
    // The store to the version; where an interval is ended, the one to the link, which comes before it.
    const publish = own.findIndex(({ array, index }) => array === 'words' && index >> 1 === AT);
    own.forEach((_, i) => published.push(i < publish ? k - 1 : k));
  }
  return { protocol, start, stores, published, before };
}

export interface Outcome {
  readonly attempts: number;
  /** The update whose state was accepted; -1 = a state that never was. */
  readonly update: number;
  /** Updates published when the reader began, and when it ended. */
  readonly oldest: number;
  readonly newest: number;
}

/** One memory for all runs of a script: to make shared memory takes longer than a run. */
const memories = new WeakMap<Script, Memory>();

/** Runs the real reader; before its access number a (from 0) the writer makes `dealt[a]` stores. */
export function runReader(script: Script, dealt: readonly number[]): Outcome {
  const { protocol, stores, published } = script;
  let memory = memories.get(script);
  if (memory === undefined) memories.set(script, (memory = copyMemory(script.start)));
  else memory.words.set(script.start.words);
  const into = new Float64Array(expectedOf(protocol, 0).length);
  let made = 0;
  let access = 0;
  let oldest = -1;
  const step = (): void => {
    for (let n = dealt[access] ?? 0; n > 0 && made < stores.length; n--) applyStore(memory, stores[made++]!);
    if (access++ === 0) oldest = published[made]!;
  };
  const attempts = watch(memory, step, (words, doubles) => protocol.read(words, doubles, AT, into));
  return { attempts, update: stateOf(script, into), oldest, newest: published[made]! };
}

const expectations = new WeakMap<CellProtocol, (readonly number[])[]>();

/** What `protocol.expected` says, asked once: a model of a histogram takes its time. */
function expectedOf(protocol: CellProtocol, k: number): readonly number[] {
  let known = expectations.get(protocol);
  if (known === undefined) expectations.set(protocol, (known = []));
  return (known[k] ??= protocol.expected(k));
}

/** Which update's state `into` is. */
export function stateOf({ protocol, before, published }: Script, into: Float64Array): number {
  for (let k = before; k <= published.at(-1)!; k++) {
    if (expectedOf(protocol, k).every((value, i) => Object.is(value, into[i]))) return k;
  }
  return -1;
}

/** An outcome that breaks a guarantee: a state that never was, or one older or newer than the reader's own time. */
export function isViolation({ attempts, update, oldest, newest }: Outcome): boolean {
  return attempts !== 0 && (update < oldest || update > newest);
}

/** Accesses of one undisturbed attempt. */
export function readerAccesses(script: Script): number {
  let accesses = 0;
  watch(
    copyMemory(script.start),
    () => accesses++,
    (words, doubles) =>
      script.protocol.read(words, doubles, AT, new Float64Array(script.protocol.expected(0).length)),
  );
  return accesses;
}

/** Every way to deal at most `stores` stores over `accesses` places with at most `bursts` of them non-empty. */
export function* deals(stores: number, accesses: number, bursts: number): Generator<number[]> {
  const dealt: number[] = Array.from({ length: accesses }, () => 0);
  function* place(from: number, left: number, burstsLeft: number): Generator<number[]> {
    yield dealt;
    if (burstsLeft === 0) return;
    for (let access = from; access < accesses; access++) {
      for (let count = 1; count <= left; count++) {
        dealt[access] = count;
        yield* place(access + 1, left - count, burstsLeft - 1);
      }
      dealt[access] = 0;
    }
  }
  yield* place(0, stores, bursts);
}
