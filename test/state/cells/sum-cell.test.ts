import * as fc from 'fast-check';
import {
  addToSumFast,
  addToSumStrict,
  readSumInto,
  SUM_CELL_WORDS,
  SUM_COPY_WORDS,
} from '../../../src/state/cells/sum-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';

describe('sum cell', () => {
  for (const [form, add] of [
    ['FAST', addToSumFast],
    ['STRICT', addToSumStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<number>({
        cellWords: SUM_CELL_WORDS,
        records: fc.double({ noNaN: true, noDefaultInfinity: true }),
        init() {},
        record: ({ words, doubles }, at, delta) => add(words, doubles, at, delta),
        read({ words, doubles }, at) {
          const into = new Float64Array(SUM_COPY_WORDS);
          readSumInto(words, doubles, at, into);
          return [into[0]!];
        },
        model: (deltas) => [deltas.reduce((total, delta) => total + delta, 0)],
      });
    });
  }
});
