import { expect } from 'chai';
import * as fc from 'fast-check';
import { RegionError } from '../../src/base/errors.ts';
import {
  canonicalAttributes,
  NO_ATTRIBUTES,
  OVERFLOW_ATTRIBUTES,
  type CanonicalAttributes,
} from '../../src/state/attributes.ts';
import { DirectoryTexts, MAX_TEXTS, TextNumbers } from '../../src/state/directory-texts.ts';
import * as records from '../../src/state/records.ts';
import { counter, gauge, histogram } from '../support/descriptions.ts';
import { hostileAttributes } from '../support/hostile-values.ts';

/** As the directory gives a payload back: padded with zeros. */
function padded(payload: Buffer): Buffer {
  return Buffer.concat([payload, Buffer.alloc(-payload.length & 3)]);
}

const series = { stream: 3, keySet: 7, cell: 123_456, startTime: 1.8e12 + 0.5 };

/** The series as a reader has it that has read no other. */
function decoded(payload: Buffer, keys: readonly string[], start = 0, end = payload.length) {
  const { values, ...numbers } = records.decodeSeries(payload, start, end);
  const read = { ...numbers, values };
  return { numbers, attributes: records.decodeSeriesAttributes(read, keys, new DirectoryTexts()) };
}

function expectSame(back: CanonicalAttributes, attributes: CanonicalAttributes): void {
  expect(back.keys).to.deep.equal(attributes.keys);
  back.values.forEach((value, i) => {
    const was = attributes.values[i];
    if (typeof was === 'object' && was !== null) expect(JSON.stringify(value)).to.equal(JSON.stringify(was));
    else expect(Object.is(value, was), `${String(value)} was ${String(was)}`).to.equal(true);
  });
}

describe('records', () => {
  it('of a series give back its numbers and attributes, whatever the values', () => {
    fc.assert(
      fc.property(hostileAttributes, (make) => {
        const attributes = canonicalAttributes(make(), () => {});
        const payload = padded(records.encodeSeries(series, attributes, new TextNumbers()));
        const back = decoded(payload, attributes.keys);
        expect(back.numbers).to.deep.equal(series);
        expectSame(back.attributes, attributes);
      }),
      { numRuns: 300 },
    );
  });

  it('of series give back their texts, whichever of them were published, and whoever wrote them', () => {
    const text = fc.oneof(fc.constantFrom('GET', 'POST', '/a', '', 'ü', '\ud800'), fc.string());
    const step = fc.record({
      values: fc.array(fc.oneof(text, fc.integer(), fc.boolean()), { maxLength: 4 }),
      isPublished: fc.boolean(),
      isHeir: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let writer = new TextNumbers();
        const reader = new DirectoryTexts();
        for (const { values, isPublished, isHeir } of steps) {
          if (isHeir) writer = new TextNumbers();
          const attributes = { keys: values.map((_, i) => `${i}`), values };
          const payload = padded(records.encodeSeries(series, attributes, writer));
          if (!isPublished) continue;
          writer.publish();
          expectSame(
            records.decodeSeriesAttributes(records.decodeSeries(payload), attributes.keys, reader),
            attributes,
          );
        }
      }),
    );
  });

  it('of series hold a text once, and then its number', () => {
    const texts = new TextNumbers();
    const attributes = canonicalAttributes({ a: 'a rather long text', b: 200 }, () => {});
    const first = records.encodeSeries(series, attributes, texts);
    texts.publish();
    const second = records.encodeSeries(series, attributes, texts);
    expect(first.length - second.length).to.equal('a rather long text'.length + 1);
    expect(second).to.have.length(16 + 1 + 1 + 2 + 3);
  });

  it('of series write texts in full when all numbers are used up', () => {
    const texts = new TextNumbers();
    const reader = new DirectoryTexts();
    for (let i = 0; i < MAX_TEXTS + 10; i++) {
      const attributes = { keys: ['a'], values: [`text ${i}`] };
      for (let turn = 0; turn < 2; turn++) {
        const payload = records.encodeSeries(series, attributes, texts);
        texts.publish();
        const back = records.decodeSeriesAttributes(records.decodeSeries(payload), ['a'], reader);
        expect(back.values).to.deep.equal(attributes.values);
        expect(payload.includes('text')).to.equal(turn === 0 || i >= MAX_TEXTS);
      }
    }
  });

  it('of a hostile directory name no text that is not there, and no number that nobody gives', () => {
    const texts = new TextNumbers();
    const attributes = { keys: ['a'], values: ['x'] };
    records.encodeSeries(series, attributes, texts);
    texts.publish();
    const known = records.encodeSeries(series, attributes, texts);
    const read = (payload: Buffer) => () =>
      records.decodeSeriesAttributes(records.decodeSeries(payload), ['a'], new DirectoryTexts());
    expect(read(known)).to.throw(RegionError, 'no text number 0');
    const numbered = (number: Buffer) => Buffer.concat([known.subarray(0, 18), Buffer.of(9), number]);
    expect(read(numbered(Buffer.of(0xff, 0x7f, 1, 65)))).to.throw(RegionError, 'text number 16383');
    expect(read(numbered(Buffer.alloc(8, 0xff)))).to.throw(RegionError, 'too many bytes');
    expect(read(numbered(Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 0x0f)))).to.throw(RegionError, 'ends within');
  });

  it('keep the cell apart from the rest: it is written in later', () => {
    const attributes = canonicalAttributes({ a: 'x', b: 2 }, () => {});
    const payload = records.encodeSeries({ ...series, cell: 0 }, attributes, new TextNumbers());
    records.setSeriesCell(payload, 2 ** 32 - 1);
    const back = decoded(payload, ['a', 'b']);
    expect(back.numbers).to.deep.equal({ ...series, cell: 2 ** 32 - 1 });
    expect(back.attributes).to.deep.equal(attributes);
  });

  it('of series are right however long they are', () => {
    for (let length = 0; length < 300; length++) {
      const values = ['x'.repeat(length), 0.5, 'y'.repeat(50), '\ud800', true, [length], 300];
      const attributes = { keys: values.map((_, i) => `${i}`), values };
      const payload = records.encodeSeries(series, attributes, new TextNumbers());
      expectSame(decoded(payload, attributes.keys).attributes, attributes);
    }
  });

  it('hold streams and key sets of any number', () => {
    for (const number of [0, 1, 126, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32 - 2]) {
      const many = { ...series, stream: number, keySet: number };
      const payload = records.encodeSeries(many, NO_ATTRIBUTES, new TextNumbers());
      expect(decoded(payload, []).numbers).to.deep.equal(many);
    }
  });

  it('of a series are read where they lie among others, and not beyond their end', () => {
    const attributes = canonicalAttributes({ a: 'text', b: 2, c: 0.5 }, () => {});
    const payload = records.encodeSeries(series, attributes, new TextNumbers());
    const among = Buffer.concat([Buffer.alloc(40, 1), payload, Buffer.alloc(40, 1)]);
    const end = 40 + payload.length;
    const back = decoded(among, ['a', 'b', 'c'], 40, end);
    expect(back.numbers).to.deep.equal(series);
    expect(back.attributes).to.deep.equal(attributes);
    for (let short = 1; short <= payload.length; short++)
      expect(() => decoded(among, ['a', 'b', 'c'], 40, end - short), `${short}`).to.throw(
        RegionError,
        'ends within',
      );
  });

  it('of the overflow series hold no values, and give back the one overflow object', () => {
    const overflow = { ...series, keySet: records.OVERFLOW_KEY_SET };
    const payload = records.encodeSeries(overflow, OVERFLOW_ATTRIBUTES, new TextNumbers());
    expect(payload).to.have.length(18);
    const back = decoded(padded(payload), []);
    expect(back.numbers).to.deep.equal(overflow);
    expect(back.attributes).to.equal(OVERFLOW_ATTRIBUTES);
  });

  it('of key sets give back every key, lone surrogates and zeros too', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (keys) => {
        const odd = [...keys, '\ud800', 'a\0b', '__proto__', ''];
        expect(records.decodeJson(padded(records.encodeJson(odd)))).to.deep.equal(odd);
      }),
    );
  });

  it('of streams give back what makes their identity', () => {
    const streams = [counter('a'), gauge('\ud800\0"'), histogram('h', [0.1, 5, 1e300])];
    for (const stream of streams) {
      const back = records.decodeJson(padded(records.encodeJson(stream))) as records.StreamDescription;
      expect(records.streamKey(back)).to.equal(records.streamKey(stream));
    }
  });

  describe('streamKey', () => {
    const base = histogram('name', [1, 2]);

    it('tells streams apart by each field that counts', () => {
      const others: records.StreamDescription[] = [
        { ...base, scope: { ...base.scope, name: 'other' } },
        { ...base, scope: { ...base.scope, version: '2' } },
        { ...base, scope: { ...base.scope, schemaUrl: 'https://example.org' } },
        { ...base, scope: { ...base.scope, schemaUrl: '' } },
        { ...base, scope: { ...base.scope, attributes: { a: 1 } } },
        { ...base, scope: { ...base.scope, attributes: { a: '1' } } },
        { ...base, selection: 'default' },
        { ...base, selection: 'sum' },
        { ...base, viewIndex: 1 },
        { ...base, name: 'names' },
        { ...base, unit: 's' },
        { ...base, kind: 'COUNTER' },
        { ...base, integer: true },
        { ...base, aggregation: { ...base.aggregation, boundaries: [1, 3] } },
        { ...base, aggregation: { ...base.aggregation, boundaries: [1] } },
        { ...base, aggregation: { ...base.aggregation, recordMinMax: false } },
        { ...base, aggregation: { ...base.aggregation, hasSum: false } },
        { ...base, aggregation: { type: 'sum', monotonic: true } },
        { ...base, aggregation: { type: 'sum', monotonic: false } },
        { ...base, aggregation: { type: 'last-value' } },
      ];
      const keys = [base, ...others].map(records.streamKey);
      expect(new Set(keys).size).to.equal(keys.length);
    });

    it('does not mind the description, the limit and the time, nor upper and lower case in the name', () => {
      for (const same of [
        { description: 'longer', name: 'NaMe' },
        { created: 1 },
        { cardinalityLimit: 7 },
        { viewIndex: 0 },
      ])
        expect(records.streamKey({ ...base, ...same })).to.equal(records.streamKey(base));
    });

    it('cannot be forged with the separators of its text', () => {
      const a = { ...base, scope: { name: 'a","b', version: '', schemaUrl: undefined } };
      const b = { ...base, scope: { name: 'a', version: 'b', schemaUrl: undefined } };
      expect(records.streamKey(a)).to.not.equal(records.streamKey(b));
    });
  });
});
