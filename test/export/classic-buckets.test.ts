import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import type { MetricColumn } from '../../src/collect/rows/column.ts';
import {
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_SUM,
} from '../../src/collect/rows/histogram.ts';
import { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import { ClassicColumns } from '../../src/export/classic-buckets.ts';
import { Region } from '../../src/memory/region.ts';
import { exponentialHistogram, type ExponentialHistogramAggregation } from '../support/descriptions.ts';
import { newWriter } from '../support/writers.ts';
import { needsProc } from '../support/marks.ts';
import { recordTo } from '../support/record-to.ts';

/** A metric whose series are recorded to, and its classic form. */
class Classic {
  readonly #region = Region.create(2 ** 22);
  readonly #writer = newWriter(this.#region);
  readonly #snapshots = new Snapshots(new StoreReader(this.#region), new CellReader());
  readonly #classic = new ClassicColumns();
  readonly #options: Partial<ExponentialHistogramAggregation>;

  constructor(options: Partial<ExponentialHistogramAggregation> = {}) {
    this.#options = options;
  }

  record(values: readonly number[], series = 0): void {
    const stream = this.#writer.stream(exponentialHistogram('h', this.#options), 100);
    for (const value of values) recordTo(stream, value, { series });
  }

  column(): MetricColumn {
    return this.#classic.of(this.#snapshots.takeColumns()[0]!);
  }
}

/** By bound, how many values a row says are not above it. */
function cumulated(column: MetricColumn, row: number): [number, number][] {
  let total = 0;
  const buckets = row * column.stride + HISTOGRAM_ROW_BUCKETS;
  return [...column.description.boundaries, Infinity].map((bound, i) => [
    bound,
    (total += column.values[buckets + i]!),
  ]);
}

/** What they are, a value of exactly a negative bound taken for one above it. */
function expected(column: MetricColumn, values: readonly number[]): [number, number][] {
  return [...column.description.boundaries, Infinity].map((bound) => [
    bound,
    values.filter((value) => (bound < 0 ? value < bound : value <= bound)).length,
  ]);
}

const numbers = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.double({ min: 2 ** -1022, noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -30, max: 30 }).map((n) => 2 ** n),
);
const signed = fc.tuple(numbers, fc.boolean()).map(([value, minus]) => (minus ? -value : value));

describe('classic buckets of exponential histograms', () => {
  before(needsProc);

  for (const negative of [false, true]) {
    it(`count exactly what was recorded${negative ? ', of either sign' : ''}, in all series by the same bounds`, () => {
      const values = fc.array(negative ? signed : numbers, { minLength: 1, maxLength: 40 });
      fc.assert(
        fc.property(
          fc.array(values, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(2, 20, 160),
          (rows, maxSize) => {
            const metric = new Classic({ negative, maxSize });
            rows.forEach((row, series) => metric.record(row, series));
            const column = metric.column();
            expect(column.description).to.deep.include({ kind: 'histogram', name: 'h', hasSum: !negative });
            expect(column.rows).to.equal(rows.length);
            const { boundaries } = column.description;
            expect([...boundaries].sort((a, b) => a - b)).to.deep.equal(boundaries);
            rows.forEach((row, i) => {
              expect(column.attributes[i]).to.deep.equal({ series: i });
              expect(cumulated(column, i)).to.deep.equal(expected(column, row));
              expect(column.values[i * column.stride + HISTOGRAM_ROW_COUNT]).to.equal(row.length);
              if (!negative)
                expect(column.values[i * column.stride + HISTOGRAM_ROW_SUM]).to.equal(
                  row.reduce((a, b) => a + b, 0),
                );
            });
          },
        ),
        { numRuns: 150 },
      );
    });
  }

  it('have the powers of two about what was recorded as bounds, and 0 where there are zeros', () => {
    const metric = new Classic();
    metric.record([5]);
    expect(metric.column().description.boundaries).to.deep.equal([4, 8]);
    metric.record([4, 100], 1);
    expect(metric.column().description.boundaries).to.deep.equal([2, 4, 8, 16, 32, 64, 128]);
    metric.record([0]);
    const column = metric.column();
    expect(column.description.boundaries).to.deep.equal([0, 2, 4, 8, 16, 32, 64, 128]);
    expect(metric.column()).to.equal(column);
  });

  it('keep every bound that was shown while there are few enough, and then every second, fourth, ...', () => {
    const metric = new Classic();
    let before: readonly number[] = [];
    for (const value of [1, 3, 0.1, 1e6, 1e-20, 1e20]) {
      metric.record([value]);
      const { boundaries } = metric.column().description;
      expect(boundaries).to.include.members([...before]);
      before = boundaries;
    }
    metric.record([1e-300, 1e300], 1);
    const { boundaries } = metric.column().description;
    expect(boundaries.length).to.be.within(80, 161);
    expect(boundaries.every((bound) => Math.log2(bound) % 16 === 0)).to.equal(true);
    expect(cumulated(metric.column(), 1)).to.deep.equal(expected(metric.column(), [1e-300, 1e300]));
  });

  it('end below infinity', () => {
    const metric = new Classic({ negative: true });
    metric.record([Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE]);
    const column = metric.column();
    expect(column.description.boundaries.every(Number.isFinite)).to.equal(true);
    expect(cumulated(column, 0).at(-1)).to.deep.equal([Infinity, 3]);
  });

  it('are one bucket for zeros alone', () => {
    const metric = new Classic();
    metric.record([0, 0]);
    expect(cumulated(metric.column(), 0)).to.deep.equal([
      [0, 2],
      [Infinity, 2],
    ]);
  });
});
