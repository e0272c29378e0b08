import { expect } from 'chai';
import { CellReader } from '../../../src/collect/rows/cell-reader.ts';
import type { MetricColumn } from '../../../src/collect/rows/column.ts';
import {
  HISTOGRAM_ROW_BUCKETS,
  HISTOGRAM_ROW_COUNT,
  HISTOGRAM_ROW_SUM,
} from '../../../src/collect/rows/histogram.ts';
import { MetricSource } from '../../../src/collect/metric-source.ts';
import { Snapshots } from '../../../src/collect/snapshot/snapshot.ts';
import { readerOf } from '../../../src/collect/directory/store-reader.ts';
import { Region } from '../../../src/memory/region.ts';
import type { StoreWriter } from '../../../src/state/store-writer.ts';
import { alwaysBusy } from '../../support/busy-cell.ts';
import { counter, gauge, histogram } from '../../support/descriptions.ts';
import { needsProc } from '../../support/marks.ts';
import { recordTo } from '../../support/record-to.ts';
import { turnsDuring } from '../../support/turns-during.ts';
import { bury, newWriter } from '../../support/writers.ts';
import { scopeMetricsOf } from '../../support/snapshot-metrics.ts';

const LIMIT = 2000;
const HISTOGRAM = histogram('h', [1, 10, 100]);
/** Series between two looks at the time. */
const STEP = 64;

class Store {
  readonly region: Region = Region.create(2 ** 24);
  readonly writer: StoreWriter = newWriter(this.region);
  readonly snapshots: Snapshots = new Snapshots(readerOf(this.region), new CellReader());

  count(id: number, name = 'c', value = 1): void {
    recordTo(this.writer.stream(counter(name), LIMIT), value, { id });
  }

  observe(id: number, value: number): void {
    recordTo(this.writer.stream(HISTOGRAM, LIMIT), value, { id });
  }

  /** A snapshot that ends a slice at each look; `between` is called after each but the last. */
  inSlices(between: (slice: number) => void = () => {}): readonly MetricColumn[] {
    this.snapshots.beginColumns();
    for (let slice = 1; ; slice++) {
      const columns = this.snapshots.fillColumns(-Infinity);
      if (columns !== undefined) return columns;
      between(slice);
    }
  }
}

/** Ids of a column's rows, in their order. */
function idsOf({ rows, attributes }: MetricColumn): unknown[] {
  return attributes.slice(0, rows).map(({ id }) => id);
}

/** Of a column whose rows have one number each. */
function valuesOf({ rows, values }: MetricColumn): number[] {
  return Array.from(values.subarray(0, rows));
}

/** Each row is whole: all of its values were `value`. */
function expectWhole({ rows, stride, values }: MetricColumn, value: number): void {
  for (let at = 0; at < rows * stride; at += stride) {
    const count = values[at + HISTOGRAM_ROW_COUNT]!;
    const inBuckets = values
      .slice(at + HISTOGRAM_ROW_BUCKETS, at + stride)
      .reduce((sum, one) => sum + one, 0);
    expect(count).to.be.greaterThan(0);
    expect([inBuckets, values[at + HISTOGRAM_ROW_SUM]]).to.deep.equal([count, count * value]);
  }
}

const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('a snapshot in slices', function () {
  before(needsProc);

  it('ends a slice after 64 series and after each metric, when its time is up', () => {
    const store = new Store();
    for (const id of numbers(1000)) store.count(id);
    for (const id of numbers(10)) store.count(0, `one${id}`);
    let slices = 1;
    const columns = store.inSlices(() => slices++);
    expect(columns.map(({ rows }) => rows)).to.deep.equal([1000, ...numbers(10).map(() => 1)]);
    expect(slices).to.equal(Math.ceil(1000 / STEP) + 10);
    expect(store.snapshots.takeColumns()).to.deep.equal(columns);
  });

  it('has each series whole and once, and the new ones in this snapshot or the next', () => {
    const store = new Store();
    for (const id of numbers(200)) store.observe(id, 5);
    const [column] = store.inSlices();
    let known = 200;
    let next = 200;
    for (let round = 0; round < 3; round++) {
      const columns = store.inSlices((slice) => {
        store.observe((slice * 7919) % 200, 5);
        store.observe(next++, 5);
        scopeMetricsOf(store.snapshots); // makes the new series known
        store.count(next, `new${next}`);
      });
      expect(columns[0]).to.equal(column);
      expect(column!.rows).to.be.within(known, next);
      expect(idsOf(column!)).to.deep.equal(numbers(column!.rows));
      expectWhole(column!, 5);
      known = next; // all that there were when the next one begins
    }
    store.inSlices();
    expect(idsOf(column!)).to.deep.equal(numbers(next));
    expect(store.snapshots.takeColumns()).to.have.length(1 + next - 200);
  });

  it('shows no series twice when others go', () => {
    const store = new Store();
    const { writer: mortal } = store; // its directory is decoded first
    const other = newWriter(store.region);
    for (const id of numbers(400))
      recordTo((id < 100 ? mortal : other).stream(gauge('g'), LIMIT), id, { id });
    const [column] = store.inSlices();
    expect(idsOf(column!)).to.deep.equal(numbers(400));
    bury(mortal);
    const setAgain = (id: number): void => recordTo(other.stream(gauge('g'), LIMIT), id, { id });
    let slices = 0;
    for (let round = 0; round < 4; round++) {
      store.inSlices(() => slices++);
      expect(new Set(idsOf(column!)).size).to.equal(column!.rows);
      expect(valuesOf(column!)).to.deep.equal(idsOf(column!));
      if (round === 0) expect(column!.rows).to.equal(300);
      for (const id of numbers(25)) setAgain(id * 4 + round); // some come again
    }
    expect(slices).to.be.greaterThan(0);
  });

  it('shows no row that is half made', () => {
    const store = new Store();
    for (const id of numbers(2 * STEP)) store.observe(id, 5);
    const reader = readerOf(store.region);
    reader.refresh();
    const stream = reader.scopes[0]!.streams[0]!;
    const last = stream.attributes.findIndex(({ id }) => id === STEP - 1); // before a look
    const busy = stream.cellOf(stream.firstOf(last));
    alwaysBusy(store.region, busy, () => {
      const [column] = store.inSlices();
      expect(column!.rows).to.equal(2 * STEP - 1); // not one copy yet: left out
      expectWhole(column!, 5);
    });
    expect(store.inSlices()[0]!.rows).to.equal(2 * STEP);
  });

  it('is done when another one was taken at once in between', () => {
    const store = new Store();
    for (const id of numbers(300)) store.count(id);
    store.snapshots.beginColumns();
    expect(store.snapshots.fillColumns(-Infinity)).to.equal(undefined);
    for (const id of numbers(400)) store.count(id);
    const [column] = store.snapshots.takeColumns();
    const values = numbers(400).map((id) => (id < 300 ? 2 : 1));
    expect(valuesOf(column!)).to.deep.equal(values);
    for (const id of numbers(400)) store.count(id);
    expect(store.snapshots.fillColumns(-Infinity)).to.deep.equal([column]);
    expect(valuesOf(column!)).to.deep.equal(values);
  });

  it('goes on after a snapshot of another kind, with what remains of its time', () => {
    const store = new Store();
    for (const id of numbers(300)) store.observe(id, 5);
    let points = 0;
    const [column] = store.inSlices(() => {
      points += scopeMetricsOf(store.snapshots)[0]!.metrics[0]!.dataPoints.length;
    });
    expect(points).to.equal(4 * 300);
    expect(column!.rows).to.equal(300);
    expectWhole(column!, 5);
  });
});

describe('MetricSource.columnsInSlices', () => {
  it('lets the event loop turn in between', async () => {
    const store = new Store();
    for (const id of numbers(LIMIT - 1)) store.count(id);
    const source = new MetricSource({ region: store.region });
    const work = source.columnsInSlices(-1);
    expect(await turnsDuring(work)).to.be.at.least(LIMIT / STEP);
    expect((await work)!.columns.map(({ rows }) => rows)).to.deep.equal([LIMIT - 1]);
  });

  it('makes one slice a turn for all who ask, of snapshots with what was recorded before they were asked for', async () => {
    const store = new Store();
    const least: number[] = [];
    const ask = async (): Promise<void> => {
      const source = new MetricSource({ region: store.region });
      const [column] = (await source.columnsInSlices(-1))!.columns;
      least.push(Math.min(...valuesOf(column!)));
    };
    const asked = numbers(5).map(() => {
      for (const id of numbers(200)) store.count(id);
      return ask();
    });
    expect(await turnsDuring(Promise.all(asked))).to.be.at.least(5 * Math.ceil(200 / STEP));
    least.forEach((value, i) => expect(value).to.be.at.least(i + 1));
  });
});
