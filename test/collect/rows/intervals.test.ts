/** What under delta temporality is no difference of totals: minimum, maximum, and the digits of sums. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import type { ExponentialHistogramValue, HistogramValue } from '../../../src/collect/metric-data.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf, StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { StreamSelection } from '../../../src/collect/directory/stream-selection.ts';
import { DEFAULT_MAX_BYTES, EXTENTS_OFFSET } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import {
  DEFAULT_CHOICE,
  selectionKey,
  type AggregationChoice,
  type InstrumentKind,
} from '../../../src/state/stream-choices.ts';
import { BLOCK_RECORD, type StoreConfiguration } from '../../../src/state/records.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { counter, exponentialHistogram, histogram, wholeConfiguration } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { recordsOf, sumsOf } from '../../support/region-contents.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [10, 100];

const KINDS = [
  { name: 'explicit-bucket', description: histogram('h', BOUNDS) },
  {
    name: 'exponential',
    description: exponentialHistogram('h', { maxSize: 4, negative: true, hasSum: true }),
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
      scopeMetricsOf(snapshots, isDelta)
        .flatMap(({ metrics }) => metrics)
        .flatMap(({ dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [attributes['set'], value as Value]),
        ),
    );
}

const ATOMICS = ['load', 'store', 'add', 'exchange', 'compareExchange'] as const;

/** Calls `interfere` after every access of the code under test to a word of a cell or a block that others look at or change. */
function interrupted<T>(region: Region, interfere: () => void, during: () => T): T {
  const atomics = Atomics as unknown as Record<
    string,
    (array: Int32Array, index: number, ...more: number[]) => number
  >;
  const real = Object.fromEntries(ATOMICS.map((name) => [name, atomics[name]!]));
  let inside = false;
  for (const name of ATOMICS)
    atomics[name] = (array, index, ...more) => {
      const found = real[name]!(array, index, ...more);
      if (inside || array.buffer !== region.buffer || index < EXTENTS_OFFSET / 4) return found;
      inside = true;
      interfere();
      inside = false;
      return found;
    };
  try {
    return during();
  } finally {
    Object.assign(Atomics, real);
  }
}

for (const { name, description } of KINDS)
  describe(`extremes and sums of intervals of ${name} histograms`, function () {
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
              recordTo(writer.stream(description, LIMIT), now.value, { set: now.set });
              for (const sets of since) sets.set(now.set, [...(sets.get(now.set) ?? []), now.value]);
              if (now.dies) {
                bury(writer);
                writers.delete(now.writer);
              }
            } else if (readers[now.reader] !== undefined) {
              const found = [...readers[now.reader]!()].map(([set, { min, max, count, sum }]) => [
                set,
                { min, max, count, sum },
              ]);
              const wanted = [...since[now.reader]!].map(([set, values]) => [
                set,
                {
                  min: Math.min(...values),
                  max: Math.max(...values),
                  count: values.length,
                  sum: values.reduce((a, b) => a + b, 0),
                },
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
            const stream = newWriter(region).stream(description, LIMIT);
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
              // Here nobody collects: but while the last ends an interval, both readers may.
              for (const _ of quiet) record();
              interrupted(
                region,
                () => {
                  const slow = next();
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
      const stream = newWriter(region).stream(description, LIMIT);
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
      record(3);
      expect(extremes(), 'nobody else collected since').to.deep.equal([3, 3]);
    });

    it('are exact also where other readers end the intervals, of other streams or with this one cumulative', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const writer = newWriter(region);
      const [first, second]: AggregationChoice[] = [DEFAULT_CHOICE, { type: 'sum' }];
      const selections = {
        [description.kind]: [first, second],
      } as unknown as StoreConfiguration['selections'];
      writer.configure(wholeConfiguration({ selections }));
      const store = readerOf(region);
      const streamOf = (choice: AggregationChoice) =>
        writer.stream({ ...description, selection: selectionKey(choice) }, LIMIT);
      const takeOf = (choice: AggregationChoice, cumulative?: InstrumentKind) => {
        const selection = new StreamSelection(store, () => selectionKey(choice));
        return collector(region, store, selection, (kind) => kind !== cumulative);
      };
      const ours = takeOf(first!);
      const theirs = takeOf(second!);
      const cumulative = takeOf(first!, description.kind);
      const streams = [first!, second!].map(streamOf);
      recordTo(writer.stream({ ...histogram('other', BOUNDS), kind: 'GAUGE' }, LIMIT), 1, {
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

    it('are those of all measurements in the first interval of a reader that comes late, and exact in each later one', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const stream = newWriter(region).stream(description, LIMIT);
      for (const value of [4, 9, -3]) recordTo(stream, value, undefined);
      const collect = collector(region);
      const read = (): unknown => {
        const { min, max, count, sum } = collect().get(undefined)!;
        return [min, max, count, sum];
      };
      expect(read()).to.deep.equal([-3, 9, 3, 10]);
      for (const value of [5, 6, 7]) {
        recordTo(stream, value, undefined);
        recordTo(stream, value + 1, undefined);
        expect(read()).to.deep.equal([value, value + 1, 2, 2 * value + 1]);
      }
    });

    it('have all digits after a large total', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const stream = newWriter(region).stream(description, LIMIT);
      const collect = collector(region);
      recordTo(stream, 2 ** 60, undefined);
      collect();
      for (const value of [0.25, 0.5]) {
        recordTo(stream, value, undefined);
        recordTo(stream, 2 * value, undefined);
        expect(collect().get(undefined)!.sum).to.equal(3 * value);
      }
    });

    it('take memory only where somebody takes deltas', () => {
      const region = Region.create(DEFAULT_MAX_BYTES);
      const stream = newWriter(region).stream(description, LIMIT);
      const blocks = (): number => recordsOf(region).filter(({ kind }) => kind === BLOCK_RECORD).length;
      const cumulative = collector(region, readerOf(region), undefined, () => false);
      for (let i = 0; i < 3; i++) {
        recordTo(stream, i, undefined);
        cumulative();
      }
      expect(blocks()).to.equal(0);
      const collect = collector(region);
      for (let i = 0; i < 3; i++) {
        collect();
        recordTo(stream, i, undefined);
      }
      expect(blocks()).to.equal(1);
    });

    it('are told as far as they are known where no memory is left, and a warning says so', () => {
      const log = collectWarnings();
      const region = Region.create(2 ** 18);
      const writer = newWriter(region);
      const stream = writer.stream(description, LIMIT);
      recordTo(stream, 1, undefined);
      for (let i = 0; writer.log!.place(8, 512) >= 0; i++)
        writer.log!.append(BLOCK_RECORD, Buffer.alloc(8), 512);
      while (writer.log!.place(8, 1) >= 0) writer.log!.append(BLOCK_RECORD, Buffer.alloc(8), 1);
      const collect = collector(region);
      const read = (): unknown => {
        const { min, max, count, sum } = collect().get(undefined)!;
        return [min, max, count, sum];
      };
      expect(read()).to.deep.equal([1, 1, 1, 1]);
      recordTo(stream, 5, undefined);
      expect(read()).to.deep.equal([1, 5, 1, 5]);
      log.stop();
      expect(log.warnings.join()).to.contain('The deltas of this metric are complete');
    });
  });

describe('sums of intervals', () => {
  const deltas = (region: Region): (() => unknown) => {
    const snapshots = new Snapshots(new StoreReader(region), new CellReader());
    return () => scopeMetricsOf(snapshots, () => true)[0]?.metrics[0]?.dataPoints[0]?.value;
  };
  const blocks = (region: Region): number =>
    recordsOf(region).filter(({ kind }) => kind === BLOCK_RECORD).length;

  it('have all digits after a large total, which never falls', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    const delta = deltas(region);
    const total = (): number => sumsOf(region)['[]']!;
    recordTo(stream, 2 ** 60, undefined);
    expect(delta()).to.equal(2 ** 60);
    let before = total();
    for (const value of [0.25, 1e6, 0.5]) {
      for (let i = 0; i < 2; i++) {
        recordTo(stream, value, undefined);
        expect(total()).to.be.at.least(before);
        before = total();
      }
      expect(delta()).to.equal(2 * value);
    }
    expect(delta()).to.equal(undefined);
  });

  it('are differences of totals where those are whole numbers: no memory is taken for them', () => {
    const region = Region.create(DEFAULT_MAX_BYTES);
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    const delta = deltas(region);
    for (let i = 1; i < 5; i++) {
      recordTo(stream, i, undefined);
      expect(delta()).to.equal(i);
    }
    expect(blocks(region)).to.equal(0);
    recordTo(stream, 0.1, undefined);
    delta();
    recordTo(stream, 0.1, undefined);
    expect(blocks(region)).to.equal(1);
  });

  it(`add up whoever records, with or without digits behind the point, bound or not (seed: ${SEED})`, () => {
    const step = fc.record({
      writer: fc.nat(2),
      value: fc.oneof(
        fc.nat(100),
        fc.nat(1000).map((n) => n / 8),
      ),
      isBound: fc.boolean(),
      collects: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const region = Region.create(DEFAULT_MAX_BYTES);
        const writers = [0, 1, 2].map(() => newWriter(region).stream(counter('c'), LIMIT));
        const bound = writers.map((stream) => stream.bind({}));
        const delta = deltas(region);
        let recorded = 0;
        let reported = 0;
        for (const { writer, value, isBound, collects } of steps) {
          if (isBound) bound[writer]!.record(value);
          else recordTo(writers[writer]!, value, undefined);
          recorded += value;
          if (collects) reported += (delta() as number | undefined) ?? 0;
        }
        reported += (delta() as number | undefined) ?? 0;
        expect(reported).to.equal(recorded);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});
