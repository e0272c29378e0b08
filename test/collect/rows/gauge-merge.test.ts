import { expect } from 'chai';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../../src/collect/directory/store-reader.ts';
import { SLAB_BYTES, SLAB_TABLE_OFFSET, SLAB_THREAD_WORD } from '../../../src/memory/layout.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StreamDescription } from '../../../src/state/records.ts';
import { GAUGE_MERGES, type GaugeMerge } from '../../../src/state/stream-choices.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { gauge } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { makeProvider, shutDownProviders } from '../../support/provider.ts';
import { collectWarnings } from '../../support/warnings.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { recordTo } from '../../support/record-to.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const LIMIT = 100;

/** A writer that looks like one of a thread of its own. */
function writerOfThread(region: Region, threadId: number): StoreWriter {
  const writer = newWriter(region);
  const entry = (SLAB_TABLE_OFFSET + writer.slab! * SLAB_BYTES) / 4;
  Atomics.store(region.words, entry + SLAB_THREAD_WORD, threadId + 1);
  return writer;
}

class Store {
  readonly region: Region = Region.create(2 ** 20);
  readonly #reader = new StoreReader(this.region);
  readonly #snapshots = new Snapshots(this.#reader, new CellReader());

  /** Attributes and value of every point, as objects and, the same, as columns. */
  points(): (readonly [object, number])[] {
    const columns = this.#snapshots
      .takeColumns()
      .flatMap(({ rows, attributes, values }) =>
        Array.from({ length: rows }, (_, row) => [attributes[row]!, values[row]!] as const),
      );
    const points = scopeMetricsOf(this.#snapshots).flatMap(({ metrics }) =>
      metrics.flatMap(({ dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [attributes, value as number] as const),
      ),
    );
    expect(columns).to.deep.equal(points);
    return points;
  }

  values(): number[] {
    return this.points().map(([, value]) => value);
  }

  /** The objects that rows are known by. */
  rowKeys(): readonly object[] {
    return this.#snapshots.takeColumns().flatMap(({ rows, attributes }) => attributes.slice(0, rows));
  }
}

const merging = (merge: GaugeMerge, name = 'g'): StreamDescription => ({ ...gauge(name), merge });

describe('gauges of several writers', () => {
  before(needsProc);
  afterEach(shutDownProviders);

  const expected: Readonly<Record<string, readonly number[]>> = {
    'most-recent': [5],
    sum: [5 + 20 - 3],
    min: [-3],
    max: [20],
    'per-writer': [20, -3, 5],
  };
  for (const merge of GAUGE_MERGES) {
    it(`merge by ${merge}, over those who live and have set the value`, () => {
      const store = new Store();
      const writers = [10, 11, 12, 13, 14].map((id) => writerOfThread(store.region, id));
      const streams = writers.map((writer) => writer.stream(merging(merge), LIMIT));
      streams.forEach((stream) => recordTo(stream, 1, undefined)); // not what counts
      recordTo(streams[1]!, 20, undefined);
      recordTo(streams[2]!, -3, undefined);
      recordTo(streams[0]!, 1000, undefined);
      recordTo(streams[3]!, -1000, undefined);
      recordTo(streams[4]!, 5, undefined);
      for (const dead of [0, 3]) bury(writers[dead]!);
      writerOfThread(store.region, 15); // takes over, and sets nothing
      expect(store.values()).to.deep.equal(expected[merge]);
      for (const writer of writers) bury(writer);
      expect(store.values(), 'of the dead').to.deep.equal([]);
    });

    it(`by ${merge} is, of one writer, what it set`, () => {
      const store = new Store();
      const stream = writerOfThread(store.region, 3).stream(merging(merge), LIMIT);
      for (const value of [1, -7, NaN, 4]) recordTo(stream, value, { a: 1 });
      expect(store.values()).to.deep.equal([4]);
    });
  }

  it('one by one have the attribute thread.id', () => {
    const store = new Store();
    const [one, two] = [writerOfThread(store.region, 1), writerOfThread(store.region, 2)];
    recordTo(one.stream(merging('per-writer'), LIMIT), 10, { a: 1, z: 2 });
    recordTo(two.stream(merging('per-writer'), LIMIT), 20, { a: 1, z: 2 });
    recordTo(two.stream(merging('per-writer'), LIMIT), 30, undefined);
    expect(store.points()).to.deep.equal([
      [{ a: 1, 'thread.id': 1, z: 2 }, 10],
      [{ a: 1, 'thread.id': 2, z: 2 }, 20],
      [{ 'thread.id': 2 }, 30],
    ]);
    expect(Object.keys(store.points()[0]![0])).to.deep.equal(['a', 'thread.id', 'z']);
    const [first, second] = store.rowKeys();
    expect(store.rowKeys()[0]).to.equal(first);
    bury(two);
    const heir = writerOfThread(store.region, 3);
    recordTo(heir.stream(merging('per-writer'), LIMIT), 40, { a: 1, z: 2 });
    expect(store.points()).to.deep.equal([
      [{ a: 1, 'thread.id': 1, z: 2 }, 10],
      [{ a: 1, 'thread.id': 3, z: 2 }, 40],
    ]);
    expect(store.rowKeys()[0]).to.equal(first);
    expect(store.rowKeys()[1]).to.not.equal(second);
  });

  it('of a series that says its thread itself are left as they are: no two points alike', () => {
    const store = new Store();
    for (const id of [1, 2])
      for (const own of [7, 8])
        recordTo(writerOfThread(store.region, id).stream(merging('per-writer'), LIMIT), 10 * id + own, {
          'thread.id': own,
        });
    expect(store.points()).to.deep.equal([
      [{ 'thread.id': 7 }, 27],
      [{ 'thread.id': 8 }, 28],
    ]);
  });

  it('of one thread with two slabs are one point, the newer', () => {
    const store = new Store();
    const [one, two] = [writerOfThread(store.region, 4), writerOfThread(store.region, 4)];
    recordTo(two.stream(merging('per-writer'), LIMIT), 2, undefined);
    recordTo(one.stream(merging('per-writer'), LIMIT), 1, undefined);
    expect(store.points()).to.deep.equal([[{ 'thread.id': 4 }, 1]]);
  });

  it('about which threads disagree are two metrics, and said so once', () => {
    const store = new Store();
    const [one, two] = [writerOfThread(store.region, 1), writerOfThread(store.region, 2)];
    recordTo(one.stream(merging('sum'), LIMIT), 1, undefined);
    recordTo(two.stream(gauge('g'), LIMIT), 2, undefined);
    recordTo(two.stream(merging('sum', 'h'), LIMIT), 3, undefined);
    const { warnings, stop } = collectWarnings();
    expect(store.values()).to.deep.equal([1, 2, 3]);
    stop();
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(
      /gauge g of meter test has merge sum in one thread and most-recent in another/,
    );
  });

  it('are merged as the option of the instrument says; of two that differ the first counts', () => {
    const { meter, points } = makeProvider();
    const { warnings, stop } = collectWarnings();
    meter.createGauge('g', { merge: 'per-writer' }).record(1);
    meter.createGauge('g').record(2);
    meter.createGauge('g', { merge: 'sum' }).record(3);
    meter.createGauge('h', { merge: 'avg' as never }).record(4);
    meter.createCounter('c', { merge: 'sum' } as object).add(1);
    stop();
    expect(points('g')).to.deep.equal([{ attributes: { 'thread.id': 0 }, value: 3 }]);
    expect(points('h')).to.deep.equal([{ attributes: {}, value: 4 }]);
    expect(warnings.map((warning) => /merge .*/.exec(warning)?.[0])).to.deep.equal([
      'merge per-writer before, which is used, not sum. Give both the same merge, or set it by a view',
      'merge of metric h is "avg"; it must be one of most-recent, sum, min, max, per-writer. most-recent is used instead',
      'merge of metric c has no effect: only gauges have a merge',
    ]);
  });

  it('are merged as a view says, before what the instrument says; and only gauges are', () => {
    const { meter, points } = makeProvider(undefined, {
      views: [{ instrumentName: '*', merge: 'per-writer' }],
    });
    meter.createGauge('g', { merge: 'sum' }).record(1);
    meter.createGauge('h').record(2);
    meter.createCounter('c').add(3);
    expect(['g', 'h', 'c'].map((name) => points(name))).to.deep.equal([
      [{ attributes: { 'thread.id': 0 }, value: 1 }],
      [{ attributes: { 'thread.id': 0 }, value: 2 }],
      [{ attributes: {}, value: 3 }],
    ]);
    expect(() =>
      makeProvider(undefined, { views: [{ instrumentName: '*', merge: 'avg' as never }] }),
    ).to.throw('views[0].merge is "avg"; it must be one of most-recent, sum, min, max, per-writer');
  });

  it('that are observed are merged likewise, and go with their round', async () => {
    const { meter, points, reader } = makeProvider();
    let value: number | undefined = 5;
    meter.createObservableGauge('g', { merge: 'per-writer' }).addCallback((result) => {
      if (value !== undefined) result.observe(value, { a: 1 });
    });
    await reader.collect();
    expect(points('g')).to.deep.equal([{ attributes: { a: 1, 'thread.id': 0 }, value: 5 }]);
    value = undefined;
    await reader.collect();
    expect(points('g')).to.deep.equal([]);
  });
});
