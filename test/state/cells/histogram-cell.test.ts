import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  HISTOGRAM_BUCKETS,
  HISTOGRAM_COUNT,
  HISTOGRAM_MAX,
  HISTOGRAM_MIN,
  HISTOGRAM_SUM,
  histogramCellWords,
  histogramCopyWords,
  initHistogram,
  readHistogramInto,
  recordToHistogramFast,
  recordToHistogramStrict,
} from '../../../src/state/cells/histogram-cell.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { makeMemory } from '../../support/stepped-memory.ts';

const BUCKETS = 4;

describe('histogram cell', () => {
  for (const [form, record] of [
    ['FAST', recordToHistogramFast],
    ['STRICT', recordToHistogramStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<{ readonly value: number; readonly bucket: number }>({
        cellWords: histogramCellWords(BUCKETS),
        records: fc.record({
          value: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0), // no -0: min and max may keep either zero
          bucket: fc.nat({ max: BUCKETS - 1 }),
        }),
        init({ words, doubles }, at) {
          // A fresh cell has its first state in slot 0, and every start version of the laws is even.
          expect(words[at << 1]! & 1).to.equal(0);
          initHistogram(doubles, at);
        },
        record: ({ words, doubles }, at, { value, bucket }) => record(words, doubles, at, bucket, value),
        read({ words, doubles }, at) {
          const into = new Float64Array(histogramCopyWords(BUCKETS));
          readHistogramInto(words, doubles, at, BUCKETS, into);
          return [
            HISTOGRAM_COUNT,
            HISTOGRAM_SUM,
            HISTOGRAM_MIN,
            HISTOGRAM_MAX,
            ...[0, 1, 2, 3].map((b) => HISTOGRAM_BUCKETS + b),
          ].map((index) => into[index]!);
        },
        model(records) {
          const values = records.map(({ value }) => value);
          const counts = Array.from(
            { length: BUCKETS },
            (_, b) => records.filter(({ bucket }) => bucket === b).length,
          );
          const sum = values.reduce((total, value) => total + value, 0);
          const min = values.reduce((least, value) => (value < least ? value : least), Infinity);
          const max = values.reduce((most, value) => (value > most ? value : most), -Infinity);
          return [values.length, sum, min, max, ...counts];
        },
      });

      it('shows the newest count of a bucket before the array has it', () => {
        const { words, doubles } = makeMemory(1 + histogramCellWords(BUCKETS));
        initHistogram(doubles, 1);
        record(words, doubles, 1, 2, 10);
        const tail = 1 + histogramCellWords(BUCKETS) - BUCKETS;
        expect([...doubles.subarray(tail, tail + BUCKETS)]).to.deep.equal([0, 0, 0, 0]);
        const into = new Float64Array(histogramCopyWords(BUCKETS));
        expect(readHistogramInto(words, doubles, 1, BUCKETS, into)).to.equal(1);
        expect([...into.subarray(HISTOGRAM_BUCKETS, HISTOGRAM_BUCKETS + BUCKETS)]).to.deep.equal([
          0, 0, 1, 0,
        ]);
        record(words, doubles, 1, 0, 1);
        expect([...doubles.subarray(tail, tail + BUCKETS)]).to.deep.equal([0, 0, 1, 0]);
      });
    });
  }
});
