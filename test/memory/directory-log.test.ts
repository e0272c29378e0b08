import { expect } from 'chai';
import { RegionError } from '../../src/base/errors.ts';
import {
  CHANGING_BYTES,
  CHANGING_KINDS,
  DirectoryLog,
  ExtentCursor,
  readRecord,
  RECORD_HEADER_BYTES,
} from '../../src/memory/directory-log.ts';
import * as layout from '../../src/memory/layout.ts';
import { Region } from '../../src/memory/region.ts';
import { copyOf, everyStep } from '../support/every-step.ts';
import { extentsOf, recordsOf } from '../support/region-contents.ts';

const MIB = 2 ** 20;
const KIND = 9;

/** A payload that no other one is like, and no run of it is zero. */
function payloadOf(bytes: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, i) => 1 + ((seed * 31 + i) % 250)));
}

function unpadded(payload: Buffer, bytes: number): Buffer {
  expect(payload.length - bytes).to.be.within(0, 3);
  expect(
    [...payload.subarray(bytes)].every((byte) => byte === 0),
    'padding',
  ).to.equal(true);
  return payload.subarray(0, bytes);
}

/** Places and appends; the cell's first word is set, so that it is seen whether cells are whole. */
function append(log: DirectoryLog, region: Region, payload: Buffer, cellWords: number): number {
  const cell = log.place(payload.length, cellWords);
  expect(cell).to.be.at.least(0);
  if (cellWords > 0) region.doubles[cell] = 1234.5;
  log.append(KIND, payload, cellWords);
  return cell;
}

function readAll(region: Region, extentIndex = 0): Buffer[] {
  const cursor = new ExtentCursor(region, extentsOf(region)[extentIndex]!);
  const payloads = [];
  for (let record; (record = cursor.next()) !== undefined;) payloads.push(record.payload);
  return payloads;
}

describe('DirectoryLog', () => {
  it('gives back what was appended, over many extents, in order, whatever the lengths', () => {
    const region = Region.create(8 * MIB);
    const log = new DirectoryLog(region, 3);
    const payloads = Array.from({ length: 300 }, (_, i) => payloadOf((i * i * 7) % 3000, i));
    const cells = payloads.map((payload, i) => append(log, region, payload, i % 4));
    const records = recordsOf(region);
    expect(records).to.have.length(300);
    records.forEach(({ slab, kind, payload }, i) => {
      expect([slab, kind]).to.deep.equal([3, KIND]);
      expect(unpadded(payload, payloads[i]!.length).equals(payloads[i]!)).to.equal(true);
    });
    const taken = cells.flatMap((cell, i) => (i % 4 === 0 ? [] : [{ from: cell, to: cell + (i % 4) }]));
    taken.sort((a, b) => a.from - b.from);
    for (let i = 1; i < taken.length; i++) expect(taken[i]!.from).to.be.at.least(taken[i - 1]!.to);
    for (const extent of extentsOf(region)) {
      const used = region.words[(extent.offset >> 2) + layout.EXTENT_USED_WORD]!;
      for (const { from } of taken.filter(
        (t) => t.from * 8 >= extent.offset && t.from * 8 < extent.offset + extent.bytes,
      ))
        expect(from * 8, 'a cell lies in the directory').to.be.at.least(extent.offset + used);
    }
  });

  it('claims an eighth of what it has at a time, 16 KiB at least and 1 MiB at most', () => {
    const region = Region.create(16 * MIB);
    const log = new DirectoryLog(region, 0);
    for (let i = 0; i < 3900; i++) append(log, region, payloadOf(4000, 1), 0); // some 15 MiB
    const sizes = extentsOf(region).map(({ bytes }) => bytes / 1024);
    let held = 0;
    for (const size of sizes) {
      expect(size).to.equal(Math.max(16, Math.min(1024, Math.floor(held / 8 / 4) * 4)), `after ${held} KiB`);
      held += size;
    }
    expect(sizes.slice(0, 14)).to.deep.equal([...Array.from({ length: 10 }, () => 16), 20, 20, 24, 28]);
    expect(sizes.slice(-2)).to.deep.equal([1024, 1024]);
  });

  it('goes on claiming as the owner before would have', () => {
    const region = Region.create(16 * MIB);
    const log = new DirectoryLog(region, 0);
    for (let i = 0; i < 500; i++) append(log, region, payloadOf(4000, 1), 0);
    const extents = extentsOf(region);
    const held = extents.reduce((sum, { bytes }) => sum + bytes, 0);
    const next = new DirectoryLog(region, 0);
    const last = extents.at(-1)!;
    next.resume(last, region.words[(last.offset >> 2) + layout.EXTENT_USED_WORD]!, undefined, held);
    while (extentsOf(region).length === extents.length) append(next, region, payloadOf(4000, 1), 0);
    expect(extentsOf(region).at(-1)!.bytes).to.equal(Math.floor(held / 8 / 4096) * 4096);
  });

  it('makes an extent large enough for one record of 3 MB, and says -1 of what the region cannot hold', () => {
    const region = Region.create(4 * MIB);
    const log = new DirectoryLog(region, 0);
    append(log, region, payloadOf(10, 1), 1);
    append(log, region, payloadOf(3 * MIB, 2), 1);
    expect(readAll(region, 1)[0]!.length).to.be.at.least(3 * MIB);
    for (const bytes of [MIB, 2 ** 30, 2 ** 31 - 8, 2 ** 31, 2 ** 32 + 8])
      expect(log.place(bytes, 1), `${bytes}`).to.equal(-1);
    expect(log.place(100, 1), 'what is small still fits').to.be.above(0);
  });

  it('uses what is left when the next extent does not fit any more', () => {
    const region = Region.create(layout.SMALLEST_MAX_BYTES);
    const log = new DirectoryLog(region, 0);
    let records = 0;
    while (log.place(1000, 4) > 0) {
      append(log, region, payloadOf(1000, records++), 4);
    }
    expect(records * (1000 + RECORD_HEADER_BYTES + 32)).to.be.above(
      0.9 * (layout.SMALLEST_MAX_BYTES - layout.EXTENTS_OFFSET),
    );
    expect(recordsOf(region)).to.have.length(records);
  });

  it('takes nothing until a record is appended', () => {
    const region = Region.create(MIB);
    const log = new DirectoryLog(region, 0);
    expect(log.place(100, 3)).to.equal(log.place(100, 3));
    expect(readAll(region)).to.deep.equal([]);
  });

  describe('publish last (R7)', () => {
    it('a reader sees a record and its cell whole or not at all, at every step of the writer', () => {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      const payloads = [70, 0, 13, 8000, 9000, 40].map(payloadOf); // the fifth needs a new extent
      const cells: number[] = [];
      const seen = new Set<number>();
      payloads.forEach((payload, i) => {
        let steps = 0;
        everyStep(
          region,
          () => cells.push(append(log, region, payload, 2)),
          () => {
            steps++;
            const reader = Region.attach(region.buffer);
            const records = recordsOf(reader);
            seen.add(records.length);
            expect(records.length).to.be.within(i, i + 1);
            records.forEach((record, r) => {
              expect(unpadded(record.payload, payloads[r]!.length).equals(payloads[r]!)).to.equal(true);
            });
            // A published record's cell is whole.
            for (let r = 0; r < Math.min(records.length, cells.length); r++)
              expect(reader.doubles[cells[r]!]).to.equal(1234.5);
          },
        );
        expect(steps).to.be.above(payload.length / 8);
        expect(recordsOf(region)).to.have.length(i + 1);
      });
      expect([...seen]).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
      expect(extentsOf(region)).to.have.length(2);
    });

    it('a cursor that was at the end before goes on when the next record is published', () => {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      append(log, region, payloadOf(5, 1), 0);
      const cursor = new ExtentCursor(region, extentsOf(region)[0]!);
      for (let i = 0; i < 20; i++) {
        expect(cursor.next()).to.not.equal(undefined);
        expect(cursor.next()).to.equal(undefined);
        append(log, region, payloadOf(i, i), 1);
      }
    });
  });

  describe('resume', () => {
    /** Dies at each step of an append, and lets another thread go on in a copy of what is left. */
    it('ignores what a dead owner had not published, writes over it, and gives zeroed cells', () => {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      const first = append(log, region, payloadOf(100, 1), 7);
      let deaths = 0;
      let lost = 0;
      everyStep(
        region,
        () => {
          const cell = log.place(200, 9);
          region.doubles.fill(6.5, cell, cell + 9); // as a histogram's init does
          log.append(KIND, payloadOf(200, 2), 9);
        },
        () => {
          deaths++;
          const left = Region.attach(copyOf(region.buffer));
          const [extent] = extentsOf(left);
          const cursor = new ExtentCursor(left, extent!);
          let published = 0;
          while (cursor.next() !== undefined) published++;
          if (published === 1) lost++;
          const next = new DirectoryLog(left, 0);
          next.resume(extent!, cursor.readTo, published === 1 ? first : first - 9, extent!.bytes);
          for (const words of [20, 3, 50]) {
            const cell = next.place(24, words);
            expect(cell).to.be.below(first);
            expect(
              [...left.doubles.subarray(cell, cell + words)].every((word) => word === 0),
              'cell is zero',
            ).to.equal(true);
            left.doubles.fill(1, cell, cell + words);
            next.append(KIND, payloadOf(24, words), words);
          }
          expect(left.doubles[first]).to.equal(1234.5);
          const payloads = readAll(left);
          expect(payloads).to.have.length(published + 3);
          expect(payloads[published]!.equals(payloadOf(24, 20))).to.equal(true);
        },
      );
      expect(deaths).to.be.above(25);
      expect(lost).to.be.above(25);
    });

    it('goes on in an extent that was claimed and never written to', () => {
      const region = Region.create(MIB);
      const extent = region.claimExtent(0, 16_384)!;
      const log = new DirectoryLog(region, 0);
      const cursor = new ExtentCursor(region, extent);
      expect(cursor.next()).to.equal(undefined);
      log.resume(extent, cursor.readTo, undefined, extent.bytes);
      const cell = append(log, region, payloadOf(50, 1), 5);
      expect(cell * 8 + 40).to.equal(extent.offset + extent.bytes);
      expect(recordsOf(region)).to.have.length(1);
      expect(extentsOf(region)).to.have.length(1);
    });

    it('goes on in an extent that is full to the last byte', () => {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      append(
        log,
        region,
        payloadOf(layout.FIRST_EXTENT_BYTES - layout.EXTENT_HEADER_BYTES - RECORD_HEADER_BYTES - 8, 1),
        1,
      );
      const [extent] = extentsOf(region);
      const next = new DirectoryLog(region, 0);
      next.resume(extent!, extent!.bytes - 8, (extent!.offset + extent!.bytes - 8) >> 3, extent!.bytes);
      append(next, region, payloadOf(1, 2), 1);
      expect(extentsOf(region).map(({ bytes }) => bytes)).to.deep.equal([16_384, 16_384]);
      expect(recordsOf(region)).to.have.length(2);
    });
  });

  describe('readRecord', () => {
    function oneRecord(): { region: Region; at: number; bytes: number } {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      expect(log.place(50, 0)).to.equal(0);
      return { region, at: log.append(KIND, payloadOf(50, 1), 0), bytes: 60 };
    }

    it('says E_CRC of any bit that changed, in payload, kind or crc', () => {
      const { region, at, bytes } = oneRecord();
      for (let i = 3; i < bytes; i++) {
        region.bytes[at + i]! ^= 1 << (i % 8);
        expect(() => readRecord(region, at, bytes), `byte ${i}`)
          .to.throw(RegionError)
          .with.property('code', 'E_CRC');
        region.bytes[at + i]! ^= 1 << (i % 8);
      }
      expect(readRecord(region, at, bytes).kind).to.equal(KIND);
    });

    it('leaves out what may change of a record of such a kind, and nothing else', () => {
      const region = Region.create(MIB);
      const log = new DirectoryLog(region, 0);
      const payload = payloadOf(50, 1);
      log.place(payload.length, 0);
      const at = log.append(CHANGING_KINDS, payload, 0);
      const changing = at + RECORD_HEADER_BYTES;
      expect(readRecord(region, at, 60).word).to.equal(changing / 4);
      for (let i = 0; i < 60; i++) {
        region.bytes[at + i]! ^= 1;
        if (at + i >= changing && at + i < changing + CHANGING_BYTES) readRecord(region, at, 60);
        else expect(() => readRecord(region, at, 60), `byte ${i}`).to.throw(RegionError);
        region.bytes[at + i]! ^= 1;
      }
    });

    it('says E_RANGE of a length that cannot be, or leads outside', () => {
      const { region, at, bytes } = oneRecord();
      for (const length of [0, 4, bytes + 4, 2 ** 26 - 4]) {
        region.words[at >> 2] = (KIND << 24) | (length / 4);
        expect(() => readRecord(region, at, bytes), `${length}`)
          .to.throw(RegionError)
          .with.property('code', 'E_RANGE');
      }
    });

    it('says E_RANGE of a place outside the region', () => {
      const { region } = oneRecord();
      for (const at of [-8, -(2 ** 31), region.byteLength, region.byteLength - 8, 2 ** 31 - 8])
        expect(() => readRecord(region, at, Infinity), `${at}`)
          .to.throw(RegionError)
          .with.property('code', 'E_RANGE');
    });

    it('gives a copy: what a writer does afterwards does not change it', () => {
      const { region, at, bytes } = oneRecord();
      const { payload } = readRecord(region, at, bytes);
      region.bytes.fill(0, at, at + bytes);
      expect(payload.subarray(0, 50).equals(payloadOf(50, 1))).to.equal(true);
    });

    it('a cursor says so again each time, and of a hostile end of the directory too', () => {
      const { region, at } = oneRecord();
      const extent = extentsOf(region)[0]!;
      const used = (extent.offset >> 2) + layout.EXTENT_USED_WORD;
      region.words[used] = 2 ** 31 - 1;
      const cursor = new ExtentCursor(region, extent);
      expect(cursor.next()?.kind).to.equal(KIND);
      for (let i = 0; i < 2; i++) expect(() => cursor.next()).to.throw(RegionError);
      region.words[used] = -5;
      expect(new ExtentCursor(region, extent).next()).to.equal(undefined);
      region.words[used] = layout.EXTENT_HEADER_BYTES + 8; // in the middle of the record
      region.words[at >> 2] = (KIND << 24) | (60 / 4);
      expect(() => new ExtentCursor(region, extent).next()).to.throw(RegionError);
    });
  });
});
