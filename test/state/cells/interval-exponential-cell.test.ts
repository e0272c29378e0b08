import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  EXPONENTIAL_COUNTS,
  EXPONENTIAL_RANGES,
  readExponentialInto,
} from '../../../src/state/cells/exponential-copy.ts';
import {
  ExponentialShape,
  initExponential,
  recordToExponential,
} from '../../../src/state/cells/exponential-histogram-cell.ts';
import {
  recordToIntervalExponentialFast,
  recordToIntervalExponentialStrict,
} from '../../../src/state/cells/interval-exponential-cell.ts';
import { extremesSince, INTERVAL_WORDS } from '../../../src/state/cells/interval-part.ts';
import { itObeysTheCellLaws } from '../../support/cell-laws.ts';
import { makeMemory, type Memory } from '../../support/stepped-memory.ts';

interface Measurement {
  readonly value: number;
  readonly epoch: number;
}

/** Of many scales, so that the counts move. No -0: extremes may keep either zero. */
const values = fc
  .oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0);
const measurements: fc.Arbitrary<Measurement> = fc.record({
  value: values,
  epoch: fc.constantFrom(0, 0, 0, 1, 2, -(2 ** 31)),
});

const least = (all: readonly number[]): number => all.reduce((a, b) => (b < a ? b : a), Infinity);
const most = (all: readonly number[]): number => all.reduce((a, b) => (b > a ? b : a), -Infinity);

/** Intervals of a sequence, the latest first: a new one where the epoch is another than before; the cell starts at 0. */
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

const shape = new ExponentialShape(5, 20, true, true);
const plain = new ExponentialShape(5, 20, true);

/** With a spare array behind it. */
function init({ doubles }: Memory, at: number, of: ExponentialShape): void {
  initExponential(doubles, at, of);
  of.spare = at + of.cellWords;
}

function read({ words, doubles }: Memory, at: number, of: ExponentialShape): Float64Array {
  const into = new Float64Array(of.copyWords);
  expect(readExponentialInto(words, doubles, at, of, into)).to.equal(1);
  return into;
}

/** What the cell without intervals holds: the copy up to where theirs begin, as far as it is in use. */
function totals(copy: Float64Array): number[] {
  const counts = [0, 1].flatMap((range) => {
    const from = EXPONENTIAL_COUNTS + range * plain.maxSize;
    return [...copy.subarray(from, from + copy[EXPONENTIAL_RANGES + 2 * range + 1]!)];
  });
  return [...copy.subarray(0, EXPONENTIAL_COUNTS), ...counts];
}

describe('interval exponential histogram cell', () => {
  for (const [form, record] of [
    ['FAST', recordToIntervalExponentialFast],
    ['STRICT', recordToIntervalExponentialStrict],
  ] as const) {
    describe(form, () => {
      itObeysTheCellLaws<Measurement>({
        cellWords: shape.cellWords + shape.arrayWords,
        records: measurements,
        init: (memory, at) => init(memory, at, shape),
        record: ({ words, doubles }, at, { value, epoch }) => record(words, doubles, at, shape, value, epoch),
        read(memory, at) {
          const copy = read(memory, at, shape);
          return [...totals(copy), ...copy.subarray(shape.copiedInterval + 1)]; // all but the epoch
        },
        model(records) {
          const [latest, earlier = { since: 0, values: [] }] = intervalsOf(records);
          const memory = makeMemory(1 + plain.cellWords + plain.arrayWords);
          init(memory, 1, plain);
          for (const { value } of records) recordToExponential(memory.words, memory.doubles, 1, plain, value);
          return [
            ...totals(read(memory, 1, plain)),
            ...[latest!, earlier].flatMap((one) => [one.since, least(one.values), most(one.values)]),
          ];
        },
      });

      it('bounds what came after any measurement, and exactly what came after the start of an interval', () => {
        fc.assert(
          fc.property(fc.array(measurements, { maxLength: 40 }), fc.nat(), (records, n) => {
            const memory = makeMemory(1 + shape.cellWords + shape.arrayWords);
            init(memory, 1, shape);
            for (const { value, epoch } of records)
              record(memory.words, memory.doubles, 1, shape, value, epoch);
            const copy = read(memory, 1, shape);
            expect(copy.length - shape.copiedInterval).to.equal(INTERVAL_WORDS);
            const bounds = new Float64Array(2);
            const after = (known: number): number[] => {
              extremesSince(copy, shape.copiedInterval, known, bounds);
              return records.slice(known).map(({ value }) => value);
            };
            for (const { since } of intervalsOf(records).slice(0, 2)) {
              const counted = after(since);
              expect([...bounds]).to.deep.equal([least(counted), most(counted)]);
            }
            for (const value of after(n % (records.length + 1)))
              expect(value).to.be.within(bounds[0]!, bounds[1]!);
          }),
          { numRuns: 200 },
        );
      });
    });
  }
});
