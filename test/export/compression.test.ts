import { expect } from 'chai';
import * as fc from 'fast-check';
import * as zlib from 'node:zlib';
import { CODINGS, compressed, inPieces } from '../../src/export/compression.ts';
import { hasZstd, zstdText } from '../support/zstd.ts';

const pieces = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: 1, max: 50 }))
      .map(([length, period]) => Uint8Array.from({ length }, (_, i) => i % period)),
  ),
  { maxLength: 6 },
);
describe('compressed', () => {
  it('is one gzip member, whatever the pieces are', () => {
    fc.assert(
      fc.property(pieces, (arrays) => {
        const plain = arrays.map((bytes) => Buffer.from(bytes));
        const gzip = Buffer.concat([...compressed(plain, 'gzip')]);
        expect(zlib.gunzipSync(gzip).equals(Buffer.concat(plain))).to.equal(true);
        // A second member would begin where the first has ended.
        const raw = zlib.inflateRawSync(gzip.subarray(10), { info: true }) as unknown as {
          readonly engine: { readonly bytesWritten: number };
        };
        expect(10 + raw.engine.bytesWritten + 8).to.equal(gzip.length);
      }),
      { numRuns: 30 },
    );
  });

  it('is zstd where Node has it', function () {
    if (!hasZstd) {
      expect(CODINGS).to.deep.equal(['gzip']);
      this.skip();
    }
    fc.assert(
      fc.property(pieces, (arrays) => {
        const plain = arrays.map((bytes) => Buffer.from(bytes));
        expect(zstdText(Buffer.concat([...compressed(plain, 'zstd')])).equals(Buffer.concat(plain))).to.equal(
          true,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('is made in pieces, whose size does not depend on those of the text', () => {
    const bytes = 2 ** 20;
    for (const plain of [[Buffer.alloc(bytes, 'ab')], Array(bytes / 64).fill(Buffer.alloc(64, 'ab'))])
      expect([...compressed(plain, 'gzip')].length).to.be.within(10, 2 + bytes / 65_536);
  });

  it('is whole where pieces are empty before one that is cut up', () => {
    const plain = [Buffer.alloc(0), Buffer.alloc(130_000, 'abc'), Buffer.alloc(0), Buffer.alloc(10, 'd')];
    for (const coding of CODINGS as ('gzip' | 'zstd')[]) {
      const whole = Buffer.concat([...compressed(plain, coding)]);
      const text = coding === 'zstd' ? zstdText(whole) : zlib.gunzipSync(whole);
      expect(text.equals(Buffer.concat(plain))).to.equal(true);
    }
  });

  it('keeps no more memory than it has bytes', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `requests_total{route="/${i}"} ${i * 7919}\n`);
    for (const coding of CODINGS as ('gzip' | 'zstd')[]) {
      const pieces = [...compressed([Buffer.from(lines.join(''))], coding)];
      const kept = new Set(pieces.map(({ buffer }) => buffer));
      const bytes = [...kept].reduce((sum, { byteLength }) => sum + byteLength, 0);
      expect(bytes, coding).to.equal(Buffer.concat(pieces).length);
    }
  });

  it('takes little more room than all at once', () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) => `http_requests_total{route="/${i}"} ${i * 7919}\n`,
    );
    const plain = Buffer.from(lines.join(''));
    const size = Buffer.concat([...compressed([plain], 'gzip')]).length;
    expect(size).to.be.below(1.03 * zlib.gzipSync(plain, { level: 1 }).length);
  });
});

describe('inPieces', () => {
  it('hands on all bytes, in pieces of at most twice the size', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 100_000 }), (arrays, size) => {
        const plain = arrays.map((bytes) => Buffer.from(bytes));
        const joining = { upTo: size, join: (small: readonly Buffer[]) => Buffer.concat(small) };
        const cut = [...inPieces(plain, Math.max(size, 1000), joining)];
        expect(Buffer.concat(cut).equals(Buffer.concat(plain))).to.equal(true);
        for (const { length } of cut) expect(length).to.be.at.most(2 * Math.max(size, 1000));
      }),
      { numRuns: 50 },
    );
  });

  it('joins what fits, and hands on what is larger without a copy', () => {
    const sizes = [10, 20, 5000, 10, 4090, 30];
    const plain = sizes.map((size) => Buffer.alloc(size, 'x'));
    const joins: number[][] = [];
    const join = (small: readonly Buffer[]): Buffer => {
      joins.push(small.map(({ length }) => length));
      return Buffer.concat(small);
    };
    const cut = [...inPieces(plain, 65_536, { upTo: 4096, join })];
    expect(joins).to.deep.equal([[10, 20]]);
    expect(cut.map(({ length }) => length)).to.deep.equal([30, 5000, 10, 4090, 30]);
    expect(cut[1]!.buffer).to.equal(plain[2]!.buffer);
  });
});
