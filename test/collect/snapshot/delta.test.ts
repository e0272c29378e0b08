/** Delta temporality: each reader of a store takes its own differences of the cumulative cells. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { systemClock } from '../../../src/base/platform.ts';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import type { HistogramValue, Metric } from '../../../src/collect/metric-data.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf, StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { DEFAULT_MAX_BYTES } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { alwaysBusy } from '../../support/busy-cell.ts';
import { counter, gauge, histogram } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [1, 10, 100];

/** One reader: what it is told at each collection. */
class Reader {
  readonly #snapshots: Snapshots;
  readonly #isDelta: boolean;

  constructor(region: Region, isDelta = true) {
    this.#snapshots = new Snapshots(readerOf(region), new CellReader());
    this.#isDelta = isDelta;
  }

  collect(): Metric[] {
    return scopeMetricsOf(this.#snapshots, () => this.#isDelta).flatMap(({ metrics }) => metrics);
  }

  /** Values of one metric by its attribute `set`. */
  values(name: string): Map<unknown, unknown> {
    const metric = this.collect().find(({ descriptor }) => descriptor.name === name);
    return new Map(metric?.dataPoints.map(({ attributes, value }) => [attributes['set'], value]));
  }
}

function newRegion(): Region {
  return Region.create(DEFAULT_MAX_BYTES);
}

describe('delta temporality', function () {
  before(needsProc);

  it(`tells each reader what came since its own previous collection (seed: ${SEED})`, () => {
    type Step = { writer: number; set: number; value: number; dies: boolean } | { reader: number };
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          writer: fc.nat(3),
          set: fc.nat(2),
          value: fc.nat(200),
          dies: fc.nat(9).map((n) => n === 0),
        }),
      },
      { weight: 1, arbitrary: fc.record({ reader: fc.nat(2) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const region = newRegion();
        const readers = [new Reader(region), new Reader(region), new Reader(region, false)];
        const since: number[][][] = readers.map(() => [[], [], []]); // by reader and set
        const writers = new Map<number, StoreWriter>();
        const recorded = steps.concat([{ reader: 0 }, { reader: 1 }, { reader: 2 }]);
        for (const now of recorded) {
          if (!('reader' in now)) {
            const writer = writers.get(now.writer) ?? newWriter(region);
            writers.set(now.writer, writer);
            recordTo(writer.stream(counter('c'), LIMIT), now.value, { set: now.set });
            recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), now.value, { set: now.set });
            for (const sets of since) sets[now.set]!.push(now.value);
            if (now.dies) {
              bury(writer);
              writers.delete(now.writer);
            }
            continue;
          }
          const metrics = readers[now.reader]!.collect();
          const told = new Map(
            since[now.reader]!.flatMap((values, set) => (values.length === 0 ? [] : [[set, values]])),
          );
          if (now.reader !== 2) since[now.reader] = [[], [], []];
          const found = (name: string): Map<unknown, unknown> =>
            new Map(
              metrics
                .find(({ descriptor }) => descriptor.name === name)
                ?.dataPoints.map(({ attributes, value }) => [attributes['set'], value]),
            );
          const add = (a: number, b: number): number => a + b;
          expect(found('c')).to.deep.equal(
            new Map([...told].map(([set, values]) => [set, values.reduce(add)])),
          );
          const histograms = [...found('h')].map(([set, value]) => {
            const { count, sum, buckets } = value as HistogramValue;
            return [set, { count, sum, buckets }] as const;
          });
          expect(new Map(histograms)).to.deep.equal(
            new Map(
              [...told].map(([set, values]) => {
                const counts = [0, 0, 0, 0];
                for (const value of values)
                  counts[[...BOUNDS, Infinity].findIndex((bound) => value <= bound)]!++;
                const buckets = { boundaries: BOUNDS, counts };
                return [set, { count: values.length, sum: values.reduce(add), buckets }];
              }),
            ),
          );
        }
      }),
      { seed: SEED, numRuns: 100 },
    );
  });

  it('reports only series that were updated, gauges too; an update need not change a value', () => {
    const region = newRegion();
    const reader = new Reader(region);
    const writer = newWriter(region);
    const sum = writer.stream(counter('c'), LIMIT);
    const level = writer.stream(gauge('g'), LIMIT);
    for (const set of ['a', 'b']) {
      recordTo(sum, 1, { set });
      recordTo(level, 5, { set });
    }
    expect(reader.collect().map(({ dataPoints }) => dataPoints.length)).to.deep.equal([2, 2]);
    expect(reader.collect(), 'nothing recorded').to.deep.equal([]);
    recordTo(sum, 0, { set: 'b' });
    expect([...reader.values('c')]).to.deep.equal([['b', 0]]);
    recordTo(level, 5, { set: 'a' });
    expect([...reader.values('g')]).to.deep.equal([['a', 5]]);
    expect(reader.collect()).to.deep.equal([]);
  });

  it('starts all points at the previous collection, the first at the creation of the stream', () => {
    const realNow = systemClock.now;
    let now = 10_000;
    systemClock.now = () => now;
    try {
      const region = newRegion();
      const [often, seldom] = [new Reader(region), new Reader(region)];
      const writer = newWriter(region);
      const at = (millis: number): StoreWriter => {
        now = millis;
        return writer;
      };
      const intervals = (reader: Reader): number[][] =>
        reader
          .collect()
          .flatMap(({ dataPoints }) =>
            dataPoints.map(({ startTime, endTime }) =>
              [startTime, endTime].map(([seconds, nanos]) => seconds * 1000 + nanos / 1e6),
            ),
          );
      at(11_000).stream(counter('c'), LIMIT);
      recordTo(at(12_000).stream(counter('c'), LIMIT), 1, { set: 'a' });
      now = 13_000;
      expect(intervals(often)).to.deep.equal([[11_000, 13_000]]);
      recordTo(at(14_500).stream(counter('c'), LIMIT), 1, { set: 'new' });
      recordTo(at(14_600).stream(gauge('g'), LIMIT), 1, undefined);
      now = 15_000;
      expect(intervals(often)).to.deep.equal([
        [13_000, 15_000],
        [14_600, 15_000],
      ]);
      now = 16_000;
      expect(intervals(often), 'an interval without points').to.deep.equal([]);
      recordTo(at(17_000).stream(counter('c'), LIMIT), 1, { set: 'a' });
      now = 18_000;
      expect(intervals(often)).to.deep.equal([[16_000, 18_000]]);
      expect(intervals(seldom)).to.deep.equal([
        [11_000, 18_000],
        [11_000, 18_000],
        [14_600, 18_000],
      ]);
      now = 17_500; // the clock is set back: it stands
      recordTo(at(17_500).stream(counter('c'), LIMIT), 1, { set: 'a' });
      expect(intervals(often)).to.deep.equal([[18_000, 18_000]]);
    } finally {
      systemClock.now = realNow;
    }
  });

  it('starts at the earliest writer of a stream', () => {
    const region = newRegion();
    const reader = new Reader(region);
    for (const created of [5000, 3000, 4000])
      recordTo(newWriter(region).stream({ ...counter('c'), created }, LIMIT), 1, undefined);
    expect(reader.collect()[0]!.dataPoints[0]!.startTime).to.deep.equal([3, 0]);
  });

  it('takes the difference of an observed counter for each writer by itself', () => {
    const region = newRegion();
    const reader = new Reader(region);
    const observed = { ...counter('c'), kind: 'OBSERVABLE_COUNTER' as const };
    const writers = [newWriter(region), newWriter(region)].map((writer) => {
      const stream = writer.observedStream(observed, LIMIT);
      return { writer, stream, cell: stream.cellOf({ set: 1 }) };
    });
    const told = (...values: readonly (number | undefined)[]): unknown => {
      writers.forEach(({ writer, stream, cell }, i) => {
        const value = values[i];
        writer.writeRound(1, [stream], () => new Map(value === undefined ? [] : [[cell, value]]));
      });
      return reader.values('c').get(1);
    };
    expect(told(10, 100)).to.equal(110);
    expect(told(4, 103), 'one was set back').to.equal(7);
    expect(told(undefined, 105), 'one observes nothing').to.equal(2);
    expect(told(6, 105)).to.equal(2);
    expect(told(undefined, undefined)).to.equal(undefined);
  });

  it('has a row for each writer of an observed series, however many', () => {
    const region = newRegion();
    const reader = new Reader(region);
    const observed = { ...counter('c'), kind: 'OBSERVABLE_COUNTER' as const };
    const writers = Array.from({ length: 5 }, () => newWriter(region));
    for (const round of [1, 2]) {
      for (const [i, writer] of writers.entries()) {
        const stream = writer.observedStream(observed, LIMIT);
        const cells = Array.from({ length: 30 }, (_, set) => stream.cellOf({ set }));
        writer.writeRound(round, [stream], () => new Map(cells.map((cell, set) => [cell, round * set + i])));
      }
      const wanted = Array.from({ length: 30 }, (_, set) => [set, 5 * set + (round === 1 ? 10 : 0)]);
      expect([...reader.values('c')]).to.deep.equal(wanted);
    }
  });

  it('loses nothing of a cell that could not be copied: it is told the next time', () => {
    for (const record of [
      (writer: StoreWriter) => recordTo(writer.stream(counter('m'), LIMIT), 3, { set: 1 }),
      (writer: StoreWriter) => recordTo(writer.stream(histogram('m', BOUNDS), LIMIT), 3, { set: 1 }),
    ]) {
      const region = newRegion();
      const [reader, whole] = [new Reader(region), new Reader(region)];
      const writer = newWriter(region);
      const value = (from: Reader): unknown => {
        const found = from.values('m').get(1) as number | HistogramValue | undefined;
        return typeof found === 'object' ? found.sum : found;
      };
      record(writer);
      expect(value(reader)).to.equal(3);
      record(writer);
      alwaysBusy(region, 'all', () => expect(value(reader)).to.equal(undefined));
      record(writer);
      alwaysBusy(region, 'all', () => expect(value(reader)).to.equal(undefined));
      expect(value(reader)).to.equal(6);
      expect(value(reader)).to.equal(undefined);
      record(writer); // by now the reader keeps what it read before
      alwaysBusy(region, 'all', () => expect(value(reader)).to.equal(undefined));
      expect(value(reader)).to.equal(3);
      expect(value(whole)).to.equal(12);
    }
  });

  it('reports all of a sum first, also where another reader has reported some of it', () => {
    const region = newRegion();
    const [first, second] = [new Reader(region), new Reader(region)];
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    recordTo(stream, 0.125, undefined); // differences of such totals lack digits
    expect(first.values('c').get(undefined)).to.equal(0.125);
    recordTo(stream, 1, undefined);
    expect(second.values('c').get(undefined)).to.equal(1.125);
    expect(first.values('c').get(undefined)).to.equal(1);
  });

  it('leaves out a sum that an infinite value has made unknown, where totals alone tell of it', () => {
    const region = newRegion();
    const reader = new Reader(region);
    const elsewhere = new Snapshots(new StoreReader(region), new CellReader());
    const stream = newWriter(region).stream(histogram('h', BOUNDS), LIMIT);
    const read = (): unknown[] => {
      const { count, sum = 'none' } = reader.values('h').get(undefined) as HistogramValue;
      return [count, sum];
    };
    for (const value of [5, Infinity, 7]) {
      recordTo(stream, value, undefined);
      expect(read()).to.deep.equal([1, value]);
    }
    recordTo(stream, 8, undefined);
    scopeMetricsOf(elsewhere, () => true); // another thread's reader: the next interval begins in the middle of this reader's
    recordTo(stream, 9, undefined);
    expect(read()).to.deep.equal([2, 'none']);
    recordTo(stream, 10, undefined);
    expect(read()).to.deep.equal([1, 10]);
  });

  it('keeps rows apart as a stream grows to many series', () => {
    const region = newRegion();
    const reader = new Reader(region);
    const writer = newWriter(region);
    let known = 0;
    for (const size of [3, 40, 700]) {
      for (let set = 0; set < size; set++) {
        recordTo(writer.stream(counter('c'), LIMIT), set + 1, { set });
        recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), set + 1, { set });
      }
      const [sums, histograms] = reader.collect();
      const valuesOf = (metric: Metric | undefined): unknown[] =>
        metric!.dataPoints.map(({ value }) => (typeof value === 'number' ? value : value.sum));
      const expected = Array.from({ length: size }, (_, set) => set + 1);
      expect(valuesOf(sums)).to.deep.equal(expected);
      expect(valuesOf(histograms)).to.deep.equal(expected);
      known = size;
    }
    expect(known).to.equal(700);
  });
});
