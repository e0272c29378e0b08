import { expect } from 'chai';
import * as fc from 'fast-check';
import { canonicalAttributes, OVERFLOW_ATTRIBUTES } from '../../src/state/attributes.ts';
import * as R from '../../src/state/records.ts';
import { counter, gauge, histogram } from '../support/descriptions.ts';
import { hostileAttributes } from '../support/hostile-values.ts';

/** As the directory gives a payload back: padded with zeros to a multiple of 8. */
function padded(payload: Buffer): Buffer {
  return Buffer.concat([payload, Buffer.alloc(-payload.length & 7)]);
}

const series = { stream: 3, keySet: 7, cell: 123_456, startTime: 1.8e12 + 0.5 };

describe('records', () => {
  it('of a series give back its numbers and attributes, whatever the values', () => {
    fc.assert(
      fc.property(hostileAttributes, (make) => {
        const attributes = canonicalAttributes(make(), () => {});
        const payload = padded(R.encodeSeries(series, attributes));
        expect(R.decodeSeries(payload)).to.deep.equal(series);
        const back = R.decodeSeriesAttributes(payload, series.keySet, attributes.keys);
        expect(back.keys).to.deep.equal(attributes.keys);
        back.values.forEach((value, i) => {
          const was = attributes.values[i];
          if (typeof was === 'object' && was !== null)
            expect(JSON.stringify(value)).to.equal(JSON.stringify(was));
          else expect(Object.is(value, was), `${String(value)} was ${String(was)}`).to.equal(true);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('keep the cell apart from the rest: it is written in later', () => {
    const attributes = canonicalAttributes({ a: 'x', b: 2 }, () => {});
    const payload = R.encodeSeries({ ...series, cell: 0 }, attributes);
    R.setSeriesCell(payload, 2 ** 32 - 1);
    expect(R.decodeSeries(payload)).to.deep.equal({ ...series, cell: 2 ** 32 - 1 });
    expect(R.decodeSeriesAttributes(payload, 7, ['a', 'b'])).to.deep.equal(attributes);
  });

  it('of a series are read where they lie among others, and not beyond their end', () => {
    const attributes = canonicalAttributes({ a: 'text', b: 2 }, () => {});
    const payload = R.encodeSeries(series, attributes);
    const among = Buffer.concat([Buffer.alloc(40, 1), payload, Buffer.alloc(40, 1)]);
    const end = 40 + payload.length;
    expect(R.decodeSeries(among, 40)).to.deep.equal(series);
    expect(R.decodeSeriesAttributes(among, 7, ['a', 'b'], undefined, 40, end)).to.deep.equal(attributes);
    for (const short of [1, 9, 10, payload.length])
      expect(() => R.decodeSeriesAttributes(among, 7, ['a', 'b'], undefined, 40, end - short)).to.throw(
        'ends within',
      );
  });

  it('of the overflow series hold no values, and give back the one overflow object', () => {
    const payload = padded(R.encodeSeries({ ...series, keySet: R.OVERFLOW_KEY_SET }, OVERFLOW_ATTRIBUTES));
    expect(payload).to.have.length(24);
    expect(R.decodeSeriesAttributes(payload, R.OVERFLOW_KEY_SET, [])).to.equal(OVERFLOW_ATTRIBUTES);
  });

  it('of key sets give back every key, lone surrogates and zeros too', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (keys) => {
        const odd = [...keys, '\ud800', 'a\0b', '__proto__', ''];
        expect(R.decodeJson(padded(R.encodeJson(odd)))).to.deep.equal(odd);
      }),
    );
  });

  it('of streams give back what makes their identity', () => {
    const streams = [counter('a'), gauge('\ud800\0"'), histogram('h', [0.1, 5, 1e300])];
    for (const stream of streams) {
      const back = R.decodeJson(padded(R.encodeJson(stream))) as R.StreamDescription;
      expect(R.streamKey(back)).to.equal(R.streamKey(stream));
    }
  });

  describe('streamKey', () => {
    const base = histogram('name', [1, 2]);

    it('tells streams apart by each field that counts', () => {
      const others: R.StreamDescription[] = [
        { ...base, scope: { ...base.scope, name: 'other' } },
        { ...base, scope: { ...base.scope, version: '2' } },
        { ...base, scope: { ...base.scope, schemaUrl: 'https://example.org' } },
        { ...base, scope: { ...base.scope, schemaUrl: '' } },
        { ...base, scope: { ...base.scope, attributes: { a: 1 } } },
        { ...base, scope: { ...base.scope, attributes: { a: '1' } } },
        { ...base, selection: 'default' },
        { ...base, selection: 'sum' },
        { ...base, twin: 1 },
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
      const keys = [base, ...others].map(R.streamKey);
      expect(new Set(keys).size).to.equal(keys.length);
    });

    it('does not mind the description, the limit and the time, nor upper and lower case in the name', () => {
      for (const same of [
        { description: 'longer', name: 'NaMe' },
        { created: 1 },
        { cardinalityLimit: 7 },
        { twin: 0 },
      ])
        expect(R.streamKey({ ...base, ...same })).to.equal(R.streamKey(base));
    });

    it('cannot be forged with the separators of its text', () => {
      const a = { ...base, scope: { name: 'a","b', version: '', schemaUrl: undefined } };
      const b = { ...base, scope: { name: 'a', version: 'b', schemaUrl: undefined } };
      expect(R.streamKey(a)).to.not.equal(R.streamKey(b));
    });
  });
});
