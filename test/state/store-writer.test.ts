import { expect } from 'chai';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import { Snapshots } from '../../src/collect/snapshot/snapshot.ts';
import { StoreReader } from '../../src/collect/directory/store-reader.ts';
import * as layout from '../../src/memory/layout.ts';
import { OWN_MARK } from '../../src/memory/liveness.ts';
import { Region } from '../../src/memory/region.ts';
import { slabEpoch, slabOwner, slabsUsed } from '../../src/memory/slab.ts';
import * as records from '../../src/state/records.ts';
import { StoreWriter, writerOf } from '../../src/state/store-writer.ts';
import { counter, exponentialHistogram, gauge, histogram } from '../support/descriptions.ts';
import { copyOf, everyStep } from '../support/every-step.ts';
import { DEAD_MARK, needsProc, otherLiveMark } from '../support/marks.ts';
import { extentsOf, recordsOf, seriesOf, sumsOf, totalOf } from '../support/region-contents.ts';
import {
  ACKNOWLEDGED,
  exitOf,
  makeControl,
  message,
  start,
  startRegionWorker,
} from '../support/region-job.ts';
import { collectWarnings } from '../support/warnings.ts';
import { recordTo } from '../support/record-to.ts';
import { scopeMetricsOf } from '../support/snapshot-metrics.ts';

const MIB = 2 ** 20;

const ownerIndex = (slab: number): number =>
  (layout.SLAB_TABLE_OFFSET + slab * layout.SLAB_BYTES) / 4 + layout.SLAB_OWNER_WORD;

/** The same memory after every slab's owner has died, as another thread sees it. */
function afterDeath(region: Region): Region {
  const seen = Region.attach(region.buffer);
  for (let slab = 0; slab < slabsUsed(seen) + 2; slab++) {
    const owner = slabOwner(seen, slab);
    if (Math.abs(owner) === OWN_MARK)
      Atomics.store(seen.words, ownerIndex(slab), Math.sign(owner) * DEAD_MARK);
  }
  return seen;
}

/** Records to four kinds of streams; what it adds to the sums is what it returns. */
function use(writer: StoreWriter, sets = 5): number {
  const requests = writer.stream(counter('requests'), 2000);
  const sizes = writer.stream(histogram('sizes', [1, 10, 100]), 2000);
  const spread = writer.stream(exponentialHistogram('spread', { maxSize: 8 }), 2000);
  const level = writer.stream(gauge('level'), 2000);
  for (let i = 0; i < sets; i++) {
    recordTo(requests, 1, { method: 'GET', route: `/r${i}`, odd: [i, null] });
    recordTo(requests, 2, { route: `/r${i}` });
    recordTo(sizes, i, { route: `/r${i}` });
    recordTo(level, i, undefined);
    recordTo(spread, 10 ** i, { route: `/r${i}` });
  }
  return 3 * sets;
}

describe('StoreWriter', () => {
  before(needsProc);

  it('takes a slab when it first writes, and one of a thread that wrote the same first', () => {
    const region = Region.create(MIB);
    for (const name of ['a', 'b']) {
      const writer = new StoreWriter(region);
      expect(writer.slab).to.equal(undefined);
      recordTo(writer.stream(counter(name), 5), 1, { name });
    }
    expect(slabsUsed(region)).to.equal(2);
    const seen = afterDeath(region);
    const heir = new StoreWriter(seen);
    heir.stream(counter('b'), 5);
    heir.stream(counter('a'), 5);
    expect([heir.slab, heir.adopted]).to.deep.equal([1, true]);
    const other = new StoreWriter(seen);
    other.stream(counter('c'), 5);
    expect([other.slab, other.adopted]).to.deep.equal([2, false]);
  });

  it('is one per thread and region, and gives one stream per identity', () => {
    const region = Region.create(MIB);
    const writer = writerOf(region);
    expect(writerOf(region)).to.equal(writer);
    const stream = writer.stream(counter('c'), 10);
    expect(writer.stream({ ...counter('C'), description: 'other' }, 10)).to.equal(stream);
    expect(writer.stream({ ...counter('c'), unit: 's' }, 10)).to.not.equal(stream);
    expect(recordsOf(region).filter(({ kind }) => kind === records.STREAM_RECORD)).to.have.length(2);
  });

  it('writes each key set once, whatever the streams and orders', () => {
    const region = Region.create(MIB);
    const writer = new StoreWriter(region);
    for (const name of ['a', 'b']) {
      const stream = writer.stream(counter(name), 10);
      for (let i = 0; i < 3; i++) recordTo(stream, 1, { x: i, y: 1 });
      for (let i = 0; i < 3; i++) recordTo(stream, 1, { y: i, x: 1 });
    }
    expect(recordsOf(region).filter(({ kind }) => kind === records.KEY_SET_RECORD)).to.have.length(1);
  });

  it('writes a description when it is longer than all before', () => {
    const region = Region.create(MIB);
    const writer = new StoreWriter(region);
    const stream = writer.stream({ ...counter('c'), description: 'four' }, 10);
    for (const text of ['', 'for', 'five!', 'five?', 'six and']) writer.describe(stream, text);
    const texts = recordsOf(region)
      .filter(({ kind }) => kind === records.DESCRIPTION_RECORD)
      .map(({ payload }) => records.decodeJson(payload));
    expect(texts).to.deep.equal([
      [0, 'five!'],
      [0, 'six and'],
    ]);
    // What the next owner is told is written only if it is longer still.
    const next = new StoreWriter(afterDeath(region));
    const used = recordsOf(region).length;
    next.describe(next.stream({ ...counter('c'), description: 'five!' }, 10), 'six and');
    expect(recordsOf(region)).to.have.length(used);
    next.stream({ ...counter('c'), description: 'x' }, 10);
    const third = new StoreWriter(afterDeath(region));
    third.stream({ ...counter('c'), description: 'eight and more' }, 10);
    expect(records.decodeJson(recordsOf(region).at(-1)!.payload)).to.deep.equal([0, 'eight and more']);
  });

  it('puts its configuration where the region points; the newest counts; false when there is no room', () => {
    const region = Region.create(layout.SMALLEST_MAX_BYTES);
    const writer = new StoreWriter(region);
    const configuration = {
      resource: { a: 1 },
      resourceSchemaUrl: undefined,
      cardinalityLimits: {},
    } as unknown as records.StoreConfiguration;
    expect(writer.configure(configuration)).to.equal(true);
    const first = region.configurationOffset;
    expect(writer.configure(configuration)).to.equal(true);
    expect(region.configurationOffset).to.be.above(first);
    const large = { ...configuration, resource: { a: 'x'.repeat(layout.SMALLEST_MAX_BYTES) } };
    expect(writer.configure(large)).to.equal(false);
  });

  it('loses and counts everything, and says so once, where all slabs are in use', () => {
    const log = collectWarnings();
    try {
      const region = Region.create(MIB);
      const live = otherLiveMark();
      for (let slab = 0; slab < layout.SLAB_CAPACITY; slab++)
        Atomics.store(region.words, ownerIndex(slab), live);
      Atomics.store(region.words, layout.SLABS_USED_INDEX, layout.SLAB_CAPACITY);
      const writer = new StoreWriter(region);
      use(writer);
      expect(region.lostMeasurements).to.equal(25);
      expect(
        log.warnings.filter((warning) => warning.includes('1024 threads already record to the store')),
      ).to.have.length(1);
      expect(writer.configure({} as records.StoreConfiguration)).to.equal(false);
    } finally {
      log.stop();
    }
  });

  describe('adoption', () => {
    it('restores streams, series and key sets, and goes on counting in the same cells', () => {
      const region = Region.create(MIB);
      use(new StoreWriter(region));
      const before = seriesOf(region);
      const next = new StoreWriter(afterDeath(region));
      const records = recordsOf(region).length;
      use(next);
      expect(next.adopted).to.equal(true);
      expect(recordsOf(region), 'nothing is described again').to.have.length(records);
      const after = seriesOf(region);
      expect(after.map(({ cell }) => cell)).to.deep.equal(before.map(({ cell }) => cell));
      after.forEach((series, i) => {
        if (series.stream.name !== 'requests' || !series.live) return;
        expect(series.values[0]).to.equal(2 * before[i]!.values[0]!);
      });
      const counts = after
        .filter(({ stream, live }) => stream.name === 'sizes' && live)
        .map(({ values }) => values);
      expect(counts).to.have.length(5);
      for (const [i, values] of counts.entries()) expect(values.slice(0, 4)).to.deep.equal([2, 2 * i, i, i]);
    });

    it('keeps the cardinality limit over all owners, and the overflow series', () => {
      const region = Region.create(MIB);
      let seen = region;
      for (let owner = 0; owner < 4; owner++) {
        const stream = new StoreWriter(seen).stream(counter('c'), 5);
        for (let i = 0; i < 3; i++) recordTo(stream, 1, { owner, i });
        seen = afterDeath(region);
      }
      const live = seriesOf(region).filter((series) => series.live);
      expect(live.filter(({ overflow }) => !overflow)).to.have.length(5);
      expect(live.filter(({ overflow }) => overflow).map(({ values }) => values)).to.deep.equal([[7]]);
      expect(totalOf(region)).to.equal(12);
    });

    it('goes on in a directory of many extents, with new streams, series and key sets', () => {
      const region = Region.create(16 * MIB);
      let total = use(new StoreWriter(region), 1000);
      for (const extra of ['x', 'y']) {
        const next = new StoreWriter(afterDeath(region));
        total += use(next, 1500);
        recordTo(next.stream(counter(`new ${extra}`), 10), 4, { [extra]: 1, other: extra });
        total += 4;
      }
      const names = (name: string) => totalOf(region, name);
      expect(names('requests') + names('new x') + names('new y')).to.equal(total);
      expect(sumsOf(region, 'new y')).to.deep.equal({ '[["other","y"],["y",1]]': 4 });
      const cells = seriesOf(region).map(({ cell }) => cell);
      expect(new Set(cells).size).to.equal(cells.length);
      let held = 0;
      for (const { bytes } of extentsOf(region)) {
        const share = Math.floor(held / layout.EXTENT_SHARE / layout.UNIT_BYTES) * layout.UNIT_BYTES;
        expect(bytes, 'an heir claims as if it had been the only owner').to.equal(
          Math.max(layout.FIRST_EXTENT_BYTES, share),
        );
        held += bytes;
      }
      expect(held).to.be.above(2 * layout.EXTENT_SHARE * layout.FIRST_EXTENT_BYTES);
    });

    it('writes a text once, and its heir once more', () => {
      const region = Region.create(MIB);
      const record = (writer: StoreWriter, from: number): void => {
        const stream = writer.stream(counter('requests'), 2000);
        for (let n = from; n < from + 20; n++) recordTo(stream, 1, { n, route: '/a/long/route' });
      };
      const written = (): number =>
        recordsOf(region).filter(({ payload }) => payload.includes('/a/long/route')).length;
      record(new StoreWriter(region), 0);
      expect(written()).to.equal(1);
      record(new StoreWriter(afterDeath(region)), 10);
      expect(written()).to.equal(2);
      const sums = sumsOf(region, 'requests');
      expect(Object.keys(sums)).to.have.length(30);
      for (let n = 0; n < 30; n++)
        expect(sums[`[["n",${n}],["route","/a/long/route"]]`]).to.equal(n < 10 || n >= 20 ? 1 : 2);
    });

    it('takes no more memory for the fiftieth owner than for the first', () => {
      const region = Region.create(4 * MIB);
      use(new StoreWriter(region), 200);
      const used = region.usedBytes;
      const records = recordsOf(region).length;
      for (let owner = 0; owner < 50; owner++) use(new StoreWriter(afterDeath(region)), 200);
      expect(region.usedBytes).to.equal(used);
      expect(recordsOf(region)).to.have.length(records);
      expect(slabsUsed(region)).to.equal(1);
      expect(totalOf(region, 'requests')).to.equal(51 * 600);
    });

    it('after death at each step of registering, describing and recording loses nothing that was recorded', () => {
      const region = Region.create(MIB);
      const writer = new StoreWriter(region);
      let recorded = 0; // by calls that returned
      let deaths = 0;
      const record = (action: () => void, adds: number): void => {
        everyStep(region, action, () => {
          // Every eleventh step: all kinds are met, and the test stays short.
          if (deaths++ % 11 !== 0) return;
          const left = afterDeath(Region.attach(copyOf(region.buffer)));
          const next = new StoreWriter(left);
          next.stream(counter('requests'), 2000);
          if (writer.slab !== undefined) expect(next.adopted).to.equal(true); // else it died while it took the slab
          const total = totalOf(left, 'requests');
          expect(total).to.be.within(recorded, recorded + adds);
          const added = use(next, 3);
          recordTo(next.stream(counter('requests'), 2000), 1, { after: 'death' });
          expect(totalOf(left, 'requests')).to.equal(total + added + 1);
          for (const { stream, live, values } of seriesOf(left))
            if (stream.name === 'sizes' && live)
              expect(values.slice(4).reduce((a, b) => a + b)).to.equal(values[0]);
        });
        recorded += adds;
      };
      record(() => writer.stream(counter('requests'), 2000), 0);
      record(() => writer.stream(histogram('sizes', [1, 10, 100]), 2000), 0);
      for (let i = 0; i < 3; i++) {
        record(() => recordTo(writer.stream(counter('requests'), 2000), 1, { i, text: 'x'.repeat(50) }), 1);
        record(() => recordTo(writer.stream(counter('requests'), 2000), 1, { [`key ${i}`]: [i] }), 1);
        record(() => recordTo(writer.stream(histogram('sizes', [1, 10, 100]), 2000), i, { i }), 0);
      }
      record(() => recordTo(writer.stream(counter('requests'), 2000), 1, { large: 'x'.repeat(16_000) }), 1); // a new extent
      expect(deaths).to.be.above(500);
    });
  });

  describe('a damaged directory', () => {
    it('is left to readers as far as it is whole, with a warning; its heir records elsewhere', () => {
      const region = Region.create(MIB);
      use(new StoreWriter(region));
      const requests = totalOf(region, 'requests');
      const seen = afterDeath(region);
      const store = new StoreReader(seen);
      store.refresh();
      const { cell } = seriesOf(seen)[0]!;
      const value = seen.doubles[cell + 1];
      const [extent] = extentsOf(seen);
      seen.bytes[extent!.offset + layout.EXTENT_HEADER_BYTES + 40]! ^= 1; // in the first record
      const log = collectWarnings();
      try {
        for (let heir = 0; heir < 2; heir++) {
          const next = new StoreWriter(heir === 0 ? seen : afterDeath(seen));
          use(next);
          expect(next.slab).to.equal(1);
          expect(next.adopted).to.equal(heir > 0);
        }
        expect(log.warnings).to.have.length(1);
        expect(log.warnings[0]).to.match(/list of series of writer 0, a thread that has ended/);
      } finally {
        log.stop();
      }
      expect(slabOwner(seen, 0)).to.equal(layout.DAMAGED);
      expect(seen.doubles[cell + 1], 'nobody has written there').to.equal(value);
      store.refresh();
      const [total] = scopeMetricsOf(new Snapshots(store, new CellReader()))
        .flatMap(({ metrics }) => metrics.filter(({ descriptor }) => descriptor.name === 'requests'))
        .map(({ dataPoints }) => dataPoints.reduce((sum, { value: point }) => sum + (point as number), 0));
      expect(total).to.equal(3 * requests); // what was read before the damage stays, and both heirs are seen
    });

    it('that cannot be walked at all does not keep a thread from recording', () => {
      const region = Region.create(MIB);
      use(new StoreWriter(region));
      const seen = afterDeath(region);
      Atomics.store(seen.words, layout.EXTENTS_OFFSET / 4, 0);
      const log = collectWarnings();
      const next = new StoreWriter(seen);
      use(next);
      log.stop();
      expect([next.slab, next.adopted]).to.deep.equal([1, false]);
      expect(log.warnings.join()).to.match(/damaged: the list of series of writer 0,/);
    });
  });

  describe('with real threads', () => {
    it('a total is exact, at most one more per writer terminated in mid-count', async () => {
      const region = Region.create(MIB);
      const control = makeControl();
      const kills = 8;
      for (let i = 0; i < kills; i++) {
        const worker = startRegionWorker(region, { kind: 'count', times: Infinity, end: 'return' }, control);
        const exit = exitOf(worker);
        const before = Atomics.load(control, ACKNOWLEDGED);
        await start(control, i + 1);
        while (Atomics.load(control, ACKNOWLEDGED) < before + 1000)
          await new Promise((go) => setTimeout(go, 1));
        await worker.terminate();
        await exit;
      }
      const acknowledged = Atomics.load(control, ACKNOWLEDGED);
      expect(acknowledged).to.be.at.least(kills * 1000);
      expect(totalOf(region)).to.be.within(acknowledged, acknowledged + kills);
      expect([slabsUsed(region), slabEpoch(region, 0)]).to.deep.equal([1, kills]);
    });

    it('a total is exact over writers that return, exit and crash, one after the other and side by side', async () => {
      const region = Region.create(MIB);
      const control = makeControl();
      let started = 0;
      for (let round = 0; round < 2; round++) {
        const workers = (['return', 'exit', 'throw'] as const).map((end) =>
          startRegionWorker(region, { kind: 'count', times: 500, end }, control),
        );
        started += workers.length;
        const exits = workers.map(exitOf);
        await start(control, started);
        await Promise.all(exits);
      }
      expect(totalOf(region)).to.equal(started * 500);
      expect(Atomics.load(control, ACKNOWLEDGED)).to.equal(started * 500);
      expect(slabsUsed(region)).to.be.at.most(3);
    });

    it('twenty workers, one after the other, take no more memory than one', async () => {
      const region = Region.create(MIB);
      const control = makeControl();
      let used = 0;
      for (let i = 0; i < 20; i++) {
        const worker = startRegionWorker(region, { kind: 'count', times: 20, end: 'return' }, control);
        const exit = exitOf(worker);
        const result = message<{ adopted: boolean }>(worker);
        await start(control, i + 1);
        expect((await result).adopted).to.equal(i > 0);
        await exit;
        if (i === 0) used = region.usedBytes;
      }
      expect(region.usedBytes).to.equal(used);
      expect(totalOf(region)).to.equal(20 * 20);
    });
  });
});
