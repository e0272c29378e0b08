import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RecordedStream } from '../../../src/state/stream-writer.ts';
import { systemClock } from '../../../src/base/platform.ts';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import type { HistogramValue, Metric } from '../../../src/collect/metric-data.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf, StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { DEFAULT_MAX_BYTES } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StreamDescription } from '../../../src/state/records.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { wholeConfiguration, counter, gauge, histogram } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { alwaysBusy } from '../../support/busy-cell.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [1, 10, 100];

function newRegion(): Region {
  return Region.create(DEFAULT_MAX_BYTES);
}

/** A reader that knows nothing of the region yet. */
function freshSnapshots(region: Region): { snapshots: Snapshots; cells: CellReader } {
  const cells = new CellReader();
  return { snapshots: new Snapshots(new StoreReader(region), cells), cells };
}

function metricsOf(snapshots: Snapshots): Metric[] {
  return scopeMetricsOf(snapshots).flatMap(({ metrics }) => metrics);
}

function onlyValue(snapshots: Snapshots): unknown {
  const points = metricsOf(snapshots).flatMap(({ dataPoints }) => dataPoints as { value: unknown }[]);
  expect(points).to.have.length(1);
  return points[0]!.value;
}

const withLimit = (limit: number): Parameters<StoreWriter['configure']>[0] =>
  wholeConfiguration({ cardinalityLimits: { COUNTER: limit, HISTOGRAM: limit } as never });

describe('snapshot', function () {
  before(needsProc);

  it(`adds up to the same however the measurements are split over writers (seed: ${SEED})`, () => {
    const recorded = fc.record({ writer: fc.nat(4), set: fc.nat(3), value: fc.nat(200), dies: fc.boolean() });
    fc.assert(
      fc.property(fc.array(recorded, { minLength: 1, maxLength: 60 }), (measurements) => {
        const region = newRegion();
        const { snapshots } = freshSnapshots(region);
        const writers = new Map<number, StoreWriter>();
        const totals = new Map<
          number,
          { count: number; sum: number; counts: number[]; min: number; max: number }
        >();
        measurements.forEach(({ writer: i, set, value, dies }, n) => {
          const writer = writers.get(i) ?? newWriter(region);
          writers.set(i, writer);
          recordTo(writer.stream(counter('c'), LIMIT), value, { set });
          recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), value, { set });
          if (dies) {
            bury(writer);
            writers.delete(i);
          }
          const total = totals.get(set) ?? { count: 0, sum: 0, counts: [0, 0, 0, 0], min: value, max: value };
          total.count++;
          total.sum += value;
          total.counts[[...BOUNDS, Infinity].findIndex((bound) => value <= bound)]!++;
          total.min = Math.min(total.min, value);
          total.max = Math.max(total.max, value);
          totals.set(set, total);
          if (n % 7 === 0) scopeMetricsOf(snapshots);
        });
        for (const reader of [snapshots, freshSnapshots(region).snapshots]) {
          const [sums, histograms] = metricsOf(reader);
          expect(
            new Map(sums!.dataPoints.map(({ attributes, value }) => [attributes['set'], value as unknown])),
          ).to.deep.equal(new Map([...totals].map(([set, { sum }]) => [set, sum])));
          expect(
            new Map(
              histograms!.dataPoints.map(({ attributes, value }) => [attributes['set'], value as unknown]),
            ),
          ).to.deep.equal(
            new Map(
              [...totals].map(([set, { count, sum, counts, min, max }]) => [
                set,
                { count, sum, min, max, buckets: { boundaries: BOUNDS, counts } },
              ]),
            ),
          );
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it(`never shows a total that has fallen, not by one ulp, as writers come, go and are followed (seed: ${SEED})`, () => {
    const step = fc.record({
      writer: fc.nat(5),
      value: fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constantFrom(0.1, 0.7, 1e-9, 1e15, 3)),
      dies: fc.nat(9).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }), (steps) => {
        const region = newRegion();
        const { snapshots } = freshSnapshots(region);
        const writers = new Map<number, StoreWriter>();
        let [sum, histogramSum, count] = [0, 0, 0];
        let starts: unknown;
        for (const { writer: i, value, dies } of steps) {
          const writer = writers.get(i) ?? newWriter(region);
          writers.set(i, writer);
          recordTo(writer.stream(counter('c'), LIMIT), value, undefined);
          recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), value, undefined);
          if (dies) {
            bury(writer);
            writers.delete(i);
          }
          const [first, second] = metricsOf(snapshots).map(({ dataPoints }) => dataPoints[0]!);
          const histogramValue = second!.value as HistogramValue;
          expect(first!.value).to.be.at.least(sum);
          expect(histogramValue.sum).to.be.at.least(histogramSum);
          expect(histogramValue.count).to.equal(++count);
          [sum, histogramSum] = [first!.value as number, histogramValue.sum!];
          starts ??= [first!.startTime, second!.startTime];
          expect([first!.startTime, second!.startTime]).to.deep.equal(starts);
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('starts a series at its earliest writer, whichever is read first', () => {
    const realNow = systemClock.now;
    let now = 0;
    systemClock.now = () => now;
    try {
      const region = newRegion();
      const { snapshots } = freshSnapshots(region);
      const [first, second, third] = Array.from({ length: 3 }, () =>
        newWriter(region).stream(counter('c'), LIMIT),
      );
      const at = (millis: number, stream: RecordedStream, set: string): void => {
        now = millis;
        recordTo(stream, 1, { set });
      };
      const starts = (): number[] =>
        metricsOf(snapshots)[0]!.dataPoints.map(
          ({ startTime: [seconds, nanos] }) => seconds * 1000 + nanos / 1e6,
        );
      at(2500, second!, 'a');
      at(5000, first!, 'a');
      at(7001, third!, 'a');
      expect(starts()).to.deep.equal([2500]);
      at(9000, first!, 'b');
      expect(starts()).to.deep.equal([2500, 9000]);
    } finally {
      systemClock.now = realNow;
    }
  });

  it('ends nothing before it starts where the clock of the system is set back', () => {
    const realNow = systemClock.now;
    let now = 100_000;
    systemClock.now = () => now;
    try {
      const region = newRegion();
      const { snapshots } = freshSnapshots(region);
      const stream = newWriter(region).stream(counter('c'), LIMIT);
      recordTo(stream, 1, { set: 'a' });
      now = 40_000;
      recordTo(stream, 1, { set: 'b' });
      const times = (): number[][] =>
        metricsOf(snapshots)[0]!.dataPoints.map(({ startTime, endTime }) => [startTime[0], endTime[0]]);
      expect(times()).to.deep.equal([
        [100, 100],
        [100, 100],
      ]);
      now = 101_000;
      expect(times()[0]).to.deep.equal([100, 101]);
      now = 40_000;
      expect(times()[0], 'not before the snapshot before').to.deep.equal([100, 101]);
      const another = freshSnapshots(Region.attach(region.buffer)).snapshots;
      expect(metricsOf(another)[0]!.dataPoints[0]!.endTime[0], 'in another thread either').to.equal(101);
    } finally {
      systemClock.now = realNow;
    }
  });

  it('keeps the cardinality limit over all writers, and every measurement', () => {
    const region = newRegion();
    const { snapshots } = freshSnapshots(region);
    const limit = 10;
    newWriter(region).configure(withLimit(limit));
    for (let i = 0; i < 5; i++) {
      const writer = newWriter(region);
      for (let set = 0; set < 15; set++) {
        recordTo(writer.stream(counter('c'), limit), 1, { set: set + 5 * i });
        recordTo(writer.stream(histogram('h', BOUNDS), limit), 1, { set: set + 5 * i });
      }
      for (const { dataPoints } of metricsOf(snapshots)) {
        const overflow = dataPoints.filter(({ attributes }) => attributes['otel.metric.overflow'] === true);
        expect(overflow).to.have.length(1);
        expect(dataPoints).to.have.length(limit + 1);
        const counts = (dataPoints as { value: number | HistogramValue }[]).map(({ value }) =>
          typeof value === 'number' ? value : value.count,
        );
        expect(counts.reduce((a, b) => a + b)).to.equal(15 * (i + 1));
      }
    }
  });

  it('shows the gauge set last by a writer that lives, and none that died', () => {
    const region = newRegion();
    const { snapshots } = freshSnapshots(region);
    const [one, two] = [newWriter(region), newWriter(region)];
    const set = (writer: StoreWriter, value: number): void =>
      recordTo(writer.stream(gauge('g'), LIMIT), value, undefined);
    set(one, 1);
    set(two, 2);
    expect(onlyValue(snapshots)).to.equal(2);
    set(one, 3);
    expect(onlyValue(snapshots)).to.equal(3);
    bury(one);
    expect(onlyValue(snapshots)).to.equal(2);
    const heir = newWriter(region);
    expect(heir.slab).to.equal(one.slab);
    expect(onlyValue(snapshots)).to.equal(2); // not the dead one's 3
    set(heir, 4);
    expect(onlyValue(snapshots)).to.equal(4);
    bury(heir);
    bury(two);
    expect(metricsOf(snapshots)).to.deep.equal([]);
  });

  it('does not change what it showed before', () => {
    const region = newRegion();
    const { snapshots } = freshSnapshots(region);
    const writer = newWriter(region);
    const record = (): void => {
      recordTo(writer.stream(counter('c'), LIMIT), 1, { a: 1 });
      recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), 1, { a: 1 });
    };
    record();
    const before = scopeMetricsOf(snapshots);
    const copy = structuredClone(before);
    record();
    recordTo(newWriter(region).stream(counter('c'), LIMIT), 1, { a: 2 });
    scopeMetricsOf(snapshots);
    expect(before).to.deep.equal(copy);
  });

  it('hands over plain arrays of plain numbers', () => {
    const region = newRegion();
    recordTo(newWriter(region).stream(histogram('h', BOUNDS), LIMIT), 1, undefined);
    const value = onlyValue(freshSnapshots(region).snapshots) as HistogramValue;
    expect(Array.isArray(value.buckets.counts) && Array.isArray(value.buckets.boundaries)).to.equal(true);
    expect(JSON.parse(JSON.stringify(value))).to.deep.equal(value);
  });

  describe('of a cell that is never still', () => {
    const streams: readonly (readonly [
      string,
      (writer: StoreWriter, value: number) => void,
      StreamDescription,
    ])[] = [
      ['sum', (writer, value) => recordTo(writer.stream(counter('m'), LIMIT), value, { a: 1 }), counter('m')],
      [
        'histogram',
        (writer, value) => recordTo(writer.stream(histogram('m', BOUNDS), LIMIT), value, { a: 1 }),
        histogram('m', BOUNDS),
      ],
      ['gauge', (writer, value) => recordTo(writer.stream(gauge('m'), LIMIT), value, { a: 1 }), gauge('m')],
    ];
    for (const [name, record] of streams)
      it(`keeps the previous value of a ${name}, and counts it as stale`, () => {
        const region = newRegion();
        const { snapshots, cells } = freshSnapshots(region);
        const [busy, calm] = [newWriter(region), newWriter(region)];
        record(busy, 5);
        recordTo(calm.stream(counter('calm'), LIMIT), 7, undefined);
        const cell = cellOf(region, 'm');
        const points = (): unknown[] =>
          metricsOf(snapshots)
            .filter(({ descriptor }) => descriptor.name === 'm')
            .flatMap(({ dataPoints }) => (dataPoints as { value: unknown }[]).map(({ value }) => value));
        const calmValue = (): unknown =>
          metricsOf(snapshots).find(({ descriptor }) => descriptor.name === 'calm')!.dataPoints[0]!.value;
        alwaysBusy(region, cell, () => {
          expect(points()).to.deep.equal([]); // not one copy yet: left out once
          expect(calmValue()).to.equal(7);
        });
        expect(cells.stats().staleReads).to.equal(2);
        const before = points();
        expect(before).to.have.length(1);
        record(busy, 6);
        alwaysBusy(region, cell, () => {
          expect(points()).to.deep.equal(before);
          expect(calmValue()).to.equal(7);
        });
        expect(cells.stats().staleReads).to.equal(4);
        expect(points()).to.have.length(1).and.not.deep.equal(before);
        const { totalReads, fastPathReads, retryReads, staleReads } = cells.stats();
        expect(fastPathReads + retryReads + staleReads).to.equal(totalReads);
        expect(retryReads).to.equal(0);
      });

    it('ends in bounded time, however many there are', () => {
      const region = newRegion();
      const cells = new CellReader();
      const store = new StoreReader(region);
      const snapshots = new Snapshots(store, cells);
      const writer = newWriter(region);
      for (let id = 0; id < 5000; id++) recordTo(writer.stream(counter('m'), 5000), 1, { id });
      store.refresh();
      alwaysBusy(region, 'all', () => expect(metricsOf(snapshots)).to.deep.equal([]));
      expect(cells.stats().staleReads).to.equal(5000);
      expect(cells.stats().totalReadNanos).to.be.below(4e9); // not 5000 times the patience of a snapshot
    });
  });
});

/** The cell of the only series with attributes of a stream. */
function cellOf(region: Region, name: string): number {
  const reader = readerOf(region);
  reader.refresh();
  const stream = reader.scopes
    .flatMap(({ streams }) => streams)
    .find(({ description }) => description.name === name)!;
  return stream.cellOf(stream.firstOf(stream.attributes.findIndex((attributes) => attributes['a'] === 1)));
}
