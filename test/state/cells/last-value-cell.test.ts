import * as fc from 'fast-check';
import {
  LAST_TICK,
  LAST_VALUE,
  LAST_VALUE_CELL_WORDS,
  readLastValueInto,
  setLastValueFast,
  setLastValueStrict,
} from '../../../src/state/cells/last-value-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';

describe('last-value cell', () => {
  for (const [form, set] of [
    ['FAST', setLastValueFast],
    ['STRICT', setLastValueStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<{ readonly value: number; readonly tick: number }>({
        cellWords: LAST_VALUE_CELL_WORDS,
        records: fc.record({ value: fc.double(), tick: fc.integer({ min: 1 }) }), // NaN too: a gauge may be set to it
        init() {},
        record: ({ words, doubles }, at, { value, tick }) => set(words, doubles, at, value, tick),
        read({ words, doubles }, at) {
          const into = new Float64Array(2);
          readLastValueInto(words, doubles, at, into);
          return [into[LAST_VALUE]!, into[LAST_TICK]!];
        },
        model(sets) {
          const last = sets.at(-1);
          return last === undefined ? [0, 0] : [last.value, last.tick];
        },
      });
    });
  }
});
