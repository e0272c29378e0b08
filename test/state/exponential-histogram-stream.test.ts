import { expect } from 'chai';
import * as fc from 'fast-check';
import { CellReader } from '../../src/collect/rows/cell-reader.ts';
import { ExponentialShape, readExponentialInto } from '../../src/state/cells/exponential-histogram-cell.ts';
import { addExponentialRow } from '../../src/collect/rows/exponential.ts';
import { Region } from '../../src/memory/region.ts';
import { noteReported } from '../../src/state/cells/carried.ts';
import { slabOwner } from '../../src/memory/slab.ts';
import * as layout from '../../src/memory/layout.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import type { RecordedStream } from '../../src/state/stream-writer.ts';
import { exponentialHistogram } from '../support/descriptions.ts';
import { DEAD_MARK, needsProc } from '../support/marks.ts';
import { recordTo } from '../support/record-to.ts';
import { seriesOf } from '../support/region-contents.ts';
import { watch } from '../support/stepped-memory.ts';
import { collectWarnings } from '../support/warnings.ts';

const SIZE = 4;
const LARGE = 1000;
const LIMIT = 1000;

type Recorded = readonly { readonly name: string; readonly value: number }[];

function streamOf(region: Region, maxSize = SIZE): RecordedStream {
  return new StoreWriter(region).stream(exponentialHistogram('h', { maxSize }), LIMIT);
}

/** A stream of a thread that takes over what the one before left. */
function heirOf(region: Region): RecordedStream {
  expect(slabOwner(region, 0)).to.not.equal(0);
  Atomics.store(region.words, layout.SLAB_TABLE_OFFSET / 4 + layout.SLAB_OWNER_WORD, DEAD_MARK);
  return streamOf(region);
}

/** By name, count, sum, extremes, scale and buckets. */
function contentsOf(region: Region, maxSize = SIZE): Record<string, readonly number[]> {
  return Object.fromEntries(
    seriesOf(region)
      .filter(({ live }) => live)
      .map(({ attributes, values }) => [attributes.values[0], totalOf(values, maxSize)]),
  );
}

/** The row of a cell, or its two rows as one. */
function totalOf(values: readonly number[], size: number): readonly number[] {
  const end = 10 + values[7]!;
  if (values.length === end) return values;
  const row = new Float64Array(10 + size);
  row.set(values.slice(0, end));
  addExponentialRow(row, 0, Float64Array.from(values.slice(end)), size);
  return [...row.subarray(0, 10 + row[7]!)];
}

/** As a reader with delta temporality does that reads all series. */
function reportAll(region: Region): void {
  const { words } = region;
  for (const { cell } of seriesOf(region)) noteReported(words, cell, words[cell << 1]!);
}

/** What one thread has that recorded all of it. */
function contentsAfter(recorded: Recorded): Record<string, readonly number[]> {
  const region = Region.create(2 ** 20);
  const stream = streamOf(region);
  for (const { name, value } of recorded) recordTo(stream, value, { name });
  return contentsOf(region);
}

/** As one thread has them that recorded nothing else. */
function scaleAndBuckets(values: readonly number[], maxSize: number): readonly number[] {
  const region = Region.create(2 ** 20);
  const stream = streamOf(region, maxSize);
  for (const value of values) recordTo(stream, value, { name: 'only' });
  return contentsOf(region, maxSize)['only']!.slice(5);
}

describe('the arrays of an exponential histogram stream', () => {
  before(needsProc);

  it("go round among its cells and its owners, and none is ever two cells'", () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      value: fc.constantFrom(0, 2 ** -10, 1, 1.5, 1000, 1e6), // whose sum is the same in any order
      dies: fc.nat(4).map((n) => n === 0),
      isReported: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const region = Region.create(2 ** 20);
        let stream = streamOf(region);
        for (const { name, value, dies, isReported } of steps) {
          if (dies) stream = heirOf(region);
          if (isReported) reportAll(region);
          recordTo(stream, value, { name });
        }
        expect(contentsOf(region)).to.deep.equal(contentsAfter(steps));
      }),
      { numRuns: 40 },
    );
  });

  for (const isReported of [false, true])
    it(`are found by a new owner wherever in ${isReported ? 'the end of an interval and ' : ''}a move the one before has died`, () => {
      const before = ['a', 'b', 'c'].flatMap((name) => [1, 100, 3].map((value) => ({ name, value })));
      const move = { name: 'b', value: 1e6 };
      const after = ['c', 'b', 'a'].flatMap((name) => [1e9, 5].map((value) => ({ name, value })));
      const region = Region.create(2 ** 18);
      const { bytes, buffer } = region;
      const memories: SharedArrayBuffer[] = [];
      const keep = (): void => {
        const memory = new SharedArrayBuffer(bytes.length, { maxByteLength: buffer.maxByteLength });
        new Uint8Array(memory, 0, bytes.length).set(bytes);
        memories.push(memory);
      };
      const stream = streamOf(region);
      for (const { name, value } of before) recordTo(stream, value, { name });
      if (isReported) {
        reportAll(region);
        recordTo(stream, 3, { name: 'b' }); // ends an interval, and another begins
        before.push({ name: 'b', value: 3 });
        reportAll(region);
      }
      watch(
        region,
        (store) => {
          if (store !== undefined) keep();
        },
        (words, doubles) => {
          Object.assign(stream.cells, { words, doubles });
          recordTo(stream, move.value, { name: move.name });
        },
      );
      keep();
      let counted = 0;
      for (const memory of memories) {
        const left = Region.attach(memory);
        const isCounted = contentsOf(left)[move.name]![0] === (isReported ? 5 : 4);
        if (isCounted) counted++;
        const heir = heirOf(left);
        for (const { name, value } of after) recordTo(heir, value, { name });
        const all = isCounted ? [...before, move, ...after] : [...before, ...after];
        expect(contentsOf(left)).to.deep.equal(contentsAfter(all));
      }
      expect(memories.length).to.be.above(15);
      expect(counted).to.equal(1);
    });

  it("are none two cells' where the stack ended in the middle of moves", () => {
    const region = Region.create(2 ** 24);
    const stream = streamOf(region);
    const series = Array.from({ length: LIMIT }, (_, i) => stream.bind({ name: `${i}` }));
    let next = 0;
    let failed = 0;
    let recorded = true;
    // Down to where the stack ends, and from there on up until a call has room enough. Each series moves then, since it has no bucket yet.
    const dive = (): void => {
      try {
        dive();
        if (recorded) return;
        recorded = true;
        series[next++]!.record(1000);
      } catch {
        recorded = false;
        failed++;
      }
    };
    const diveFrom = (..._taken: readonly number[]): void => dive(); // arguments lie on the stack: word by word further down
    for (let words = 0; words < 6; words++) diveFrom(...Array.from({ length: words }, () => 0));
    expect(failed).to.be.above(6);
    expect(next).to.be.below(LIMIT);
    const afterwards = [7, 1e6, 3];
    for (const value of afterwards) for (const one of series) one.record(value);
    const counted: Record<number, readonly number[]> = {
      3: scaleAndBuckets(afterwards, SIZE),
      4: scaleAndBuckets([1000, ...afterwards], SIZE),
    };
    for (const values of Object.values(contentsOf(region)))
      expect(values.slice(5)).to.deep.equal(counted[values[0]!]);
  });

  it('may lie beyond what a bound series reached when it was bound, and what a reader reaches', () => {
    for (const isReported of [false, true]) {
      const region = Region.create(2 ** 24);
      const stream = streamOf(region, LARGE);
      const bound = stream.bind({ name: 'early' });
      bound.record(1);
      const reader = Region.attach(region.buffer);
      const { cell } = seriesOf(reader).find(({ live }) => live)!;
      for (let i = 0; i < 300; i++) recordTo(stream, 1, { name: `${i}` });
      if (isReported) reportAll(region);
      bound.record(1e6); // to the array of the latest series, or to that of a block
      expect(contentsOf(region, LARGE)['early']!.slice(5)).to.deep.equal(scaleAndBuckets([1, 1e6], LARGE));
      const shape = new ExponentialShape(LARGE, 20, false);
      const into = new Float64Array(shape.copyWords);
      const read = (words: Int32Array, doubles: Float64Array, at: number, copy: Float64Array): number =>
        readExponentialInto(words, doubles, at, shape, copy);
      expect(read(reader.words, reader.doubles, cell, into)).to.equal(0);
      const cells = new CellReader();
      cells.begin();
      expect(cells.read(read, reader, cell, into)).to.equal(true);
      expect([...into.subarray(0, 4)]).to.deep.equal(
        isReported ? [1, 1e6, 1e6, 1e6] : [2, 1_000_001, 1, 1e6],
      );
      expect(into[shape.copiedCarried]).to.equal(isReported ? 1 : 0);
    }
  });

  it('are not there where the memory is used up: what is recorded is lost, and said so', () => {
    const log = collectWarnings();
    const region = Region.create(2 ** 18);
    const writer = new StoreWriter(region);
    const large = writer.stream(exponentialHistogram('large', { maxSize: 15_000 }), LIMIT);
    recordTo(large, 1, { name: 'a' }); // for whose cell alone there is room
    log.stop();
    expect(region.lostMeasurements).to.equal(1);
    expect(log.warnings.join()).to.contain('no memory left for this metric');
  });
});
