import { expect } from 'chai';
import * as layout from '../../src/memory/layout.ts';

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  /** Default: its size. */
  readonly alignment?: number;
}

const word = (name: string, offset: number): Field => ({ name, offset, bytes: 4 });

const IDENTITY: readonly Field[] = [
  { name: 'magic', offset: layout.MAGIC_OFFSET, bytes: 8 },
  word('major', layout.MAJOR_OFFSET),
  word('minor', layout.MINOR_OFFSET),
  word('byte order', layout.BYTE_ORDER_OFFSET),
  word('header bytes', layout.HEADER_BYTES_OFFSET),
  word('max bytes', layout.MAX_BYTES_OFFSET),
  word('slab capacity', layout.SLAB_CAPACITY_OFFSET),
  word('slab bytes', layout.SLAB_BYTES_OFFSET),
  word('extents offset', layout.EXTENTS_OFFSET_OFFSET),
  word('memory order', layout.MEMORY_ORDER_OFFSET),
  word('mark kind', layout.MARK_KIND_OFFSET),
  { name: 'created', offset: layout.CREATED_OFFSET, bytes: 8 },
  word('crc', layout.CRC_OFFSET),
];

const HEADER: readonly Field[] = [
  ...IDENTITY,
  word('extents end', layout.EXTENTS_END_INDEX * 4),
  word('slabs used', layout.SLABS_USED_INDEX * 4),
  word('configuration', layout.CONFIGURATION_INDEX * 4),
  word('reader mark', layout.READER_MARK_INDEX * 4),
  word('lost', layout.LOST_INDEX * 4),
  word('closed', layout.CLOSED_INDEX * 4),
  word('observe', layout.OBSERVE_INDEX * 4),
  word('pulse', layout.PULSE_INDEX * 4),
  word('tick', layout.TICK_INDEX * 4),
  word('tick half', layout.TICK_HALF_INDEX * 4),
  { name: 'boot', offset: layout.BOOT_OFFSET, bytes: layout.UUID_BYTES, alignment: 1 },
  { name: 'store id', offset: layout.STORE_ID_OFFSET, bytes: layout.UUID_BYTES, alignment: 1 },
  { name: 'sign of life', offset: layout.SIGN_OF_LIFE_DOUBLE * 8, bytes: 8 },
];

const SLAB: readonly Field[] = [
  word('owner', layout.SLAB_OWNER_WORD * 4),
  word('epoch', layout.SLAB_EPOCH_WORD * 4),
  { name: 'stale before', offset: layout.SLAB_STALE_BEFORE_DOUBLE * 8, bytes: 8 },
  { name: 'observed since', offset: layout.SLAB_OBSERVED_SINCE_DOUBLE * 8, bytes: 8 },
  word('observes', layout.SLAB_OBSERVES_WORD * 4),
  word('answered', layout.SLAB_ANSWERED_WORD * 4),
  word('thread', layout.SLAB_THREAD_WORD * 4),
  word('pulse', layout.SLAB_PULSE_WORD * 4),
  word('affinity', layout.SLAB_AFFINITY_WORD * 4),
  word('process', layout.SLAB_PROCESS_WORD * 4),
  { name: 'lock file', offset: layout.SLAB_LOCK_FILE_INT64 * 8, bytes: 8 },
];

const EXTENT: readonly Field[] = [word('claim', 0), word('used', layout.EXTENT_USED_WORD * 4)];

function expectSound(fields: readonly Field[], total: number): void {
  const sorted = [...fields].sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { name, offset, bytes, alignment = bytes } of sorted) {
    expect(offset, `${name} overlaps what is before it`).to.be.at.least(end);
    expect(offset % alignment, `${name} is not aligned`).to.equal(0);
    end = offset + bytes;
  }
  expect(end).to.be.at.most(total);
}

describe('layout', () => {
  it('keeps the fields of header, slab entry and extent apart and aligned', () => {
    expectSound(HEADER, layout.HEADER_BYTES);
    expectSound(SLAB, layout.SLAB_BYTES);
    expectSound(EXTENT, layout.EXTENT_HEADER_BYTES);
  });

  it('protects all of the identity by the CRC, and nothing that changes', () => {
    expect(layout.CRC_OFFSET).to.equal(layout.IDENTITY_BYTES);
    for (const { offset, bytes } of IDENTITY.slice(0, -1))
      expect(offset + bytes).to.be.at.most(layout.IDENTITY_BYTES);
    expect(layout.EXTENTS_END_INDEX * 4).to.be.at.least(layout.CRC_OFFSET + 4);
  });

  it('gives the clock a cache line of its own', () => {
    const line = (index: number): number => Math.floor((index * 4) / 64);
    expect(line(layout.TICK_INDEX)).to.equal(line(layout.TICK_HALF_INDEX));
    for (const { name, offset } of HEADER)
      if (!name.startsWith('tick')) expect(line(offset / 4), name).to.not.equal(line(layout.TICK_INDEX));
  });

  it('lays header, slab table and extents end to end, in whole units', () => {
    expect(layout.SLAB_TABLE_OFFSET).to.equal(layout.HEADER_BYTES);
    expect(layout.EXTENTS_OFFSET).to.equal(
      layout.SLAB_TABLE_OFFSET + layout.SLAB_CAPACITY * layout.SLAB_BYTES,
    );
    expect(layout.EXTENTS_OFFSET).to.equal(69_632); // as drawn
    for (const bytes of [
      layout.EXTENTS_OFFSET,
      layout.FIRST_EXTENT_BYTES,
      layout.LARGEST_EXTENT_BYTES,
      layout.INITIAL_REGION_BYTES,
    ])
      expect(bytes % layout.UNIT_BYTES).to.equal(0);
    expect(layout.SMALLEST_MAX_BYTES).to.be.at.least(layout.EXTENTS_OFFSET + layout.FIRST_EXTENT_BYTES);
  });

  it('has room in the claim word for the last slab and for the largest region, as a positive int32', () => {
    const claim = (layout.SLAB_CAPACITY << layout.CLAIM_SLAB_SHIFT) | layout.CLAIM_UNITS_MASK;
    expect(claim).to.be.above(0);
    expect(claim >> layout.CLAIM_SLAB_SHIFT).to.equal(layout.SLAB_CAPACITY);
    expect(layout.LARGEST_MAX_BYTES / layout.UNIT_BYTES).to.be.at.most(layout.CLAIM_UNITS_MASK);
  });

  it('can name every byte of the largest region in an int32', () => {
    expect(layout.LARGEST_MAX_BYTES).to.be.below(2 ** 31);
  });

  it('takes no mark, and no mark negated, for ABANDONED and DAMAGED', () => {
    for (const word of [layout.ABANDONED, layout.DAMAGED]) expect(word | 0).to.equal(word);
    const largestMark = 2 ** 31 - 2; // Linux gives thread ids up to 2^22
    expect(-largestMark).to.be.above(Math.max(layout.ABANDONED, layout.DAMAGED));
    expect(layout.ABANDONED).to.not.equal(layout.DAMAGED);
  });
});
