import { expect } from 'chai';
import {
  ABANDONED,
  SLAB_BYTES,
  SLAB_CAPACITY,
  SLAB_OWNER_WORD,
  SLABS_USED_INDEX,
  SLAB_TABLE_OFFSET,
  SMALLEST_MAX_BYTES,
} from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { MAX_TEXTS } from '../../src/state/directory-texts.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { identityOf } from '../support/attribute-model.ts';
import { counter, gauge, histogram } from '../support/descriptions.ts';
import { sumsOf, totalOf } from '../support/region-contents.ts';
import { collectWarnings } from '../support/warnings.ts';
import { recordTo } from '../support/record-to.ts';

const OVERFLOW = '[["otel.metric.overflow",true]]';

function makeWriter(maxBytes: number): { writer: StoreWriter; region: Region } {
  const region = Region.create(maxBytes);
  return { writer: new StoreWriter(region), region };
}

describe('StreamWriter without memory', () => {
  let log: ReturnType<typeof collectWarnings>;
  beforeEach(() => (log = collectWarnings()));
  afterEach(() => log.stop());

  describe('in the region', () => {
    it('keeps every total exact: what has no series of its own goes to overflow, with one warning', () => {
      const { writer, region } = makeWriter(SMALLEST_MAX_BYTES);
      const streams = [writer.stream(counter('a'), 1e6), writer.stream(counter('b'), 1e6)];
      const adds = 4000;
      for (let i = 0; i < adds; i++)
        for (const stream of streams) recordTo(stream, 1, { user: `user ${i}`, n: i });
      for (let i = 0; i < adds; i++)
        for (const stream of streams) recordTo(stream, 1, { user: `user ${i}`, n: i });
      for (const name of ['a', 'b']) {
        const sums = sumsOf(region, name);
        expect(totalOf(region, name)).to.equal(2 * adds);
        expect(sums[OVERFLOW]).to.be.above(0);
        expect(Object.keys(sums).length).to.be.within(100, adds);
        for (const [key, sum] of Object.entries(sums)) if (key !== OVERFLOW) expect(sum).to.equal(2);
      }
      expect(region.lostMeasurements).to.equal(0);
      expect(region.byteLength).to.be.at.most(SMALLEST_MAX_BYTES);
      expect(log.warnings).to.have.length(2);
      for (const warning of log.warnings) expect(warning).to.include(`maxBytes ${SMALLEST_MAX_BYTES}`);
    });

    function fill(region: Region): void {
      while (region.claimExtent(500, 4096) !== undefined);
    }

    it('counts as lost what has not even an overflow series, says so once, and throws nowhere', () => {
      const { writer, region } = makeWriter(SMALLEST_MAX_BYTES);
      fill(region);
      const a = writer.stream(counter('a'), 10);
      const g = writer.stream(gauge('g'), 10);
      const h = writer.stream(histogram('h', [1]), 10);
      const bound = [a.bind({ x: 1 }), a.bind(undefined)];
      const [boundGauge, boundHistogram] = [g.bind({}), h.bind({})];
      expect(region.lostMeasurements, 'a bind measures nothing').to.equal(0);
      for (let i = 0; i < 5; i++) {
        recordTo(a, 1, { i });
        recordTo(g, 1, undefined);
        recordTo(h, 1, null);
        bound.forEach((series) => series.record(1));
        boundGauge.record(1);
        boundHistogram.record(1);
      }
      expect(region.lostMeasurements).to.equal(5 * 7);
      expect(totalOf(region)).to.equal(0);
      const lost = log.warnings.filter((warning) => warning.includes('lost'));
      expect(lost).to.have.length(3);
      expect(log.warnings.length).to.be.at.most(6);
    });

    it('goes on counting what has a series', () => {
      const { writer, region } = makeWriter(SMALLEST_MAX_BYTES);
      const stream = writer.stream(counter('a'), 10);
      recordTo(stream, 1, { a: 1 });
      const bound = stream.bind({ a: 2 });
      fill(region);
      while (region.claimExtent(1, 1) !== undefined);
      for (let i = 0; i < 1000; i++) recordTo(stream, 1, { big: 'x'.repeat(100), i });
      recordTo(stream, 1, { a: 1 });
      bound.record(5);
      const sums = sumsOf(region);
      expect([sums['[["a",1]]'], sums['[["a",2]]']]).to.deep.equal([2, 5]);
      expect(totalOf(region)).to.equal(1007);
    });

    it('sends one value that is larger than the store to overflow', () => {
      const { writer, region } = makeWriter(SMALLEST_MAX_BYTES);
      writer.maxValueLength = Infinity;
      const stream = writer.stream(counter('a'), 10);
      recordTo(stream, 1, { huge: 'x'.repeat(SMALLEST_MAX_BYTES) });
      recordTo(stream, 1, { ['k'.repeat(SMALLEST_MAX_BYTES)]: 1 });
      expect(sumsOf(region)).to.deep.equal({ [OVERFLOW]: 2 });
    });

    it('gives a series to sets that fit after ones that did not', () => {
      const { writer, region } = makeWriter(2 ** 20);
      writer.maxValueLength = Infinity;
      const stream = writer.stream(counter('a'), 1000);
      const huge = { huge: 'x'.repeat(2 ** 20) };
      for (let i = 0; i < 1000; i++) {
        for (let again = 0; again < 3; again++) recordTo(stream, 1, huge);
        recordTo(stream, 1, { i }); // at times in memory that is claimed for it
      }
      const sums = sumsOf(region);
      expect(sums[OVERFLOW]).to.equal(3000);
      for (let i = 0; i < 1000; i++) expect(sums[`[["i",${i}]]`], `${i}`).to.equal(1);
      expect(log.warnings).to.have.length(1);
    });

    /** The region refuses memory while `work` runs, as a machine does for a moment. */
    function withoutMemory(region: Region, work: () => void): void {
      const claim = region.claimExtent;
      region.claimExtent = () => undefined;
      try {
        work();
      } finally {
        region.claimExtent = claim;
      }
    }

    it('uses up no numbers of texts for records that found no room', () => {
      const { writer, region } = makeWriter(2 ** 20);
      const stream = writer.stream(counter('a'), 20_000);
      withoutMemory(region, () => {
        for (let i = 0; i < 2 * MAX_TEXTS; i++) recordTo(stream, 1, { user: `user ${i}` });
      });
      const text = 'a text that comes again';
      for (let i = 0; i < 200; i++) recordTo(stream, 1, { text, n: i });
      const written = Buffer.from(region.bytes.subarray(0, region.usedBytes)).toString('latin1').split(text);
      expect(written).to.have.length(2); // once in full, by its number afterwards
    });

    it('asks again for memory that was refused for a moment', () => {
      const { writer, region } = makeWriter(2 ** 20);
      const stream = writer.stream(counter('a'), 10_000);
      const text = (i: number): string => 'x'.repeat(1000) + i;
      withoutMemory(region, () => {
        for (let i = 0; i < 100; i++) recordTo(stream, 1, { text: text(i) });
      });
      const refused = sumsOf(region)[OVERFLOW]!;
      expect(refused).to.be.above(50);
      for (let i = 100; i < 300; i++) recordTo(stream, 1, { text: text(i) });
      const sums = sumsOf(region);
      expect(totalOf(region)).to.equal(300);
      expect(sums[OVERFLOW]! - refused, 'until it was asked for again').to.be.below(64);
      expect(Object.keys(sums).length).to.be.above(130);
    });

    it('registers a stream later that found no room when it was made', () => {
      const { writer, region } = makeWriter(2 ** 20);
      let stream = writer.stream(counter('before'), 10);
      withoutMemory(region, () => {
        for (let i = 0; i < 2000; i++) stream = writer.stream(counter(`after ${i}`), 10);
        recordTo(stream, 1, { a: 1 });
      });
      expect(stream.id).to.equal(-1);
      expect(region.lostMeasurements).to.equal(1);
      for (let i = 0; i < 64; i++) recordTo(stream, 1, { a: 1 });
      expect(totalOf(region, stream.description.name) + region.lostMeasurements).to.equal(65);
      expect(totalOf(region, stream.description.name)).to.be.above(0);
    });

    it('records when a slab is free that was not when it began', () => {
      const { writer, region } = makeWriter(2 ** 20);
      const own = region.ownership.mark;
      const owner = (slab: number): number => (SLAB_TABLE_OFFSET + slab * SLAB_BYTES) / 4 + SLAB_OWNER_WORD;
      for (let slab = 0; slab < SLAB_CAPACITY; slab++) region.words[owner(slab)] = process.pid;
      region.words[SLABS_USED_INDEX] = SLAB_CAPACITY;
      const isFree = region.ownership.isFree.bind(region.ownership);
      region.ownership.isFree = (slab, mark) => mark !== process.pid && isFree(slab, mark);
      const stream = writer.stream(counter('a'), 10);
      recordTo(stream, 1, { a: 1 });
      expect(region.lostMeasurements).to.equal(1);
      region.words[owner(7)] = ABANDONED;
      for (let i = 0; i < 2000; i++) recordTo(stream, 1, { a: 1 });
      expect(writer.slab).to.equal(7);
      expect(region.words[owner(7)]).to.equal(own);
      expect(totalOf(region) + region.lostMeasurements).to.equal(2001);
      expect(totalOf(region)).to.be.above(900);
    });
  });

  describe('in the heap', () => {
    it('survives a heap that is used up at any point of a change of its tables', () => {
      const real = globalThis.Int32Array;
      for (let allowed = 0; allowed < 12; allowed++) {
        const once = allowed % 2 === 0; // memory comes back, or not
        const { writer, region } = makeWriter(2 ** 24);
        const stream = writer.stream(counter('c'), 100_000);
        const model: Record<string, number> = {};
        let recorded = 0;
        const record = (times: number): void => {
          // Values that use many bits per key: the set of keys becomes hashed, and grows.
          for (let i = 0; i < times; i++, recorded++) {
            const attributes = {
              a: `${recorded % 500}`,
              b: `${(recorded * 7) % 499}`,
              c: `${recorded % 13}`,
            };
            recordTo(stream, 1, attributes);
            const key = JSON.stringify(Object.entries(attributes));
            model[key] = (model[key] ?? 0) + 1;
          }
        };
        record(3);
        let left = allowed >> 1;
        globalThis.Int32Array = new Proxy(real, {
          construct(target, args: [number]) {
            if (once ? left-- === 0 : left-- <= 0) throw new RangeError('Array buffer allocation failed');
            return new target(...args);
          },
        });
        try {
          record(600);
        } finally {
          globalThis.Int32Array = real;
        }
        expect(left, 'memory was asked for').to.be.below(0);
        record(600);
        record(600);
        const sums = sumsOf(region);
        expect(totalOf(region), `${allowed >> 1} allowed`).to.equal(recorded);
        for (const [key, sum] of Object.entries(sums))
          if (key !== OVERFLOW)
            expect(sum, `${key} counts others' measurements`).to.be.at.most(model[key] ?? 0);
      }
    });

    it('survives a stack that is nearly used up', () => {
      const { writer, region } = makeWriter(2 ** 24);
      const stream = writer.stream(counter('c'), 100_000);
      let recorded = 0;
      let thrown: unknown;
      const dive = (depth: number): void => {
        try {
          dive(depth + 1);
        } catch {
          // The stack ends here: calls that go less deep than the slow way succeed, the slow way may not.
        }
        if (thrown !== undefined || recorded > 3000) return;
        const attributes = { depth, more: [[[[[[depth]]]]]] };
        let entered = false;
        try {
          void identityOf(attributes).length; // as deep as a call needs at least
          entered = true;
          recorded++;
          recordTo(stream, 1, attributes);
        } catch (error) {
          if (!entered) return;
          recorded--;
          // A call that had no room even for its own frame throws, as every call does there.
          if (!(error instanceof RangeError)) thrown = error;
        }
      };
      dive(0);
      expect(thrown).to.equal(undefined);
      // Whatever was thrown on the way, the stream works and its table has no half-made series.
      const before = totalOf(region);
      for (let depth = 0; depth < 200; depth++) recordTo(stream, 1, { depth, more: [[[[[[depth]]]]]] });
      expect(totalOf(region)).to.equal(before + 200);
    });
  });
});
