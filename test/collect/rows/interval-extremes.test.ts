/** Minimum and maximum under delta temporality. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import { Extremes } from '../../../src/collect/rows/interval-extremes.ts';
import type { ExponentialHistogramValue, HistogramValue } from '../../../src/collect/metric-data.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf, StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { StreamSelection } from '../../../src/collect/directory/stream-selection.ts';
import { DEFAULT_MAX_BYTES, EXTENTS_OFFSET, INTERVAL_EPOCH_INDEX } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import {
  DEFAULT_CHOICE,
  selectionKey,
  type AggregationChoice,
} from '../../../src/state/aggregation-choice.ts';
import type { InstrumentKind, StoreConfiguration } from '../../../src/state/records.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import {
  configuration,
  exponentialHistogram,
  histogram,
  intervalHistogram,
} from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { seriesOf } from '../../support/region-contents.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [10, 100];

/** Streams whose cells keep the extremes of intervals, and the same whose cells do not. */
const KINDS = [
  { name: 'explicit-bucket', keeping: intervalHistogram('h', BOUNDS), plain: histogram('h', BOUNDS) },
  {
    name: 'exponential',
    keeping: exponentialHistogram('h', { maxSize: 4, negative: true, hasSum: true, intervals: true }),
    plain: exponentialHistogram('h', { maxSize: 4, negative: true, hasSum: true }),
  },
];

type Value = HistogramValue | ExponentialHistogramValue;

function collector(
  region: Region,
  store: StoreReader = readerOf(region),
  selection?: StreamSelection,
  isDelta: (kind: InstrumentKind) => boolean = () => true,
): () => Map<unknown, Value> {
  const snapshots = new Snapshots(store, new CellReader(), selection);
  return () =>
    new Map(
      snapshots
        .take(isDelta)
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [attributes['set'], value as Value]),
        ),
    );
}

/** Calls `interfere` at every look of the code under test at a word of the region that others change. */
function interrupted<T>(region: Region, interfere: (index: number) => void, during: () => T): T {
  const { load, add } = Atomics;
  let inside = false;
  const interruption = (array: Int32Array, index: number): void => {
    if (inside || array.buffer !== region.buffer) return;
    if (index !== INTERVAL_EPOCH_INDEX && index < EXTENTS_OFFSET / 4) return;
    inside = true;
    interfere(index);
    inside = false;
  };
  Object.assign(Atomics, {
    load(array: Int32Array, index: number) {
      const found = load(array, index);
      interruption(array, index);
      return found;
    },
    add(array: Int32Array, index: number, value: number) {
      const found = add(array, index, value);
      interruption(array, index);
      return found;
    },
  });
  try {
    return during();
  } finally {
    Object.assign(Atomics, { load, add });
  }
}

describe('Extremes', () => {
  it('are of each of many series what was included since they were taken', () => {
    const extremes = new Extremes();
    for (let round = 0; round < 2; round++) {
      for (const series of [3, 40, 41, 500, 501])
        for (const number of series % 2 === 0 ? [5, -5] : [-5, 5]) {
          extremes.include(series, number, number + 2);
          extremes.include(series, number + 1, number + 1);
          expect(extremes.take(series)).to.deep.equal({ min: number, max: number + 2 });
        }
      expect(extremes.take(7)).to.equal(undefined);
      expect(extremes.take(5000)).to.equal(undefined);
    }
  });
});

for (const { name, keeping, plain } of KINDS)
  describe(`extremes of intervals of ${name} histograms`, function () {
    before(needsProc);

    it(`are exact for every reader, in its own rhythm, over all writers (seed: ${SEED})`, () => {
      type Step = { writer: number; set: number; value: number; dies: boolean } | { reader: number };
      const step: fc.Arbitrary<Step> = fc.oneof(
        {
          weight: 3,
          arbitrary: fc.record({
            writer: fc.nat(2),
            set: fc.nat(1),
            value: fc.integer({ min: -200, max: 200 }),
            dies: fc.nat(9).map((n) => n === 0),
          }),
        },
        { weight: 1, arbitrary: fc.record({ reader: fc.nat(2) }) },
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat(60), (steps, late) => {
          const region = Region.create(DEFAULT_MAX_BYTES);
          // The last reader comes when others have collected already.
          const readers = [collector(region), collector(region), undefined as never];
          const since = readers.map(() => new Map<number, number[]>());
          const writers = new Map<number, StoreWriter>();
          steps.concat([{ reader: 0 }, { reader: 1 }, { reader: 2 }]).forEach((now, i) => {
            if (i === Math.min(late, steps.length)) readers[2] = collector(region);
            if (!('reader' in now)) {
              const writer = writers.get(now.writer) ?? newWriter(region);
              writers.set(now.writer, writer);
              recordTo(writer.stream(keeping, LIMIT), now.value, { set: now.set });
              for (const sets of since) sets.set(now.set, [...(sets.get(now.set) ?? []), now.value]);
              if (now.dies) {
                bury(writer);
                writers.delete(now.writer);
              }
            } else if (readers[now.reader] !== undefined) {
              const found = [...readers[now.reader]!()].map(([set, { min, max, count }]) => [
                set,
                { min, max, count },
              ]);
              const wanted = [...since[now.reader]!].map(([set, values]) => [
                set,
                { min: Math.min(...values), max: Math.max(...values), count: values.length },
              ]);
              expect(new Map(found as [])).to.deep.equal(new Map(wanted as []));
              since[now.reader]!.clear();
            }
          });
        }),
        { seed: SEED, numRuns: 100 },
      );
    });

    it(`bound all that was counted, whatever is recorded while readers collect (seed: ${SEED})`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.record({ reader: fc.nat(1), quiet: fc.array(fc.nat(9), { maxLength: 3 }) }), {
            maxLength: 8,
          }),
          fc.infiniteStream(fc.nat(9)),
          (collections, chance) => {
            const region = Region.create(DEFAULT_MAX_BYTES);
            const stream = newWriter(region).stream(keeping, LIMIT);
            const readers = [collector(region), collector(region)];
            const counted = [0, 0];
            const values: number[] = [];
            const next = (): number => chance.next().value as number;
            const collect = (reader: number): void => {
              const point = readers[reader]!().get(undefined);
              if (point === undefined) return;
              const interval = values.slice(counted[reader], counted[reader]! + point.count);
              expect(interval).to.have.length(point.count);
              counted[reader]! += point.count;
              expect(point.min).to.be.at.most(Math.min(...interval));
              expect(point.max).to.be.at.least(Math.max(...interval));
              expect(values).to.include.members([point.min, point.max]);
            };
            const record = (): void => {
              const value = next() - 5;
              recordTo(stream, value, undefined);
              values.push(value);
            };
            for (const { reader, quiet } of collections) {
              // Here nobody collects: but between the look at the epoch and the publish of the last, both readers may.
              for (const _ of quiet) record();
              const slow = next();
              interrupted(
                region,
                (index) => {
                  if (index !== INTERVAL_EPOCH_INDEX) return;
                  for (let i = 0; i < slow % 4; i++) collect(i % 2);
                },
                record,
              );
              // ... and here others record at any look of the reader.
              interrupted(
                region,
                () => {
                  if (next() < 2) record();
                },
                () => collect(reader),
              );
            }
            collect(0);
            collect(1);
            expect(counted).to.deep.equal([values.length, values.length]);
          },
        ),
        { seed: SEED, numRuns: 150 },
      );
    });

    it('are those of all measurements at worst, when readers of other threads end the intervals too', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const stream = newWriter(region).stream(keeping, LIMIT);
      const [ours, theirs] = [collector(region), collector(region, new StoreReader(region))];
      const record = (...values: number[]): void => {
        for (const value of values) {
          recordTo(stream, value, undefined);
          theirs();
        }
      };
      const extremes = (): unknown => {
        const { min, max } = ours().get(undefined)!;
        return [min, max];
      };
      record(1, 9);
      expect(extremes()).to.deep.equal([1, 9]);
      record(5);
      expect(extremes()).to.deep.equal([5, 5]);
      record(6, 5, 4, 7);
      expect(extremes(), 'all that is known').to.deep.equal([1, 9]);
      record(3, 2);
      expect(extremes()).to.deep.equal([2, 3]);
    });

    it('are exact also where other readers end the intervals, of other streams or with this one cumulative', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const writer = newWriter(region);
      const [first, second]: AggregationChoice[] = [DEFAULT_CHOICE, { type: 'sum' }];
      const selections = { [keeping.kind]: [first, second] } as unknown as StoreConfiguration['selections'];
      writer.configure(configuration({ selections }));
      const store = readerOf(region);
      const streamOf = (choice: AggregationChoice) =>
        writer.stream({ ...keeping, selection: selectionKey(choice) }, LIMIT);
      const takeOf = (choice: AggregationChoice, cumulative?: InstrumentKind) => {
        const selection = new StreamSelection(store, () => selectionKey(choice));
        return collector(region, store, selection, (kind) => kind !== cumulative);
      };
      const ours = takeOf(first!);
      const theirs = takeOf(second!);
      const cumulative = takeOf(first!, keeping.kind);
      const streams = [first!, second!].map(streamOf);
      recordTo(writer.stream({ ...intervalHistogram('other', BOUNDS), kind: 'GAUGE' }, LIMIT), 1, {
        set: 'other',
      });
      const extremes = (): unknown => {
        const { min, max } = ours().get(undefined)!;
        return [min, max];
      };
      const record = (value: number): void => streams.forEach((stream) => recordTo(stream, value, undefined));
      record(0);
      expect(extremes()).to.deep.equal([0, 0]);
      for (const endInterval of [theirs, cumulative]) {
        for (const value of [3, 2, 4, 5]) {
          record(value);
          endInterval();
        }
        expect(extremes()).to.deep.equal([2, 5]);
      }
    });

    it('are left out where a writer does not keep them, except when all there is is new', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const collect = collector(region);
      const [without, within] = [newWriter(region), newWriter(region)];
      const record = (writer: StoreWriter, value: number): void =>
        recordTo(writer.stream(writer === without ? plain : keeping, LIMIT), value, undefined);
      const read = (): unknown => {
        const { min, max, count } = collect().get(undefined)!;
        return [min, max, count];
      };
      record(without, 4);
      record(within, 6);
      expect(read()).to.deep.equal([4, 6, 2]);
      record(within, 5);
      expect(read()).to.deep.equal([5, 5, 1]);
      record(within, 5);
      record(without, 1);
      expect(read()).to.deep.equal([undefined, undefined, 2]);
      record(within, 7);
      expect(read()).to.deep.equal([7, 7, 1]);
    });

    it('one thread keeps both kinds of cells apart, and so does its heir', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const collect = collector(region);
      for (let owner = 1; owner <= 3; owner++) {
        const writer = newWriter(region);
        expect(writer.slab).to.equal(0);
        for (const stream of [plain, keeping]) recordTo(writer.stream(stream, LIMIT), owner, undefined);
        const { count, sum } = collect().get(undefined)!;
        expect([count, sum]).to.deep.equal([2, 2 * owner]);
        expect(seriesOf(region), 'two series and two reserved ones').to.have.length(4);
        bury(writer);
      }
    });
  });
