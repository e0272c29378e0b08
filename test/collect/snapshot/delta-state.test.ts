/** Deltas that a reader of another thread goes on with. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { deserialize, serialize } from 'node:v8';
import { CellCopies } from '../../../src/collect/rows/cell-copies.ts';
import { rowsOf } from '../../../src/collect/rows/row-kinds.ts';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import type { ExponentialHistogramValue, HistogramValue } from '../../../src/collect/metric-data.ts';
import {
  correspondence,
  type Correspondence,
  ReportedStream,
  type DeltaState,
} from '../../../src/collect/snapshot/deltas.ts';
import { MergedStream, NONE } from '../../../src/collect/directory/merged-stream.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { DEFAULT_MAX_BYTES } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { counter, exponentialHistogram, histogram } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [10, 100];

/** What a reader was told of one series in all, and in its last interval. */
interface Told {
  sum: number;
  count: number;
  buckets: number[];
  extremes: (number | undefined)[];
  exponential: number;
}

/** A reader with delta temporality, as it would be in a thread of its own. */
class Reader {
  readonly #snapshots: Snapshots;

  /** `before`: whose place it takes. */
  constructor(region: Region, before?: Reader) {
    this.#snapshots = new Snapshots(new StoreReader(region), new CellReader());
    if (before !== undefined)
      this.#snapshots.reported.resume(
        deserialize(serialize(before.#snapshots.reported.states())) as DeltaState[],
      );
  }

  /** Adds what came since the last time to what was told. Returns of which series something came. */
  collect(told: Map<unknown, Told>): Set<unknown> {
    const sets = new Set<unknown>();
    for (const metric of scopeMetricsOf(this.#snapshots, () => true).flatMap(({ metrics }) => metrics))
      for (const { attributes, value } of metric.dataPoints) {
        const set = attributes['set'] ?? 'overflow';
        sets.add(set);
        const of = toldOf(told, set);
        if (typeof value === 'number') of.sum += value;
        else if ('buckets' in (value as object)) {
          const { count, min, max, buckets } = value as HistogramValue;
          of.count += count;
          buckets.counts.forEach((more, i) => (of.buckets[i] = (of.buckets[i] ?? 0) + more));
          of.extremes = [min, max];
        } else of.exponential += (value as ExponentialHistogramValue).count;
      }
    return sets;
  }
}

function toldOf(told: Map<unknown, Told>, set: unknown): Told {
  let of = told.get(set);
  if (of === undefined) told.set(set, (of = { sum: 0, count: 0, buckets: [], extremes: [], exponential: 0 }));
  return of;
}

describe('deltas that another reader goes on with', function () {
  before(needsProc);

  it(`add up to what was recorded, with the extremes of each interval, whatever the order in which it finds series (seed: ${SEED})`, () => {
    type Step =
      { writer: number; set: number; value: number; dies: boolean } | { collect: true } | { handOver: true };
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          writer: fc.nat(2),
          set: fc.nat(3),
          value: fc.nat(200),
          dies: fc.nat(9).map((n) => n === 0),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ collect: true } as const) },
      { weight: 1, arbitrary: fc.constant({ handOver: true } as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const region = Region.create(DEFAULT_MAX_BYTES);
        const writers = new Map<number, StoreWriter>();
        const all = new Map<number, number[]>();
        const told = new Map<unknown, Told>();
        let sinceLast = new Map<number, number[]>();
        let reader = new Reader(region);
        for (const now of [...steps, { collect: true as const }]) {
          if ('handOver' in now) reader = new Reader(region, reader);
          else if ('collect' in now) {
            expect([...reader.collect(told)].sort()).to.deep.equal([...sinceLast.keys()].sort());
            for (const [set, values] of sinceLast)
              expect(told.get(set)!.extremes).to.deep.equal([Math.min(...values), Math.max(...values)]);
            sinceLast = new Map();
          } else {
            const { set, value, dies } = now;
            const writer = writers.get(now.writer) ?? newWriter(region);
            writers.set(now.writer, writer);
            recordTo(writer.stream(counter('c'), LIMIT), value, { set });
            recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), value, { set });
            recordTo(writer.stream(exponentialHistogram('e', { maxSize: 4 }), LIMIT), value, { set });
            for (const map of [all, sinceLast]) map.set(set, [...(map.get(set) ?? []), value]);
            if (dies) {
              bury(writer);
              writers.delete(now.writer);
            }
          }
        }
        for (const [set, values] of all) {
          const { sum, count, buckets, exponential } = told.get(set)!;
          const inBucket = (from: number, to: number): number =>
            values.filter((value) => value > from && value <= to).length;
          expect({ sum, count, buckets, exponential }).to.deep.equal({
            sum: values.reduce((a, b) => a + b),
            count: values.length,
            buckets: [inBucket(-1, 10), inBucket(10, 100), inBucket(100, Infinity)],
            exponential: values.length,
          });
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('find series by their cells, and nothing where those are put together otherwise', () => {
    const stream = new MergedStream(counter('c'));
    const add = (set: string, cell: number): void =>
      stream.add({ keys: ['set'], values: [set] }, 0, { cell, slab: 0, standing: 0 });
    add('a', 10);
    add('b', 20);
    add('a', 11);
    const region = Region.create(2 ** 20);
    const copies = new CellCopies(region, new CellReader());
    const found = (cells: number[], series: number[]): Correspondence | undefined =>
      correspondence(stream, {
        ...new ReportedStream(stream, rowsOf(stream, copies)).state(),
        cells: Int32Array.from(cells),
        series: Int32Array.from(series),
      });
    const inOtherOrder = found([20, 11], [0, 1]);
    expect([...inOtherOrder!.ofSeries]).to.deep.equal([1, 0]);
    expect([...inOtherOrder!.ofContribution], 'of the cells 10, 20 and 11').to.deep.equal([NONE, 0, 1]);
    expect(found([10, 11], [0, 1]), 'two series there are one here').to.equal(undefined);
    expect(found([10, 20], [0, 0]), 'one series there is two here').to.equal(undefined);
    const ended = found([10, 99, 20], [0, 0, 1]);
    expect([...ended!.ofSeries], 'a part of the first has ended').to.deep.equal([NONE, 1]);
    expect([...ended!.ofContribution]).to.deep.equal([NONE, 2, NONE]);
    stream.isDamaged = true;
    expect(found([10, 99], [0, 0]), 'a cell is not found here').to.equal(undefined);
  });

  it('begin anew, with a warning, where a part of what was reported can no longer be read', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const writer = newWriter(region);
    const reader = new Reader(region);
    const record = (set: string): void => recordTo(writer.stream(counter('c'), LIMIT), 1, { set });
    record('x');
    record('the damaged one');
    reader.collect(new Map());
    const at = Buffer.from(region.bytes.buffer).indexOf('the damaged one');
    region.bytes[at]! ^= 1;
    const { warnings, stop } = collectWarnings();
    const successor = new Reader(region, reader);
    const told = new Map<unknown, Told>();
    record('x');
    successor.collect(told);
    record('x');
    successor.collect(told);
    stop();
    expect([...told].map(([set, { sum }]) => [set, sum])).to.deep.equal([['x', 1]]);
    expect(warnings.filter((warning) => warning.includes('metric c start again'))).to.have.length(1);
  });
});
