/** The real cells, in both forms, as protocols to check. */
import { readConsistentFast, readConsistentStrict } from '../../src/memory/cell.ts';
import { linkBlock, readCarryingFast, readCarryingStrict } from '../../src/state/cells/carried.ts';
import { exemplarCellWords, exemplarCopyWords, writeExemplar } from '../../src/state/cells/exemplar-cell.ts';
import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_FIELDS,
  histogramCellWords,
  initHistogram,
  recordToHistogramFast,
  recordToHistogramStrict,
} from '../../src/state/cells/histogram-cell.ts';
import {
  LAST_VALUE_CELL_WORDS,
  setLastValueFast,
  setLastValueStrict,
} from '../../src/state/cells/last-value-cell.ts';
import {
  addToSharedFast,
  addToSharedStrict,
  SHARED_VALUE_CELL_WORDS,
} from '../../src/state/cells/shared-value-cell.ts';
import { addToSumFast, addToSumStrict, SUM_CELL_WORDS, SUM_FIELDS } from '../../src/state/cells/sum-cell.ts';
import type { CellProtocol } from './cell-protocol.ts';
import { exponentialCell } from './exponential-cell.ts';

type Form = 'fast' | 'strict';

function sumCell(form: Form): CellProtocol {
  const add = form === 'fast' ? addToSumFast : addToSumStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  return {
    name: `sum ${form}`,
    cellWords: SUM_CELL_WORDS,
    init() {},
    // +3, -1, +3, -1, ...: no two updates leave the same total, and it stays an exact integer.
    write: (words, doubles, at, k) => add(words, doubles, at, k % 2 === 1 ? 3 : -1),
    read: (words, doubles, at, into) => read(words, doubles, at, 1, 0, into),
    expected: (k) => [k % 2 === 1 ? k + 2 : k],
    updateOf(into) {
      const total = into[0]!;
      return Number.isInteger(total) ? total - 2 * (total % 2) : -1;
    },
  };
}

function lastValueCell(form: Form): CellProtocol {
  const set = form === 'fast' ? setLastValueFast : setLastValueStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  return {
    name: `last value ${form}`,
    cellWords: LAST_VALUE_CELL_WORDS,
    init() {},
    write: (words, doubles, at, k) => set(words, doubles, at, k * 0.5, k),
    read: (words, doubles, at, into) => read(words, doubles, at, 2, 0, into),
    expected: (k) => [k * 0.5, k],
    updateOf: (into) => (into[0] === into[1]! * 0.5 ? into[1]! : -1),
  };
}

/** Four additions of 1 to each epoch: 1, 2, 3, 4 of epoch 1, then 1, 2, ... of epoch 2. */
function sharedValueCell(form: Form): CellProtocol {
  const add = form === 'fast' ? addToSharedFast : addToSharedStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  return {
    name: `shared value ${form}`,
    cellWords: SHARED_VALUE_CELL_WORDS,
    init() {},
    write: (words, doubles, at, k) => add(words, doubles, at, 1, Math.ceil(k / 4)),
    read: (words, doubles, at, into) => read(words, doubles, at, 2, 0, into),
    expected: (k) => (k === 0 ? [0, 0] : [((k - 1) % 4) + 1, -Math.ceil(k / 4)]),
    updateOf(into) {
      const amount = into[0]!;
      const epoch = -into[1]!;
      if (epoch === 0) return amount === 0 ? 0 : -1;
      return amount >= 1 && amount <= 4 ? 4 * (epoch - 1) + amount : -1;
    },
  };
}

/** Update k records `valueOf(bucket)` in `bucketOf(k)`; neighbours fall into the same and into different buckets. */
const BUCKETS = 3;
const bucketOf = (k: number): number => Math.floor(k / 2) % BUCKETS;
const valueOf = (bucket: number): number => bucket * 10 + 1;

/** Updates 1 .. k that fell into `bucket`: two in each round of six, and what the last round has begun. */
function countOf(bucket: number, k: number): number {
  const round = 2 * BUCKETS;
  let count = 2 * Math.floor(k / round);
  for (let i = 1; i <= k % round; i++) if (bucketOf(i) === bucket) count++;
  return count;
}

function histogramCell(form: Form): CellProtocol {
  const record = form === 'fast' ? recordToHistogramFast : recordToHistogramStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  const slotWords = HISTOGRAM_BUCKETS;
  const copied = new Float64Array(slotWords + BUCKETS);
  return {
    name: `histogram ${form}`,
    cellWords: histogramCellWords(BUCKETS),
    init: ({ doubles }, at) => initHistogram(doubles, at),
    write: (words, doubles, at, k) => record(words, doubles, at, bucketOf(k), valueOf(bucketOf(k))),
    // As `readHistogramInto` does, for the form asked for; the redo entry stays out of what is compared.
    read(words, doubles, at, into) {
      const attempts = read(words, doubles, at, slotWords, BUCKETS, copied);
      if (attempts === 0) return 0;
      copied[slotWords + copied[4]!] = copied[5]!;
      into.set(copied.subarray(0, 4));
      into.set(copied.subarray(slotWords), 4);
      return attempts;
    },
    expected(k) {
      const values = Array.from({ length: k }, (_, i) => valueOf(bucketOf(i + 1)));
      const counts = Array.from({ length: BUCKETS }, () => 0);
      for (let i = 1; i <= k; i++) counts[bucketOf(i)]! += 1;
      const sum = values.reduce((total, value) => total + value, 0);
      return [k, sum, Math.min(...values), Math.max(...values), ...counts];
    },
    updateOf(into) {
      const k = into[0]!;
      let sum = 0;
      let min = Infinity;
      let max = -Infinity;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = countOf(bucket, k);
        if (into[4 + bucket] !== count) return -1;
        if (count === 0) continue;
        sum += count * valueOf(bucket);
        if (valueOf(bucket) < min) min = valueOf(bucket);
        if (valueOf(bucket) > max) max = valueOf(bucket);
      }
      return into[1] === sum && into[2] === min && into[3] === max ? k : -1;
    },
  };
}

/** Every third update ends the interval, the others are recorded. */
const PERIOD = 3;
const recordsUpTo = (k: number): number => k - Math.floor(k / PERIOD);

/** Of so many records, the update that was the last; or the one after it, which ended the interval. */
function updateAfter(records: number, ended: boolean): number {
  const last = records + Math.floor((records - 1) / (PERIOD - 1));
  if (!ended) return last;
  return (last + 1) % PERIOD === 0 ? last + 1 : records === 0 ? 0 : -1;
}

/** Each record adds 1. State: the total and the interval's part of it. */
function carriedSumCell(form: Form): CellProtocol {
  const add = form === 'fast' ? addToSumFast : addToSumStrict;
  const read = form === 'fast' ? readCarryingFast : readCarryingStrict;
  const copied = new Float64Array(4);
  return {
    name: `carried sum ${form}`,
    cellWords: SUM_CELL_WORDS + SUM_FIELDS.blockWords,
    init({ words, doubles }, at) {
      SUM_FIELDS.initBlock(doubles, at + SUM_CELL_WORDS);
      linkBlock(words, at, at + SUM_CELL_WORDS);
    },
    write(words, doubles, at, k) {
      if (k % PERIOD === 0) SUM_FIELDS.carry(words, doubles, at);
      else add(words, doubles, at, 1);
    },
    read(words, doubles, at, into) {
      const attempts = read(words, doubles, at, SUM_FIELDS, 0, copied);
      into[0] = copied[0]!;
      into[1] = copied[3]!;
      return attempts;
    },
    expected: (k) => [recordsUpTo(k), k % PERIOD],
    updateOf(into) {
      const k = updateAfter(into[0]!, into[1] === 0);
      return k >= 0 && into[1] === k % PERIOD ? k : -1;
    },
    adopt: (words, doubles, at) => SUM_FIELDS.finishCarry(words, doubles, at),
  };
}

/** State: count, sum, min, max and buckets of all, and sum, min and max of the interval. */
function carriedHistogramCell(form: Form): CellProtocol {
  const record = form === 'fast' ? recordToHistogramFast : recordToHistogramStrict;
  const read = form === 'fast' ? readCarryingFast : readCarryingStrict;
  const slotWords = HISTOGRAM_BUCKETS;
  const copied = new Float64Array(slotWords + BUCKETS + 2 + 3);
  const cellWords = histogramCellWords(BUCKETS);
  const plain = histogramCell(form);
  const valueAt = (record: number): number => valueOf(bucketOf(record));
  return {
    name: `carried histogram ${form}`,
    cellWords: cellWords + HISTOGRAM_FIELDS.blockWords,
    init({ words, doubles }, at) {
      initHistogram(doubles, at);
      HISTOGRAM_FIELDS.initBlock(doubles, at + cellWords);
      linkBlock(words, at, at + cellWords);
    },
    write(words, doubles, at, k) {
      const number = recordsUpTo(k);
      if (k % PERIOD === 0) HISTOGRAM_FIELDS.carry(words, doubles, at);
      else record(words, doubles, at, bucketOf(number), valueAt(number));
    },
    read(words, doubles, at, into) {
      const attempts = read(words, doubles, at, HISTOGRAM_FIELDS, BUCKETS, copied);
      if (attempts === 0) return 0;
      copied[slotWords + copied[4]!] = copied[5]!;
      into.set(copied.subarray(0, 4));
      into.set(copied.subarray(slotWords, slotWords + BUCKETS), 4);
      into.set(copied.subarray(slotWords + BUCKETS + 2), 4 + BUCKETS);
      return attempts;
    },
    expected(k) {
      const all = recordsUpTo(k);
      const values = Array.from({ length: k % PERIOD }, (_, i) => valueAt(all - i));
      const sum = values.reduce((total, value) => total + value, 0);
      return [...plain.expected(all), sum, Math.min(...values), Math.max(...values)];
    },
    updateOf(into) {
      const all = plain.updateOf(into);
      if (all < 0) return -1;
      const k = updateAfter(all, into[4 + BUCKETS] === 0);
      if (k < 0) return -1;
      let sum = 0;
      let min = Infinity;
      let max = -Infinity;
      for (let i = 0; i < k % PERIOD; i++) {
        const value = valueAt(all - i);
        sum += value;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      return into[4 + BUCKETS] === sum && into[5 + BUCKETS] === min && into[6 + BUCKETS] === max ? k : -1;
    },
    adopt: (words, doubles, at) => HISTOGRAM_FIELDS.finishCarry(words, doubles, at),
  };
}

/** Update k keeps k as value, as time, in the ids and, twice, in the text. The writer has one form, which both readers take. */
const TEXT_WORDS = 2;

function exemplarCell(form: Form): CellProtocol {
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  const copyWords = exemplarCopyWords(TEXT_WORDS);
  return {
    name: `exemplar ${form}`,
    cellWords: exemplarCellWords(TEXT_WORDS),
    init() {},
    write(words, doubles, at, k) {
      const hex = k.toString(16);
      const span = { traceId: hex.padStart(32, '0'), spanId: hex.padStart(16, '0') };
      const text = hex.padStart(6, ' ').repeat(TEXT_WORDS);
      writeExemplar(words, doubles, at, TEXT_WORDS, { value: k, time: k, span, text });
    },
    read: (words, doubles, at, into) => read(words, doubles, at, copyWords, 0, into),
    expected(k) {
      if (k === 0) return Array.from({ length: copyWords }, () => 0);
      const text = Buffer.from(k.toString(16).padStart(6, ' ')).readUIntBE(0, 6);
      // 24 bytes of ids in words of six: the trace id ends in the third word, the span id in the fourth.
      return [k, k, 0, 0, k * 2 ** 16, k, text, text];
    },
    updateOf(into) {
      const k = into[0]!;
      if (k === 0) return into[1] === 0 && into[6] === 0 ? 0 : -1;
      return into[1] === k && into[4] === k * 2 ** 16 && into[5] === k && into[6] === into[7] ? k : -1;
    },
  };
}

/** The real cells in both forms. A writer and a reader of one form belong together. */
export const REAL_CELLS: readonly CellProtocol[] = (['fast', 'strict'] as const).flatMap((form) => [
  sumCell(form),
  lastValueCell(form),
  sharedValueCell(form),
  histogramCell(form),
  exemplarCell(form),
  exponentialCell(form),
  carriedSumCell(form),
  carriedHistogramCell(form),
]);
