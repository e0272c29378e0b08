/** The identity of a region: the first bytes, written once before anyone else looks, and checked by whoever attaches. */
import { crc32 } from 'node:zlib';
import { performance, systemClock } from '../base/platform.ts';
import { RegionError } from '../base/errors.ts';
import * as layout from './layout.ts';
import type { MarkKind } from './liveness.ts';
import { MEMORY_ORDER, MEMORY_ORDER_VARIABLE } from './memory-order.ts';

const ORDER_CODES = { fast: 1, strict: 2 } as const;
const MARK_KIND_CODES: Readonly<Record<MarkKind, number>> = { 'linux-thread-id': 1, 'node-thread-id': 2 };

export interface RegionIdentity {
  readonly maxBytes: number;
  /** How its owners are named: whoever attaches obeys. */
  readonly markKind: MarkKind;
}

/** Writes the identity of a new region. `bytes`: the region's first, all zero. */
export function writeIdentity(bytes: Uint8Array, { maxBytes, markKind }: RegionIdentity): void {
  const header = viewOf(bytes);
  bytes.set(layout.MAGIC, layout.MAGIC_OFFSET);
  header.setUint32(layout.MAJOR_OFFSET, layout.FORMAT_MAJOR, true);
  header.setUint32(layout.MINOR_OFFSET, layout.FORMAT_MINOR, true);
  header.setUint32(layout.BYTE_ORDER_OFFSET, layout.BYTE_ORDER, true);
  header.setUint32(layout.HEADER_BYTES_OFFSET, layout.HEADER_BYTES, true);
  header.setUint32(layout.MAX_BYTES_OFFSET, maxBytes, true);
  header.setUint32(layout.SLAB_CAPACITY_OFFSET, layout.SLAB_CAPACITY, true);
  header.setUint32(layout.SLAB_BYTES_OFFSET, layout.SLAB_BYTES, true);
  header.setUint32(layout.EXTENTS_OFFSET_OFFSET, layout.EXTENTS_OFFSET, true);
  header.setUint32(layout.MEMORY_ORDER_OFFSET, ORDER_CODES[MEMORY_ORDER], true);
  header.setUint32(layout.MARK_KIND_OFFSET, MARK_KIND_CODES[markKind], true);
  header.setFloat64(layout.CREATED_OFFSET, systemClock.now() + (performance.now() % 1), true);
  header.setUint32(layout.CRC_OFFSET, identityCrc(bytes), true);
}

/** Checks the first bytes of a region. Throws a `RegionError` that says why it cannot be used. */
export function readIdentity(bytes: Uint8Array): RegionIdentity {
  if (bytes.length < layout.HEADER_BYTES)
    throw new RegionError(
      'E_RANGE',
      `a region has at least ${layout.EXTENTS_OFFSET} bytes, this has ${bytes.length}`,
    );
  if (!layout.MAGIC.every((byte, i) => bytes[layout.MAGIC_OFFSET + i] === byte))
    throw new RegionError('E_MAGIC', 'the buffer is not a region of seqlock-metrics');
  const header = viewOf(bytes);
  const major = header.getUint32(layout.MAJOR_OFFSET, true);
  if (major !== layout.FORMAT_MAJOR)
    throw new RegionError(
      'E_VERSION',
      `the region has format ${major}, this copy of seqlock-metrics reads ${layout.FORMAT_MAJOR}: two versions of the package are loaded, see \`npm ls seqlock-metrics\`; load one in all threads`,
    );
  if (header.getUint32(layout.CRC_OFFSET, true) !== identityCrc(bytes))
    throw new RegionError('E_CRC', 'the header of the region is damaged');
  if (
    header.getUint32(layout.SLAB_CAPACITY_OFFSET, true) !== layout.SLAB_CAPACITY ||
    header.getUint32(layout.SLAB_BYTES_OFFSET, true) !== layout.SLAB_BYTES ||
    header.getUint32(layout.EXTENTS_OFFSET_OFFSET, true) !== layout.EXTENTS_OFFSET
  )
    throw new RegionError(
      'E_RANGE',
      'the region has a slab table this copy of seqlock-metrics does not know',
    );
  if (header.getUint32(layout.MEMORY_ORDER_OFFSET, true) !== ORDER_CODES[MEMORY_ORDER])
    throw new RegionError(
      'E_ORDER',
      `the region is not written in this thread's memory order (${MEMORY_ORDER}): set ${MEMORY_ORDER_VARIABLE} for the whole process, not for one worker`,
    );
  return { maxBytes: header.getUint32(layout.MAX_BYTES_OFFSET, true), markKind: markKindIn(header) };
}

function markKindIn(header: DataView): MarkKind {
  const code = header.getUint32(layout.MARK_KIND_OFFSET, true);
  const kind = (Object.keys(MARK_KIND_CODES) as MarkKind[]).find((one) => MARK_KIND_CODES[one] === code);
  if (kind !== undefined) return kind;
  throw new RegionError(
    'E_VERSION',
    `the region names its owners in a way (${code}) that this copy of seqlock-metrics does not know: load one version of the package in all threads`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, layout.HEADER_BYTES);
}

function identityCrc(bytes: Uint8Array): number {
  return crc32(bytes.subarray(0, layout.IDENTITY_BYTES));
}
