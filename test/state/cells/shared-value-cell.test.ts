import { expect } from 'chai';
import * as fc from 'fast-check';
import { setLastValueFast, setLastValueStrict } from '../../../src/state/cells/last-value-cell.ts';
import {
  addToSharedFast,
  addToSharedStrict,
  readSharedValueInto,
  SHARED_AMOUNT,
  SHARED_TICK,
  SHARED_VALUE_CELL_WORDS,
} from '../../../src/state/cells/shared-value-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { makeMemory } from '../../support/stepped-memory.ts';

interface Write {
  readonly kind: 'set' | 'add';
  readonly amount: number;
  /** Of a set, its tick; of an addition, the epoch it goes to. */
  readonly epoch: number;
}

describe('shared-value cell', () => {
  for (const [form, set, add] of [
    ['FAST', setLastValueFast, addToSharedFast],
    ['STRICT', setLastValueStrict, addToSharedStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<Write>({
        cellWords: SHARED_VALUE_CELL_WORDS,
        records: fc.record({
          kind: fc.constantFrom('set', 'add'),
          amount: fc.integer({ min: -1000, max: 1000 }),
          epoch: fc.integer({ min: 1, max: 3 }), // few, so that additions meet the epoch of what is there
        }),
        init() {},
        record: ({ words, doubles }, at, { kind, amount, epoch }) =>
          (kind === 'set' ? set : add)(words, doubles, at, amount, epoch),
        read({ words, doubles }, at) {
          const into = new Float64Array(2);
          readSharedValueInto(words, doubles, at, into);
          return [into[SHARED_AMOUNT]!, into[SHARED_TICK]!];
        },
        model(writes) {
          let [held, tick] = [0, 0];
          for (const { kind, amount, epoch } of writes) {
            const isBase = kind === 'set' || tick === epoch;
            held = kind === 'add' && Math.abs(tick) === epoch ? held + amount : amount;
            tick = isBase ? epoch : -epoch;
          }
          return [held, tick];
        },
      });

      it('takes an amount of zero for an amount', () => {
        const { words, doubles } = makeMemory(SHARED_VALUE_CELL_WORDS);
        add(words, doubles, 0, 0, 0.5);
        const into = new Float64Array(2);
        expect(readSharedValueInto(words, doubles, 0, into)).to.equal(1);
        expect([...into]).to.deep.equal([0, -0.5]);
      });
    });
  }
});
