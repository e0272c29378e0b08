import { expect } from 'chai';
import * as fc from 'fast-check';
import { Region } from '../../src/memory/region.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { identityOf, attributeObjects } from '../support/attribute-model.ts';
import { counter, gauge, histogram } from '../support/descriptions.ts';
import { hostileAttributes } from '../support/hostile-values.ts';
import { seriesOf, sumsOf, totalOf } from '../support/region-contents.ts';
import { collectWarnings } from '../support/warnings.ts';
import { recordTo } from '../support/record-to.ts';

const OVERFLOW = '[["otel.metric.overflow",true]]';

function makeWriter(maxBytes = 2 ** 22): { writer: StoreWriter; region: Region } {
  const region = Region.create(maxBytes);
  return { writer: new StoreWriter(region), region };
}

describe('StreamWriter', () => {
  let log: ReturnType<typeof collectWarnings>;
  beforeEach(() => (log = collectWarnings()));
  afterEach(() => log.stop());

  describe('the identity of series', () => {
    it('is that of a map keyed by the JSON of the sorted entries, whatever is met in whatever order', () => {
      fc.assert(
        fc.property(fc.array(attributeObjects, { maxLength: 50 }), (objects) => {
          const { writer, region } = makeWriter();
          const stream = writer.stream(counter('c'), 2000);
          const model = new Map<string, number>();
          for (const attributes of objects) {
            recordTo(stream, 1, attributes);
            const identity = identityOf(attributes);
            model.set(identity, (model.get(identity) ?? 0) + 1);
          }
          const live = seriesOf(region).filter((series) => series.live);
          expect(live.map(({ values }) => values[0]).sort()).to.deep.equal([...model.values()].sort());
        }),
        { numRuns: 60 },
      );
    });

    it('is that of the attributes which are kept, whichever way a measurement comes', () => {
      const keepers = [undefined, (key: string) => key < 'b', (key: string) => key !== 'a', () => false];
      const measurements = fc.array(fc.tuple(attributeObjects, fc.constantFrom(...keepers)), {
        maxLength: 60,
      });
      fc.assert(
        fc.property(measurements, (given) => {
          const { writer, region } = makeWriter();
          const stream = writer.stream(counter('c'), 2000);
          const model = new Map<string, number>();
          for (const [attributes, keeps] of given) {
            const way = stream.lookupFor(keeps);
            for (let i = 0; i < 2; i++) stream.record(1, attributes, undefined, way);
            stream.bind(attributes, way).record(1);
            const kept = Object.entries(attributes).filter(([key]) => keeps?.(key) !== false);
            const identity = identityOf(Object.fromEntries(kept));
            model.set(identity, (model.get(identity) ?? 0) + 3);
          }
          const live = seriesOf(region).filter((series) => series.live);
          expect(live.map(({ values }) => values[0]).sort()).to.deep.equal([...model.values()].sort());
        }),
        { numRuns: 60 },
      );
    });

    it('has one way for each rule about keys, however often it is asked for', () => {
      const stream = makeWriter().writer.stream(counter('c'), 10);
      const keeps = (): boolean => true;
      expect(stream.lookupFor(keeps)).to.equal(stream.lookupFor(keeps));
      expect(stream.lookupFor(keeps)).to.not.equal(stream.lookupFor(() => true));
    });

    it('takes undefined, null and {} for one series', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 10);
      for (const attributes of [null, undefined, {}, undefined, null, Object.create(null)])
        recordTo(stream, 1, attributes);
      expect(sumsOf(region)).to.deep.equal({ '[]': 6 });
    });

    it('keeps the attributes as they were when the series was made', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 10);
      const attributes: Record<string, unknown> = { list: ['a'], n: 1 };
      recordTo(stream, 1, attributes);
      (attributes['list'] as string[]).push('b');
      attributes['n'] = 2;
      expect(sumsOf(region)).to.deep.equal({ '[["list",["a"]],["n",1]]': 1 });
      recordTo(stream, 1, attributes);
      recordTo(stream, 1, { n: 1, list: ['a'] });
      expect(sumsOf(region)).to.deep.equal({
        '[["list",["a"]],["n",1]]': 2,
        '[["list",["a","b"]],["n",2]]': 1,
      });
    });

    it('never throws and loses nothing, whatever is passed', () => {
      fc.assert(
        fc.property(fc.array(hostileAttributes, { minLength: 1, maxLength: 12 }), (makes) => {
          const { writer, region } = makeWriter(2 ** 24);
          const stream = writer.stream(counter('c'), 5);
          for (const make of makes) recordTo(stream, 1, make());
          for (const make of makes) stream.bind(make()).record(1);
          expect(totalOf(region)).to.equal(2 * makes.length);
          expect(region.lostMeasurements).to.equal(0);
        }),
        { numRuns: 40 },
      );
    });

    it('survives a logger that throws, and one that records', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 1);
      log.warnings.push = () => {
        recordTo(stream, 1, { from: 'logger' });
        throw new Error('logger on purpose');
      };
      for (let i = 0; i < 5; i++) recordTo(stream, 1, { i });
      recordTo(stream, 1, 'no object');
      expect(totalOf(region)).to.equal(5 + 1 + 2);
    });

    it('survives getters that record to the same stream', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 2000);
      for (let i = 0; i < 20; i++) recordTo(stream, 1, { a: `a${i}`, b: i });
      let recorded = 20;
      for (let round = 0; round < 100; round++) {
        const attributes = Object.defineProperty({ a: `a${round % 20}` }, 'b', {
          get: () => {
            recordTo(stream, 1, { a: `new${round}`, b: `new${round}` });
            recorded++;
            return round % 20;
          },
          enumerable: true,
        });
        recordTo(stream, 1, attributes);
        recorded++;
      }
      expect(totalOf(region)).to.equal(recorded);
      const sums = sumsOf(region);
      for (let i = 0; i < 20; i++) expect(sums[`[["a","a${i}"],["b",${i}]]`]).to.equal(6);
    });
  });

  describe('the cardinality limit', () => {
    for (const limit of [1, 2, 3, 10, 100])
      it(`of ${limit} admits ${limit} sets, then none, for good`, () => {
        const { writer, region } = makeWriter();
        const stream = writer.stream(counter('c'), limit);
        for (let round = 1; round <= 3; round++) {
          for (let i = 0; i < limit; i++) recordTo(stream, 1, i === 0 ? undefined : { i });
          if (round === 1) {
            expect(sumsOf(region), 'no overflow up to the limit').to.not.have.property(OVERFLOW);
            expect(log.warnings).to.deep.equal([]);
          }
          for (let i = 0; i < 50; i++) recordTo(stream, 1, { i: limit + i });
          const sums = sumsOf(region);
          expect(Object.keys(sums)).to.have.length(limit + 1);
          expect(sums[OVERFLOW]).to.equal(50 * round);
          expect(sums['[]']).to.equal(round);
          expect(totalOf(region)).to.equal((limit + 50) * round);
        }
        expect(log.warnings).to.have.length(1);
        expect(log.warnings[0]).to.include('metric c').and.include(`limit of ${limit}`);
      });

    it('reserves the overflow series, and does not report it before it is used', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 1);
      const overflow = () => seriesOf(region).filter((series) => series.overflow);
      expect(overflow().map(({ live }) => live)).to.deep.equal([false]);
      recordTo(stream, 1, { a: 1 });
      expect(overflow().map(({ live }) => live)).to.deep.equal([false]);
      recordTo(stream, 1, { a: 2 });
      expect(overflow().map(({ live, values }) => [live, ...values])).to.deep.equal([[true, 1]]);
    });

    it('tells the overflow series from one that a user names so', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 1);
      recordTo(stream, 1, { 'otel.metric.overflow': true });
      recordTo(stream, 1, { a: 2 });
      expect(
        seriesOf(region)
          .filter(({ live }) => live)
          .map(({ overflow }) => overflow)
          .sort(),
      ).to.deep.equal([false, true]);
    });

    it('is raised and never lowered when the stream is asked for again', () => {
      const { writer, region } = makeWriter();
      const stream = writer.stream(counter('c'), 2);
      for (let i = 0; i < 3; i++) recordTo(stream, 1, { i });
      expect(writer.stream(counter('c'), 3)).to.equal(stream);
      for (let i = 0; i < 4; i++) recordTo(stream, 1, { i });
      writer.stream(counter('c'), 1);
      for (let i = 0; i < 4; i++) recordTo(stream, 1, { i });
      expect(sumsOf(region)).to.deep.equal({ '[["i",0]]': 3, '[["i",1]]': 3, '[["i",2]]': 2, [OVERFLOW]: 3 });
    });

    it('holds for each stream by itself, and for bound instruments', () => {
      const { writer, region } = makeWriter();
      const [a, b] = [writer.stream(counter('a'), 1), writer.stream(counter('b'), 1)];
      recordTo(a, 1, { i: 0 });
      const bound = [0, 1, 2].map((i) => b.bind({ i }));
      bound.forEach((series) => series.record(1));
      recordTo(a, 1, { i: 1 });
      expect(sumsOf(region, 'a')).to.deep.equal({ '[["i",0]]': 1, [OVERFLOW]: 1 });
      expect(sumsOf(region, 'b')).to.deep.equal({ '[["i",0]]': 1, [OVERFLOW]: 2 });
    });

    it('holds for histograms and gauges', () => {
      const { writer, region } = makeWriter();
      const [h, g] = [writer.stream(histogram('h', [1, 10]), 1), writer.stream(gauge('g'), 1)];
      for (let i = 0; i < 4; i++) recordTo(h, i * 4, { i });
      for (let i = 0; i < 4; i++) recordTo(g, i, { i });
      const values = (name: string) =>
        seriesOf(region)
          .filter(({ stream, live }) => stream.name === name && live)
          .map((series) => [series.overflow, ...series.values]);
      expect(values('h')).to.have.deep.members([
        [false, 1, 0, 0, 0, 1, 0, 0],
        [true, 3, 24, 4, 12, 0, 2, 1],
      ]);
      expect(values('g').map(([overflow, value]) => [overflow, value])).to.have.deep.members([
        [false, 0],
        [true, 3],
      ]);
    });
  });

  it('reaches cells beyond what the buffer was long when the stream was made', () => {
    const { writer, region } = makeWriter(2 ** 24);
    const early = writer.stream(counter('early'), 1e5);
    const bound = early.bind({ i: -1 });
    const other = writer.stream(histogram('other', [1, 2, 3]), 1e5);
    for (let i = 0; i < 6000; i++) recordTo(other, i, { i });
    expect(region.byteLength).to.be.above(2 ** 20);
    for (let i = 0; i < 200; i++) recordTo(early, 1, { i });
    bound.record(1);
    expect(totalOf(region, 'early')).to.equal(201);
  });
});
