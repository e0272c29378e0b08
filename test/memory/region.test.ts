import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { RegionError, type RegionErrorCode } from '../../src/base/errors.ts';
import * as layout from '../../src/memory/layout.ts';
import { Region, type Extent } from '../../src/memory/region.ts';
import { everyStep } from '../support/every-step.ts';
import { extentsOf } from '../support/region-contents.ts';
import { runTogether } from '../support/region-job.ts';

const MIB = 2 ** 20;

function codeOf(action: () => unknown): RegionErrorCode | undefined {
  try {
    action();
  } catch (error) {
    expect(error).to.be.instanceOf(RegionError);
    return (error as RegionError).code;
  }
  return undefined;
}

/** A region whose header was changed, its CRC made right again. */
function withHeader(change: (header: DataView) => void): SharedArrayBuffer {
  const { buffer, bytes } = Region.create(MIB);
  const header = new DataView(buffer);
  change(header);
  header.setUint32(layout.CRC_OFFSET, crc32(bytes.subarray(0, layout.IDENTITY_BYTES)), true);
  return buffer;
}

describe('Region', () => {
  describe('create and attach', () => {
    it('attaches to what it made, and both see the same', () => {
      const made = Region.create(MIB);
      const attached = Region.attach(made.buffer);
      expect(attached.maxBytes).to.equal(MIB);
      made.countLost();
      expect(attached.lostMeasurements).to.equal(1);
      expect(made.usedBytes).to.equal(layout.EXTENTS_OFFSET);
    });

    it('says E_RANGE of a buffer that is too short, or empty', () => {
      expect(codeOf(() => Region.attach(new SharedArrayBuffer(0)))).to.equal('E_RANGE');
      expect(codeOf(() => Region.attach(new SharedArrayBuffer(layout.EXTENTS_OFFSET - 1)))).to.equal(
        'E_RANGE',
      );
    });

    it('says E_MAGIC of anything else, whichever byte of the magic is wrong', () => {
      expect(codeOf(() => Region.attach(new SharedArrayBuffer(MIB)))).to.equal('E_MAGIC');
      for (let i = 0; i < layout.MAGIC.length; i++) {
        const buffer = withHeader((header) => header.setUint8(i, header.getUint8(i) ^ 1));
        expect(
          codeOf(() => Region.attach(buffer)),
          `byte ${i}`,
        ).to.equal('E_MAGIC');
      }
    });

    it('says E_VERSION of another major version, and takes a later minor one', () => {
      const major = (value: number) =>
        withHeader((header) => header.setUint32(layout.MAJOR_OFFSET, value, true));
      expect(codeOf(() => Region.attach(major(layout.FORMAT_MAJOR + 1)))).to.equal('E_VERSION');
      expect(codeOf(() => Region.attach(major(0)))).to.equal('E_VERSION');
      const minor = withHeader((header) => header.setUint32(layout.MINOR_OFFSET, 99, true));
      expect(codeOf(() => Region.attach(minor))).to.equal(undefined);
    });

    it('says E_CRC when any byte of the identity after magic and version is damaged', () => {
      for (let at = layout.MINOR_OFFSET; at < layout.CRC_OFFSET + 4; at++) {
        const { buffer, bytes } = Region.create(MIB);
        bytes[at]! ^= 0x10;
        expect(
          codeOf(() => Region.attach(buffer)),
          `byte ${at}`,
        ).to.equal('E_CRC');
      }
    });

    it('says E_RANGE of another slab table', () => {
      for (const offset of [
        layout.SLAB_CAPACITY_OFFSET,
        layout.SLAB_BYTES_OFFSET,
        layout.EXTENTS_OFFSET_OFFSET,
      ]) {
        const buffer = withHeader((header) =>
          header.setUint32(offset, 2 * header.getUint32(offset, true), true),
        );
        expect(codeOf(() => Region.attach(buffer))).to.equal('E_RANGE');
      }
    });

    it('takes a region of either memory order on x64, and none that it does not know', () => {
      const withOrder = (order: number): SharedArrayBuffer =>
        withHeader((header) => header.setUint32(layout.MEMORY_ORDER_OFFSET, order, true));
      expect(codeOf(() => Region.attach(withOrder(2)))).to.equal(undefined);
      expect(codeOf(() => Region.attach(withOrder(1)))).to.equal(
        process.arch === 'x64' ? undefined : 'E_ORDER',
      );
      expect(codeOf(() => Region.attach(withOrder(3)))).to.equal('E_ORDER');
    });
  });

  describe('views', () => {
    it('are of fixed length: a growing buffer does not lengthen them until they are taken anew (R10)', () => {
      const region = Region.create(8 * MIB);
      const before = [region.words, region.doubles, region.bytes];
      const lengths = before.map((view) => view.length);
      region.buffer.grow(2 * MIB);
      // A length-tracking view would have become longer by itself.
      expect(before.map((view) => view.length)).to.deep.equal(lengths);
      region.refresh();
      for (const view of [region.words, region.doubles, region.bytes]) {
        expect(view.byteLength).to.equal(2 * MIB);
        region.buffer.grow(region.buffer.byteLength + 4096);
        expect(view.byteLength).to.equal(2 * MIB);
      }
    });

    it('are fixed in an attached region too', () => {
      const made = Region.create(8 * MIB);
      const { words, doubles, bytes } = Region.attach(made.buffer);
      made.buffer.grow(MIB);
      for (const view of [words, doubles, bytes])
        expect(view.byteLength).to.equal(layout.INITIAL_REGION_BYTES);
    });

    it('old ones and new ones show the same memory', () => {
      const region = Region.create(8 * MIB);
      const { words } = region;
      expect(region.claimExtent(0, 4 * MIB)).to.not.equal(undefined);
      expect(region.words).to.not.equal(words);
      region.words[layout.EXTENTS_OFFSET / 4 + 1] = 77;
      expect(words[layout.EXTENTS_OFFSET / 4 + 1]).to.equal(77);
    });
  });

  it('knows which slab has claimed the memory at a place, also where extents were added since', () => {
    const region = Region.create(2 ** 20);
    const start = layout.EXTENTS_OFFSET / 8;
    expect(region.slabAt(start)).to.equal(undefined);
    for (const slab of [3, 1, 3]) region.claimExtent(slab, 8192);
    const words = 8192 / 8;
    expect(
      [0, words - 1, words, 2 * words, 3 * words - 1].map((at) => region.slabAt(start + at)),
    ).to.deep.equal([3, 3, 1, 3, 3]);
    for (const none of [0, -1, start - 1, start + 3 * words, 2 ** 40])
      expect(region.slabAt(none), String(none)).to.equal(undefined);
    region.claimExtent(2, 1);
    expect(region.slabAt(start + 3 * words)).to.equal(2);
  });

  describe('claimExtent', () => {
    it('gives extents end to end, in units, each with its owner in the claim word', () => {
      const region = Region.create(8 * MIB);
      const first = region.claimExtent(0, 1)!;
      const second = region.claimExtent(1023, 4097)!;
      expect(first).to.deep.equal({ slab: 0, offset: layout.EXTENTS_OFFSET, bytes: 4096 });
      expect(second).to.deep.equal({ slab: 1023, offset: layout.EXTENTS_OFFSET + 4096, bytes: 8192 });
      expect(extentsOf(region)).to.deep.equal([first, second]);
      expect(region.usedBytes).to.equal(second.offset + second.bytes);
    });

    it('never exceeds maxBytes, uses it to the last unit, and stays full', () => {
      const maxBytes = layout.SMALLEST_MAX_BYTES;
      const region = Region.create(maxBytes);
      expect(region.claimExtent(0, maxBytes)).to.equal(undefined);
      let claimed = 0;
      while (region.claimExtent(0, 8192) !== undefined) claimed++;
      expect(claimed).to.equal(Math.floor((maxBytes - layout.EXTENTS_OFFSET) / 8192));
      expect(region.claimExtent(0, 4096)).to.not.equal(undefined);
      expect(region.claimExtent(0, 1)).to.equal(undefined);
      expect(region.usedBytes).to.equal(maxBytes);
      expect(region.byteLength).to.equal(maxBytes);
    });

    it('helps past an extent whose claimer died before it moved the end', () => {
      const region = Region.create(8 * MIB);
      const dead = ((7 + 1) << layout.CLAIM_SLAB_SHIFT) | 3;
      Atomics.store(region.words, layout.EXTENTS_OFFSET / 4, dead);
      expect(extentsOf(region), 'not seen before the end is moved').to.deep.equal([]);
      const own = region.claimExtent(1, 4096)!;
      expect(own.offset).to.equal(layout.EXTENTS_OFFSET + 3 * 4096);
      expect(extentsOf(region)).to.deep.equal([
        { slab: 7, offset: layout.EXTENTS_OFFSET, bytes: 3 * 4096 },
        own,
      ]);
    });

    it('while another thread claims at any step of it, gives both what they asked for', () => {
      for (let stop = 0; stop < 4; stop++) {
        const region = Region.create(8 * MIB);
        const other = Region.attach(region.buffer);
        const claimed: Extent[] = [];
        const own = everyStep(
          region,
          () => region.claimExtent(1, 12_288)!,
          (step) => {
            if (step === stop) claimed.push(other.claimExtent(2, 4096)!, other.claimExtent(3, 8192)!);
          },
        );
        expect(claimed).to.have.length(2);
        const all = [...claimed, own].sort((a, b) => a.offset - b.offset);
        expect(extentsOf(region), `stop ${stop}`).to.deep.equal(all);
        expect(all.map(({ slab }) => slab).sort()).to.deep.equal([1, 2, 3]);
      }
    });

    it('by several threads at once: extents are disjoint, claim words are right, none is lost', async () => {
      const threads = 4;
      // Again where a busy machine let one thread end before the next began.
      let handOvers = 0;
      for (let round = 0; handOvers <= threads; round++) {
        expect(round, 'rounds in which the threads did not run at the same time').to.be.below(10);
        handOvers = await claimTogether(threads);
      }
    });

    /** Returns how often the extent after one is another thread's. */
    async function claimTogether(threads: number): Promise<number> {
      const region = Region.create(64 * MIB);
      const claims = 400;
      const results = await runTogether<Extent[]>(region, { kind: 'claim', claims }, threads);
      const walked = extentsOf(region);
      const told = results.flat().sort((a, b) => a.offset - b.offset);
      expect(told).to.have.length(threads * claims);
      expect(walked).to.deep.equal(told);
      let end = layout.EXTENTS_OFFSET;
      for (const { offset, bytes } of walked) {
        expect(offset).to.equal(end);
        end = offset + bytes;
      }
      expect(region.usedBytes).to.equal(end);
      for (const { slab, offset, bytes } of walked) {
        const own = region.bytes.subarray(offset + layout.EXTENT_HEADER_BYTES, offset + bytes);
        if (!own.every((byte) => byte === slab + 1))
          expect.fail(`extent at ${offset} was written by another thread`);
      }
      return walked.filter(({ slab }, i) => i > 0 && walked[i - 1]!.slab !== slab).length;
    }

    it('by several threads in a region too small for all: what fits is given out once', async () => {
      const region = Region.create(MIB);
      const results = await runTogether<Extent[]>(region, { kind: 'claim', claims: 400 }, 3);
      const told = results.flat().sort((a, b) => a.offset - b.offset);
      expect(extentsOf(region)).to.deep.equal(told);
      expect(region.usedBytes).to.be.within(MIB - 5 * 4096, MIB);
      expect(region.byteLength).to.be.at.most(MIB);
    });
  });

  describe('extentAt', () => {
    it('says E_RANGE of a claim word that is damaged', () => {
      for (const claim of [
        0,
        -1,
        1 << layout.CLAIM_SLAB_SHIFT,
        (1 << layout.CLAIM_SLAB_SHIFT) | layout.CLAIM_UNITS_MASK,
      ]) {
        const region = Region.create(MIB);
        region.claimExtent(0, 4096);
        region.words[layout.EXTENTS_OFFSET / 4] = claim;
        expect(
          codeOf(() => region.extentAt(layout.EXTENTS_OFFSET)),
          `claim ${claim}`,
        ).to.equal('E_RANGE');
      }
    });

    it('says E_RANGE when the buffer ends before the extents do', () => {
      const region = Region.create(MIB);
      region.claimExtent(0, 300_000);
      const cut = new SharedArrayBuffer(layout.EXTENTS_OFFSET, { maxByteLength: MIB });
      new Uint8Array(cut).set(region.bytes.subarray(0, layout.EXTENTS_OFFSET));
      const attached = Region.attach(cut);
      expect(codeOf(() => attached.extentAt(layout.EXTENTS_OFFSET))).to.equal('E_RANGE');
    });
  });

  describe('the words of the header', () => {
    it('count lost measurements beyond 2^31 as a positive number', () => {
      const region = Region.create(MIB);
      region.words[layout.LOST_INDEX] = 2 ** 31 - 1;
      region.countLost();
      expect(region.lostMeasurements).to.equal(2 ** 31);
    });

    it('close once and for all who are attached', () => {
      const region = Region.create(MIB);
      const attached = Region.attach(region.buffer);
      expect(attached.closed).to.equal(false);
      region.close();
      expect(attached.closed).to.equal(true);
    });

    it('hold the place of the configuration', () => {
      const region = Region.create(MIB);
      expect(region.configurationOffset).to.equal(0);
      expect(region.pointToConfiguration(70_000, 0)).to.equal(true);
      expect(region.pointToConfiguration(80_000, 0), 'another is there').to.equal(false);
      expect(Region.attach(region.buffer).configurationOffset).to.equal(70_000);
    });
  });

  it('takes less than 2 MiB of resident memory while a store is idle', function () {
    if (process.platform !== 'linux') this.skip();
    const probe = fileURLToPath(new URL('../support/resident-memory.js', import.meta.url));
    const grown = (what: string): number =>
      Number(execFileSync(process.execPath, ['--expose-gc', probe, what], { encoding: 'utf8' }));
    const [without, withStore] = [grown('nothing'), grown('store')];
    expect(withStore - without, `${without} without, ${withStore} with`).to.be.below(2 * MIB);
    // The probe can see memory at all: a store that is filled shows.
    expect(grown('full') - without).to.be.above(16 * MIB);
  });
});
