/**
 * The exponential histogram cell as a protocol to check. A cell moves its counts but a few times in its life, and a stress needs such
 * moves all the time: so every eighth update is one the product does not have, which declares all that was counted to be zeros and
 * starts again with an empty array at the highest scale. It publishes as a move does. With each such round an interval begins.
 *
 * Behind the cell is the spare array. Before each update it is written over, as a move of another cell of the stream would do it: so what the cell has
 * left is rubbish at once. Which array is the spare one is found out anew for each update, as a new owner does.
 */
import { adoptCell } from '../../src/memory/cell.ts';
import {
  copyExponentialFast,
  copyExponentialStrict,
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_RANGES,
  EXPONENTIAL_SCALE,
} from '../../src/state/cells/exponential-copy.ts';
import {
  displacement,
  ExponentialShape,
  initExponential,
  recordToExponentialFast,
  recordToExponentialStrict,
} from '../../src/state/cells/exponential-histogram-cell.ts';
import {
  recordToIntervalExponentialFast,
  recordToIntervalExponentialStrict,
} from '../../src/state/cells/interval-exponential-cell.ts';
import { INTERVAL_WORDS } from '../../src/state/cells/interval-part.ts';
import type { CellProtocol } from './cell-protocol.ts';
import { exactIndex } from './exact-index.ts';

const MAX_SIZE = 2;
const MAX_SCALE = 20;

/** What the updates of a round record; NaN: the update that starts again. */
const ROUND = [NaN, 1.5, 1.5, 100, 1e6, 0, 1.5, 0.25];
const SUMS = ROUND.map((_, i) => ROUND.slice(1, i + 1).reduce((sum, value) => sum + value, 0));
const ROUND_SUM = SUMS.at(-1)!;

const LOWS = ROUND.map((_, i) => Math.min(...ROUND.slice(1, i + 1)));
const HIGHS = ROUND.map((_, i) => Math.max(...ROUND.slice(1, i + 1)));

/** Zeros since the round began, scale, and (index, count) of each bucket, after each update of a round. */
const STATES = ROUND.map((_, i) => stateAfter(ROUND.slice(1, i + 1)));

function stateAfter(values: readonly number[]): readonly number[] {
  const positive = values.filter((value) => value > 0);
  for (let scale = MAX_SCALE; ; scale--) {
    const indices = positive.map((value) => exactIndex(value, scale));
    const low = Math.min(...indices);
    if (Math.max(...indices) - low >= MAX_SIZE) continue;
    const counts = [0, 1].map((i) => indices.filter((index) => index === low + i).length);
    const buckets = counts.flatMap((count, i) => (count > 0 ? [low + i, count] : []));
    return [values.length - positive.length, scale, ...buckets, 0, 0, 0, 0].slice(0, 2 + 2 * MAX_SIZE);
  }
}

// The layout as exponential-histogram-cell.ts draws it.
const SLOT_WORDS = 8;
const ARRAY = 5;
const BUCKET = 6;

function startAgain(
  words: Int32Array,
  doubles: Float64Array,
  at: number,
  shape: ExponentialShape,
  strict: boolean,
): void {
  const version = words[strict ? (at << 1) + 1 : at << 1]!;
  const from = at + 1 + (version & 1) * SLOT_WORDS;
  const to = at + 1 + (~version & 1) * SLOT_WORDS;
  const array = shape.spare;
  shape.spare = doubles[from + ARRAY]!;
  for (let i = 0; i < shape.arrayWords; i++) doubles[array + i] = i === 0 ? MAX_SCALE : 0;
  doubles[to] = doubles[from]! + 1;
  doubles[to + 1] = doubles[from + 1]!;
  doubles[to + 2] = doubles[from + 2]!;
  doubles[to + 3] = doubles[from + 3]!;
  doubles[to + 4] = doubles[from]! + 1;
  doubles[to + ARRAY] = array;
  doubles[to + BUCKET] = array + 3;
  doubles[to + BUCKET + 1] = 0;
  if (shape.intervals !== 0) {
    const fromInterval = at + shape.intervals + (version & 1) * INTERVAL_WORDS;
    const toInterval = at + shape.intervals + (~version & 1) * INTERVAL_WORDS;
    for (let i = 0; i < INTERVAL_WORDS; i++) doubles[toInterval + i] = doubles[fromInterval + i]!;
  }
  if (strict) {
    words[(at << 1) + 1] = (version + 1) | 0;
    Atomics.exchange(words, at << 1, (version + 1) | 0);
  } else words[at << 1] = (version + 1) | 0;
}

function expected(k: number): number[] {
  const part = k % ROUND.length;
  const [zeros, ...state] = STATES[part]!;
  const restarts = k - part; // updates that are zeros by now; none before the first restart
  const seen = ROUND.slice(1, Math.min(k, ROUND.length - 1) + 1);
  return [
    k,
    Math.floor(k / ROUND.length) * ROUND_SUM + SUMS[part]!,
    Math.min(...seen),
    Math.max(...seen),
    restarts + zeros!,
    ...state,
  ];
}

/** The extremes of intervals after update k, written to `into` from `to` on. */
function intervalsAt(k: number, into: { [i: number]: number }, to: number): void {
  const restarted = k > 0 && k % ROUND.length === 0; // which hands on what the round before left
  const part = restarted ? ROUND.length - 1 : k % ROUND.length;
  const round = Math.floor(k / ROUND.length) - (restarted ? 1 : 0);
  into[to] = round;
  into[to + 1] = round * ROUND.length;
  into[to + 2] = LOWS[part]!;
  into[to + 3] = HIGHS[part]!;
  into[to + 4] = Math.max(0, round - 1) * ROUND.length;
  into[to + 5] = round === 0 ? Infinity : LOWS.at(-1)!;
  into[to + 6] = round === 0 ? -Infinity : HIGHS.at(-1)!;
}

const STATE_WORDS: number = 5 + 1 + 2 * MAX_SIZE;

export function exponentialCell(form: 'fast' | 'strict', intervals = false): CellProtocol {
  const shape = new ExponentialShape(MAX_SIZE, MAX_SCALE, false, intervals);
  const record = form === 'fast' ? recordToExponentialFast : recordToExponentialStrict;
  const recordInterval =
    form === 'fast' ? recordToIntervalExponentialFast : recordToIntervalExponentialStrict;
  const wanted = new Float64Array(INTERVAL_WORDS);
  const copyCell = form === 'fast' ? copyExponentialFast : copyExponentialStrict;
  const copied = new Float64Array(shape.copyWords);
  return {
    name: `${intervals ? 'interval ' : ''}exponential histogram ${form}`,
    cellWords: shape.cellWords + shape.arrayWords,
    init: ({ doubles }, at) => initExponential(doubles, at, shape),
    write(words, doubles, at, k) {
      const spare = at + shape.cellWords - displacement(words, doubles, at);
      doubles[spare] = -k; // scale and first count: enough to be seen, and more would be many more interleavings
      doubles[spare + 3] = -k;
      shape.spare = spare;
      const part = k % ROUND.length;
      if (part === 0) startAgain(words, doubles, at, shape, form === 'strict');
      else if (intervals)
        recordInterval(words, doubles, at, shape, ROUND[part]!, Math.floor(k / ROUND.length));
      else record(words, doubles, at, shape, ROUND[part]!);
    },
    read(words, doubles, at, into) {
      const attempts = copyCell(words, doubles, at, shape, copied);
      if (attempts === 0) return 0;
      for (let i = 0; i < 5; i++) into[i] = copied[i]!;
      into[5] = copied[EXPONENTIAL_SCALE]!;
      into.fill(0, 6);
      let to = 6;
      const length = copied[EXPONENTIAL_RANGES + 1]!;
      for (let i = 0; i < length; i++) {
        const count = copied[EXPONENTIAL_COUNTS + i]!;
        if (count === 0) continue;
        into[to++] = copied[EXPONENTIAL_RANGES]! + i;
        into[to++] = count;
      }
      if (intervals)
        for (let i = 0; i < INTERVAL_WORDS; i++) into[STATE_WORDS + i] = copied[shape.copiedInterval + i]!;
      return attempts;
    },
    expected(k) {
      const state = expected(k);
      if (intervals) intervalsAt(k, state, STATE_WORDS);
      return state;
    },
    updateOf(into) {
      const k = into[0]!;
      const part = k % ROUND.length;
      const state = STATES[part]!;
      if (into[4] !== k - part + state[0]!) return -1;
      for (let i = 1; i < state.length; i++) if (into[4 + i] !== state[i]) return -1;
      if (intervals) {
        intervalsAt(k, wanted, 0);
        for (let i = 0; i < INTERVAL_WORDS; i++) if (into[STATE_WORDS + i] !== wanted[i]) return -1;
      }
      // From the second round on, what the first has seen stays the least and the most.
      if (k >= ROUND.length && (into[2] !== 0 || into[3] !== 1e6)) return -1;
      return into[1] === ((k - part) / ROUND.length) * ROUND_SUM + SUMS[part]! ? k : -1;
    },
    adopt: adoptCell,
  };
}
