/** The three real cells, in both forms, as protocols to check. */
import { adoptCell, readConsistentFast, readConsistentStrict } from '../../src/memory/cell.ts';
import {
  HISTOGRAM_BUCKETS,
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
import { addToSumFast, addToSumStrict, SUM_CELL_WORDS } from '../../src/state/cells/sum-cell.ts';
import type { CellProtocol } from './cell-protocol.ts';

type Form = 'fast' | 'strict';

function sumCell(form: Form): CellProtocol {
  const add = form === 'fast' ? addToSumFast : addToSumStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  return {
    name: `sum ${form}`,
    cellWords: SUM_CELL_WORDS,
    init() {},
    write: (words, doubles, at, k) => add(words, doubles, at, k),
    read: (words, doubles, at, into) => read(words, doubles, at, 1, 0, into),
    expected: (k) => [(k * (k + 1)) / 2],
    adopt: adoptCell,
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
    adopt: adoptCell,
  };
}

/** Update k records `value(k)`, which falls into bucket `bucket(k)`: neighbours are both equal and different. */
const BUCKETS = 3;
const bucketOf = (k: number): number => (k >> 1) % BUCKETS;
const valueOf = (k: number): number => bucketOf(k) * 10 + 1;

function histogramCell(form: Form): CellProtocol {
  const record = form === 'fast' ? recordToHistogramFast : recordToHistogramStrict;
  const read = form === 'fast' ? readConsistentFast : readConsistentStrict;
  const slotWords = HISTOGRAM_BUCKETS;
  const copied = new Float64Array(slotWords + BUCKETS);
  return {
    name: `histogram ${form}`,
    cellWords: histogramCellWords(BUCKETS),
    init: ({ doubles }, at) => initHistogram(doubles, at),
    write: (words, doubles, at, k) => record(words, doubles, at, bucketOf(k), valueOf(k)),
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
      const values = Array.from({ length: k }, (_, i) => valueOf(i + 1));
      const counts = Array.from({ length: BUCKETS }, () => 0);
      for (let i = 1; i <= k; i++) counts[bucketOf(i)]! += 1;
      const sum = values.reduce((total, value) => total + value, 0);
      return [k, sum, Math.min(...values), Math.max(...values), ...counts];
    },
    adopt: adoptCell,
  };
}

export const REAL_CELLS: readonly CellProtocol[] = (['fast', 'strict'] as const).flatMap((form) => [
  sumCell(form),
  lastValueCell(form),
  histogramCell(form),
]);
