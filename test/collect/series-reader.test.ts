import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import { SeriesReaders, type SeriesReader } from '../../src/collect/series-reader.ts';
import { CellCopies } from '../../src/collect/rows/cell-copies.ts';
import { SharedGaugeRows } from '../../src/collect/rows/number.ts';
import { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import { DEFAULT_MAX_BYTES } from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { NO_ATTRIBUTES } from '../../src/state/attributes.ts';
import type { BoundSharedValue } from '../../src/state/shared-value-stream.ts';
import type { StoreWriter } from '../../src/state/store-writer.ts';
import { alwaysBusy } from '../support/busy-cell.ts';
import { counter, histogram, sharedGauge } from '../support/descriptions.ts';
import { needsProc } from '../support/marks.ts';
import { bury, newWriter } from '../support/writers.ts';
import { recordTo } from '../support/record-to.ts';
import { scopeMetricsOf } from '../support/snapshot-metrics.ts';

const SEED = Number(process.env['SEQLOCK_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const LIMIT = 2000;
const BOUNDS = [1, 10, 100];

const newRegion = (): Region => Region.create(DEFAULT_MAX_BYTES);

interface Reading {
  readonly reader: SeriesReader;
  readonly readers: SeriesReaders;
}

/** As another thread would read it: with a store reader of its own. */
function readingOf(region: Region, name: string, attributes = NO_ATTRIBUTES): Reading {
  const readers = new SeriesReaders(new StoreReader(region));
  const isStream = (description: { readonly name: string }): boolean => description.name === name;
  return { readers, reader: readers.reader({ scope: 'test', isStream, attributes }) };
}

const readerFor = (region: Region, name: string): SeriesReader => readingOf(region, name).reader;

/** Where the second writer's cell of the only series that is not the overflow series is. */
function cellOfSecondWriter(region: Region): number {
  const reader = new StoreReader(region);
  reader.refresh();
  const stream = reader.scopes[0]!.streams[0]!;
  return stream.cellOf(stream.nextOf(stream.firstOf(stream.seriesOf(NO_ATTRIBUTES))));
}

function snapshotValue(region: Region): unknown {
  const [scope] = scopeMetricsOf(new Snapshots(new StoreReader(region), new CellReader()));
  return scope?.metrics[0]?.dataPoints[0]?.value;
}

/** A thread's part in the shared gauge `g`. */
class Party {
  readonly writer: StoreWriter;
  readonly #bound: BoundSharedValue;
  readonly #reader: SeriesReader;

  constructor(region: Region) {
    this.writer = newWriter(region);
    this.#bound = this.writer.sharedValueStream(sharedGauge('g'), LIMIT).bind(undefined);
    this.#reader = readerFor(region, 'g');
  }

  set(value: number): void {
    this.#bound.set(value);
  }

  add(delta: number): void {
    this.#bound.add(delta, this.#reader.epoch());
  }
}

describe('series reader', function () {
  before(needsProc);

  it(`reads what a snapshot shows, as writers come, go and are followed (seed: ${SEED})`, () => {
    const step = fc.record({
      writer: fc.nat(4),
      value: fc.double({ min: 0, max: 200, noNaN: true }),
      dies: fc.nat(7).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const region = newRegion();
        const [sum, hist] = [readerFor(region, 'c'), readerFor(region, 'h')];
        const snapshots = new Snapshots(new StoreReader(region), new CellReader());
        expect(sum.sum()).to.equal(undefined);
        expect(hist.histogram()).to.equal(undefined);
        const writers = new Map<number, StoreWriter>();
        for (const { writer: i, value, dies } of steps) {
          const writer = writers.get(i) ?? newWriter(region);
          writers.set(i, writer);
          recordTo(writer.stream(counter('c'), LIMIT), value, undefined);
          recordTo(writer.stream(histogram('h', BOUNDS), LIMIT), value, undefined);
          if (dies) {
            bury(writer);
            writers.delete(i);
          }
          const [first, second] = scopeMetricsOf(snapshots).flatMap(({ metrics }) =>
            metrics.map(({ dataPoints }) => dataPoints[0]!.value),
          );
          expect(sum.sum()).to.equal(first);
          expect(hist.histogram()).to.deep.equal(second);
        }
      }),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('reads one series of many', () => {
    const region = newRegion();
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    for (let id = 0; id < 50; id++) recordTo(stream, id, { id });
    const { reader, readers } = readingOf(region, 'c', { keys: ['id'], values: [33] });
    expect(reader.sum()).to.equal(33);
    expect(readers.stats().totalReads).to.equal(1);
  });

  it('finds a series that was added to a directory it had read to the end', () => {
    const region = newRegion();
    const stream = newWriter(region).stream(counter('c'), LIMIT);
    recordTo(stream, 1, { id: 1 });
    const { reader } = readingOf(region, 'c', { keys: ['id'], values: [2] });
    expect(reader.sum()).to.equal(undefined);
    recordTo(stream, 5, { id: 2 });
    expect(reader.sum()).to.equal(5);
  });

  for (const [kind, read] of [
    ['counter', (reader: SeriesReader) => reader.sum()],
    ['shared gauge', (reader: SeriesReader) => reader.sharedValue()],
    ['histogram', (reader: SeriesReader) => reader.histogram()?.count],
  ] as const)
    it(`keeps the value of its previous read of a ${kind} that is never still, in bounded time, and counts it as stale`, () => {
      const region = newRegion();
      const writer = newWriter(region);
      if (kind === 'counter') recordTo(writer.stream(counter('x'), LIMIT), 1, undefined);
      else if (kind === 'histogram') recordTo(writer.stream(histogram('x', BOUNDS), LIMIT), 5, undefined);
      else writer.sharedValueStream(sharedGauge('x'), LIMIT).bind(undefined).set(1);
      const { reader, readers } = readingOf(region, 'x');
      expect(read(reader)).to.equal(1);
      if (kind === 'counter') recordTo(writer.stream(counter('x'), LIMIT), 1, undefined);
      alwaysBusy(region, 'all', () => {
        const start = performance.now();
        expect(read(reader)).to.equal(1);
        expect(performance.now() - start, 'ms').to.be.below(2000); // naps of 1.3 ms, on a machine that is not busy
      });
      expect(readers.stats()).to.deep.include({
        totalReads: 2,
        fastPathReads: 1,
        retryReads: 0,
        staleReads: 1,
      });
      expect(read(reader)).to.equal(kind === 'counter' ? 2 : 1);
    });

  it('counts a second attempt as a retry', () => {
    const region = newRegion();
    recordTo(newWriter(region).stream(counter('c'), LIMIT), 7, undefined);
    const { reader, readers } = readingOf(region, 'c');
    reader.sum();
    alwaysBusy(region, 'all', () => expect(reader.sum()).to.equal(7), 3);
    expect(readers.stats()).to.deep.include({
      totalReads: 2,
      fastPathReads: 1,
      retryReads: 1,
      staleReads: 0,
    });
  });

  it('estimates the time of all reads from some of them', () => {
    const region = newRegion();
    recordTo(newWriter(region).stream(counter('c'), LIMIT), 7, undefined);
    const { reader, readers } = readingOf(region, 'c');
    const start = performance.now();
    for (let i = 0; i < 100_000; i++) reader.sum();
    const nanos = (performance.now() - start) * 1e6;
    // Loose: timed calls include the clock's own time, and the loop what is not a read.
    expect(readers.stats().totalReadNanos).to.be.within(nanos / 20, nanos * 20);
  });
});

describe('shared gauge', function () {
  before(needsProc);

  it(`is one value to all writers, as a variable would be, dead ones included (seed: ${SEED})`, () => {
    const step = fc.record({
      writer: fc.nat(3),
      value: fc.oneof(
        fc.integer({ min: -1000, max: 1000 }).map((delta) => ({ delta })),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((set) => ({ set })),
        fc.integer({ min: -1000, max: 1000 }).map((set) => ({ set })),
      ),
      dies: fc.nat(5).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }), (steps) => {
        const region = newRegion();
        const reader = readerFor(region, 'g');
        const parties = new Map<number, Party>();
        let [model, isWhole] = [0, true];
        for (const { writer: i, value, dies } of steps) {
          const party = parties.get(i) ?? new Party(region);
          parties.set(i, party);
          if ('set' in value) {
            party.set(value.set);
            [model, isWhole] = [value.set, Number.isInteger(value.set) && Math.abs(value.set) <= 1000];
            expect(reader.sharedValue()).to.equal(value.set); // to the last bit, whatever it was before
          } else {
            party.add(value.delta);
            model += value.delta;
          }
          if (dies) {
            bury(party.writer);
            parties.delete(i);
          }
          if (!isWhole) continue; // additions to fractions are added up in another order
          expect(reader.sharedValue()).to.equal(model);
          expect(snapshotValue(region)).to.equal(model);
        }
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it(`read while others set and add, shows a set with additions to that set alone (seed: ${SEED})`, () => {
    const BASE = 1_000_000; // of set number n: n times this; an addition adds 1
    const step = fc.record({ party: fc.nat(2), isSet: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 6 }),
        fc.array(fc.option(step, { nil: undefined }), { minLength: 3, maxLength: 12 }),
        (before, meanwhile) => {
          const region = newRegion();
          const parties = [new Party(region), new Party(region), new Party(region)];
          const additions = [0]; // to set number n
          const perform = ({ party, isSet }: { party: number; isSet: boolean }): void => {
            if (isSet) parties[party]!.set(BASE * additions.length);
            else parties[party]!.add(1);
            if (isSet) additions.push(0);
            else additions[additions.length - 1]!++;
          };
          before.forEach(perform);
          const store = new StoreReader(region);
          store.refresh();
          const stream = store.scopes[0]!.streams[0]!;
          const [firstSet, firstAdditions] = [additions.length - 1, additions.at(-1)!];
          const cells = new CellReader();
          const copies = new CellCopies(region, {
            read(...cell) {
              const next = meanwhile.shift();
              if (next !== undefined) perform(next);
              return cells.read(...cell);
            },
          });
          const row = new Float64Array(1);
          expect(new SharedGaugeRows(stream, copies).fill(stream.seriesOf(NO_ATTRIBUTES), row, 0)).to.equal(
            true,
          );
          const value = row[0]!;
          const set = Math.floor(value / BASE);
          const added = value - set * BASE;
          expect(set).to.be.within(firstSet, additions.length - 1);
          expect(added).to.be.within(set === firstSet ? firstAdditions : 0, additions[set]!);
        },
      ),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('shows no addition without its set when a thread adds to a set that came after its cell was read', () => {
    const region = newRegion();
    const [one, two, three] = [new Party(region), new Party(region), new Party(region)];
    for (const party of [one, two, three]) party.add(1);
    const reader = readerFor(region, 'g');
    expect(reader.sharedValue()).to.equal(3);
    const { load } = Atomics;
    let loads = 0;
    let isWatching = true;
    const versionOfSecond = cellOfSecondWriter(region) << 1;
    Object.assign(Atomics, {
      load: (array: Int32Array, index: number) => {
        if (isWatching && array.buffer === region.buffer && index === versionOfSecond && loads++ === 0) {
          isWatching = false; // the cell of the first was read: it sets, and the third adds to that
          one.set(100);
          three.add(5);
        }
        return load(array, index);
      },
    });
    try {
      expect(reader.sharedValue()).to.equal(105);
    } finally {
      Object.assign(Atomics, { load });
    }
    expect(loads).to.equal(1);
  });

  it('keeps an addition that another thread makes after a set it has seen nothing of yet', () => {
    const region = newRegion();
    const [one, two] = [new Party(region), new Party(region)];
    one.add(1);
    two.add(1);
    one.set(10);
    two.add(2);
    one.add(3);
    expect(readerFor(region, 'g').sharedValue()).to.equal(15);
  });
});
