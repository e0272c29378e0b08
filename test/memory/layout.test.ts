import { expect } from 'chai';
import * as L from '../../src/memory/layout.ts';

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

const word = (name: string, offset: number): Field => ({ name, offset, bytes: 4 });

const IDENTITY: readonly Field[] = [
  { name: 'magic', offset: L.MAGIC_OFFSET, bytes: 8 },
  word('major', L.MAJOR_OFFSET),
  word('minor', L.MINOR_OFFSET),
  word('byte order', L.BYTE_ORDER_OFFSET),
  word('header bytes', L.HEADER_BYTES_OFFSET),
  word('max bytes', L.MAX_BYTES_OFFSET),
  word('slab capacity', L.SLAB_CAPACITY_OFFSET),
  word('slab bytes', L.SLAB_BYTES_OFFSET),
  word('extents offset', L.EXTENTS_OFFSET_OFFSET),
  word('memory order', L.MEMORY_ORDER_OFFSET),
  word('mark kind', L.MARK_KIND_OFFSET),
  { name: 'created', offset: L.CREATED_OFFSET, bytes: 8 },
  word('crc', L.CRC_OFFSET),
];

const HEADER: readonly Field[] = [
  ...IDENTITY,
  word('extents end', L.EXTENTS_END_INDEX * 4),
  word('slabs used', L.SLABS_USED_INDEX * 4),
  word('configuration', L.CONFIGURATION_INDEX * 4),
  word('reader mark', L.READER_MARK_INDEX * 4),
  word('lost', L.LOST_INDEX * 4),
  word('closed', L.CLOSED_INDEX * 4),
  word('observe', L.OBSERVE_INDEX * 4),
  word('pulse', L.PULSE_INDEX * 4),
  word('interval epoch', L.INTERVAL_EPOCH_INDEX * 4),
  word('kinds of which deltas are taken', L.DELTA_KINDS_INDEX * 4),
  word('tick', L.TICK_INDEX * 4),
  word('tick half', L.TICK_HALF_INDEX * 4),
];

const SLAB: readonly Field[] = [
  word('owner', L.SLAB_OWNER_WORD * 4),
  word('epoch', L.SLAB_EPOCH_WORD * 4),
  { name: 'stale before', offset: L.SLAB_STALE_BEFORE_DOUBLE * 8, bytes: 8 },
  { name: 'observed since', offset: L.SLAB_OBSERVED_SINCE_DOUBLE * 8, bytes: 8 },
  word('observes', L.SLAB_OBSERVES_WORD * 4),
  word('answered', L.SLAB_ANSWERED_WORD * 4),
  word('thread', L.SLAB_THREAD_WORD * 4),
  word('pulse', L.SLAB_PULSE_WORD * 4),
  word('affinity', L.SLAB_AFFINITY_WORD * 4),
];

const EXTENT: readonly Field[] = [word('claim', 0), word('used', L.EXTENT_USED_WORD * 4)];

function expectSound(fields: readonly Field[], total: number): void {
  const sorted = [...fields].sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { name, offset, bytes } of sorted) {
    expect(offset, `${name} overlaps what is before it`).to.be.at.least(end);
    expect(offset % bytes, `${name} is not aligned`).to.equal(0);
    end = offset + bytes;
  }
  expect(end).to.be.at.most(total);
}

describe('layout', () => {
  it('keeps the fields of header, slab entry and extent apart and aligned', () => {
    expectSound(HEADER, L.HEADER_BYTES);
    expectSound(SLAB, L.SLAB_BYTES);
    expectSound(EXTENT, L.EXTENT_HEADER_BYTES);
  });

  it('protects all of the identity by the CRC, and nothing that changes', () => {
    expect(L.CRC_OFFSET).to.equal(L.IDENTITY_BYTES);
    for (const { offset, bytes } of IDENTITY.slice(0, -1))
      expect(offset + bytes).to.be.at.most(L.IDENTITY_BYTES);
    expect(L.EXTENTS_END_INDEX * 4).to.be.at.least(L.CRC_OFFSET + 4);
  });

  it('gives the clock a cache line of its own', () => {
    const line = (index: number): number => Math.floor((index * 4) / 64);
    expect(line(L.TICK_INDEX)).to.equal(line(L.TICK_HALF_INDEX));
    for (const { name, offset } of HEADER)
      if (!name.startsWith('tick')) expect(line(offset / 4), name).to.not.equal(line(L.TICK_INDEX));
  });

  it('lays header, slab table and extents end to end, in whole units', () => {
    expect(L.SLAB_TABLE_OFFSET).to.equal(L.HEADER_BYTES);
    expect(L.EXTENTS_OFFSET).to.equal(L.SLAB_TABLE_OFFSET + L.SLAB_CAPACITY * L.SLAB_BYTES);
    expect(L.EXTENTS_OFFSET).to.equal(69_632); // as drawn
    for (const bytes of [
      L.EXTENTS_OFFSET,
      L.FIRST_EXTENT_BYTES,
      L.LARGEST_EXTENT_BYTES,
      L.INITIAL_REGION_BYTES,
    ])
      expect(bytes % L.UNIT_BYTES).to.equal(0);
    expect(L.SMALLEST_MAX_BYTES).to.be.at.least(L.EXTENTS_OFFSET + L.FIRST_EXTENT_BYTES);
  });

  it('has room in the claim word for the last slab and for the largest region, as a positive int32', () => {
    const claim = (L.SLAB_CAPACITY << L.CLAIM_SLAB_SHIFT) | L.CLAIM_UNITS_MASK;
    expect(claim).to.be.above(0);
    expect(claim >> L.CLAIM_SLAB_SHIFT).to.equal(L.SLAB_CAPACITY);
    expect(L.LARGEST_MAX_BYTES / L.UNIT_BYTES).to.be.at.most(L.CLAIM_UNITS_MASK);
  });

  it('can name every byte of the largest region in an int32', () => {
    expect(L.LARGEST_MAX_BYTES).to.be.below(2 ** 31);
  });

  it('takes no mark, and no mark negated, for ABANDONED and DAMAGED', () => {
    for (const word of [L.ABANDONED, L.DAMAGED]) expect(word | 0).to.equal(word);
    const largestMark = 2 ** 31 - 2; // Linux gives thread ids up to 2^22
    expect(-largestMark).to.be.above(Math.max(L.ABANDONED, L.DAMAGED));
    expect(L.ABANDONED).to.not.equal(L.DAMAGED);
  });
});
