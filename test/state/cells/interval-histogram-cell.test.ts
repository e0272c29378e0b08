import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  HISTOGRAM_COUNT,
  HISTOGRAM_MAX,
  HISTOGRAM_MIN,
  HISTOGRAM_SUM,
} from '../../../src/state/cells/histogram-cell.ts';
import {
  initIntervalHistogram,
  INTERVAL_HISTOGRAM_BUCKETS,
  INTERVAL_HISTOGRAM_EXTREMES,
  intervalHistogramCellWords,
  intervalHistogramCopyWords,
  readIntervalHistogramInto,
  recordToIntervalHistogramFast,
  recordToIntervalHistogramStrict,
} from '../../../src/state/cells/interval-histogram-cell.ts';
import { extremesSince } from '../../../src/state/cells/interval-part.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { makeMemory, type Memory } from '../../support/stepped-memory.ts';

const BUCKETS = 4;

interface Measurement {
  readonly value: number;
  readonly bucket: number;
  readonly epoch: number;
}

const values = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0); // no -0: extremes may keep either zero
const measurements: fc.Arbitrary<Measurement> = fc.record({
  value: values,
  bucket: fc.nat({ max: BUCKETS - 1 }),
  epoch: fc.constantFrom(0, 0, 0, 1, 2, -(2 ** 31)),
});

const least = (all: readonly number[]): number => all.reduce((a, b) => (b < a ? b : a), Infinity);
const most = (all: readonly number[]): number => all.reduce((a, b) => (b > a ? b : a), -Infinity);

/** Intervals of a sequence: a new one where the epoch is another than before; the cell starts at 0. */
function intervalsOf(records: readonly Measurement[]): { since: number; values: number[] }[] {
  const intervals = [{ since: 0, values: [] as number[] }];
  let epoch = 0;
  records.forEach((record, i) => {
    if (record.epoch !== epoch) intervals.unshift({ since: i, values: [] });
    ({ epoch } = record);
    intervals[0]!.values.push(record.value);
  });
  return intervals;
}

function read({ words, doubles }: Memory, at: number): Float64Array {
  const into = new Float64Array(intervalHistogramCopyWords(BUCKETS));
  expect(readIntervalHistogramInto(words, doubles, at, BUCKETS, into)).to.equal(1);
  return into;
}

describe('interval histogram cell', () => {
  for (const [form, record] of [
    ['FAST', recordToIntervalHistogramFast],
    ['STRICT', recordToIntervalHistogramStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<Measurement>({
        cellWords: intervalHistogramCellWords(BUCKETS),
        records: measurements,
        init: ({ doubles }, at) => initIntervalHistogram(doubles, at),
        record: ({ words, doubles }, at, { value, bucket, epoch }) =>
          record(words, doubles, at, bucket, value, epoch),
        read(memory, at) {
          const copy = read(memory, at);
          const at0 = [HISTOGRAM_COUNT, HISTOGRAM_SUM, HISTOGRAM_MIN, HISTOGRAM_MAX].map((i) => copy[i]!);
          return [
            ...at0,
            ...copy.subarray(7, INTERVAL_HISTOGRAM_BUCKETS), // since, low, high, and of the earlier
            ...copy.subarray(INTERVAL_HISTOGRAM_BUCKETS),
          ];
        },
        model(records) {
          const all = records.map(({ value }) => value);
          const [latest, earlier = { since: 0, values: [] }] = intervalsOf(records);
          return [
            all.length,
            all.reduce((total, value) => total + value, 0),
            least(all),
            most(all),
            ...[latest!, earlier].flatMap((one) => [one.since, least(one.values), most(one.values)]),
            ...Array.from({ length: BUCKETS }, (_, b) => records.filter(({ bucket }) => bucket === b).length),
          ];
        },
      });

      it('bounds what came after any measurement, and exactly what came after the start of an interval', () => {
        fc.assert(
          fc.property(fc.array(measurements, { maxLength: 40 }), fc.nat(), (records, n) => {
            const memory = makeMemory(1 + intervalHistogramCellWords(BUCKETS));
            initIntervalHistogram(memory.doubles, 1);
            for (const { value, bucket, epoch } of records)
              record(memory.words, memory.doubles, 1, bucket, value, epoch);
            const copy = read(memory, 1);
            const bounds = new Float64Array(2);
            const after = (known: number): number[] => {
              extremesSince(copy, INTERVAL_HISTOGRAM_EXTREMES, known, bounds);
              return records.slice(known).map(({ value }) => value);
            };
            for (const { since } of intervalsOf(records).slice(0, 2)) {
              const counted = after(since);
              expect([...bounds]).to.deep.equal([least(counted), most(counted)]);
            }
            for (const value of after(n % (records.length + 1)))
              expect(value).to.be.within(bounds[0]!, bounds[1]!);
          }),
          { numRuns: 500 },
        );
      });
    });
  }
});
