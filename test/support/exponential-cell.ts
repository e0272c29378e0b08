/**
 * The exponential histogram cell as a protocol to check. A cell moves its counts but a few times in its life, and a stress needs such
 * moves all the time: so every eighth update ends the interval, and the next begins with an empty array at the highest scale.
 *
 * Behind the cell are the spare array and the block. Before each update the spare array is written over, as a move of another cell of the stream would do
 * it: so what the cell has left is rubbish at once. Which array is the spare one is found out anew for each update, as a new owner does.
 */
import { linkBlock } from '../../src/state/cells/carried.ts';
import {
  copyExponentialFast,
  copyExponentialStrict,
  displacement,
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_RANGES,
  EXPONENTIAL_SCALE,
  ExponentialShape,
  initExponential,
  recordToExponentialFast,
  recordToExponentialStrict,
} from '../../src/state/cells/exponential-histogram-cell.ts';
import type { CellProtocol } from './cell-protocol.ts';
import { exactIndex } from './exact-index.ts';

const MAX_SIZE = 2;
const MAX_SCALE = 20;

/** What the updates of a round record; NaN: the update that ends the interval. */
const ROUND = [NaN, 1.5, 1.5, 100, 1e6, 0, 1.5, 0.25];
const RECORDS = ROUND.length - 1;

/** Of a row: count, sum, min, max, zero count, scale, and (index, count) of each bucket. */
const STATE_WORDS: number = 6 + 2 * MAX_SIZE;

/** The row of an interval after each update of a round. */
const STATES = ROUND.map((_, i) => stateAfter(ROUND.slice(1, i + 1)));

function stateAfter(values: readonly number[]): readonly number[] {
  const positive = values.filter((value) => value > 0);
  const sum = values.reduce((total, value) => total + value, 0);
  const totals = [values.length, sum, Math.min(...values), Math.max(...values)];
  for (let scale = MAX_SCALE; ; scale--) {
    const indices = positive.map((value) => exactIndex(value, scale));
    const low = Math.min(...indices);
    if (Math.max(...indices) - low >= MAX_SIZE) continue;
    const counts = [0, 1].map((i) => indices.filter((index) => index === low + i).length);
    const buckets = counts.flatMap((count, i) => (count > 0 ? [low + i, count] : []));
    return [...totals, values.length - positive.length, scale, ...buckets, 0, 0, 0, 0].slice(0, STATE_WORDS);
  }
}

/** Of the carried row, what grows with each round: count, sum, zero count, and the counts of buckets. */
const GROWS = [0, 1, 4, 7, 9];
const NOTHING = STATES[0]!;

/** Both rows after update k, the interval's first. */
function stateAt(k: number, into: { [i: number]: number }): void {
  const part = k % ROUND.length;
  const rounds = (k - part) / ROUND.length;
  for (let i = 0; i < STATE_WORDS; i++) {
    into[i] = STATES[part]![i]!;
    const carried = STATES[RECORDS]![i]!;
    into[STATE_WORDS + i] = rounds === 0 ? NOTHING[i]! : GROWS.includes(i) ? rounds * carried : carried;
  }
}

export function exponentialCell(form: 'fast' | 'strict'): CellProtocol {
  const shape = new ExponentialShape(MAX_SIZE, MAX_SCALE, false);
  const record = form === 'fast' ? recordToExponentialFast : recordToExponentialStrict;
  const copyCell = form === 'fast' ? copyExponentialFast : copyExponentialStrict;
  const copied = new Float64Array(shape.copyWords);
  const wanted = new Float64Array(2 * STATE_WORDS);

  function copyRow(from: number, into: Float64Array, at: number): void {
    for (let i = 0; i < 6; i++) into[at + i] = copied[from + i]!;
    into[at + 5] = copied[from + EXPONENTIAL_SCALE]!;
    into.fill(0, at + 6, at + STATE_WORDS);
    let to = at + 6;
    const length = copied[from + EXPONENTIAL_RANGES + 1]!;
    for (let i = 0; i < length; i++) {
      const count = copied[from + EXPONENTIAL_COUNTS + i]!;
      if (count === 0) continue;
      into[to++] = copied[from + EXPONENTIAL_RANGES]! + i;
      into[to++] = count;
    }
  }

  return {
    name: `exponential histogram ${form}`,
    cellWords: shape.cellWords + shape.arrayWords + shape.blockWords,
    starts: [2, RECORDS],
    init({ words, doubles }, at) {
      const block = at + shape.cellWords + shape.arrayWords;
      initExponential(doubles, at, shape);
      shape.initBlock(doubles, block);
      linkBlock(words, at, block);
    },
    write(words, doubles, at, k) {
      const spare = at + shape.cellWords - displacement(words, doubles, at);
      doubles[spare] = -k; // scale and first count: enough to be seen, and more would be many more interleavings
      doubles[spare + 3] = -k;
      shape.spare = spare;
      const part = k % ROUND.length;
      if (part === 0) shape.carry(words, doubles, at);
      else record(words, doubles, at, shape, ROUND[part]!);
    },
    read(words, doubles, at, into) {
      const attempts = copyCell(words, doubles, at, shape, copied);
      if (attempts === 0) return 0;
      copyRow(0, into, 0);
      if (copied[shape.copiedCarried] === 0) into.set(NOTHING, STATE_WORDS);
      else copyRow(shape.copiedCarried, into, STATE_WORDS);
      return attempts;
    },
    expected(k) {
      const state: number[] = [];
      stateAt(k, state);
      return state;
    },
    updateOf(into) {
      const k = (into[STATE_WORDS]! / RECORDS) * ROUND.length + into[0]!;
      if (!Number.isInteger(k) || into[0]! > RECORDS) return -1;
      stateAt(k, wanted);
      for (let i = 0; i < wanted.length; i++) if (into[i] !== wanted[i]) return -1;
      return k;
    },
    adopt: (words, doubles, at) => shape.finishCarry(words, doubles, at),
  };
}
