/**
 * The identity of a region: its first bytes. They are written once, before anybody else sees them, and
 * checked by every thread that attaches.
 */
import { crc32 } from 'node:zlib';
import { performance, systemClock } from '../base/platform.ts';
import { RegionError } from '../base/errors.ts';
import * as layout from './layout.ts';
import type { MarkKind } from './liveness.ts';
import { MEMORY_ORDER } from './memory-order.ts';

const ORDER_CODES = { fast: 1, strict: 2 } as const;
const OWNER_KIND_CODES: Readonly<Record<OwnerKind, number>> = {
  'linux-thread-id': 1,
  'node-thread-id': 2,
  'file-lock': 3,
};

/**
 * How owners of slabs prove that they live: by marks of threads of one process (liveness.ts), or by locks
 * between processes.
 */
export type OwnerKind = MarkKind | 'file-lock';

export interface RegionIdentity {
  readonly maxBytes: number;
  /** All threads that attach follow it. */
  readonly ownerKind: OwnerKind;
}

/** Writes the identity of a new region. `bytes`: the region's first, all zero. */
export function writeIdentity(bytes: Uint8Array, { maxBytes, ownerKind }: RegionIdentity): void {
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
  header.setUint32(layout.MARK_KIND_OFFSET, OWNER_KIND_CODES[ownerKind], true);
  header.setFloat64(layout.CREATED_OFFSET, systemClock.now() + (performance.now() % 1), true);
  header.setUint32(layout.CRC_OFFSET, identityCrc(bytes), true);
}

/** Checks the first bytes of a region. Throws a `RegionError` that says why it cannot be used. */
export function readIdentity(bytes: Uint8Array): RegionIdentity {
  if (bytes.length < layout.HEADER_BYTES)
    throw new RegionError(
      'E_RANGE',
      `a store has at least ${layout.EXTENTS_OFFSET} bytes, this one has ${bytes.length}`,
    );
  if (!layout.MAGIC.every((byte, i) => bytes[layout.MAGIC_OFFSET + i] === byte))
    throw new RegionError('E_MAGIC', 'the buffer is not a store of seqlock-metrics');
  const header = viewOf(bytes);
  const major = header.getUint32(layout.MAJOR_OFFSET, true);
  if (major !== layout.FORMAT_MAJOR)
    throw new RegionError(
      'E_VERSION',
      `the store has format ${major}, and this copy of seqlock-metrics reads format ${layout.FORMAT_MAJOR}: two versions of the package are in use. See \`npm ls seqlock-metrics\`, and use one version in all threads and processes`,
    );
  if (header.getUint32(layout.CRC_OFFSET, true) !== identityCrc(bytes))
    throw new RegionError('E_CRC', 'the header of the store is damaged');
  if (
    header.getUint32(layout.SLAB_CAPACITY_OFFSET, true) !== layout.SLAB_CAPACITY ||
    header.getUint32(layout.SLAB_BYTES_OFFSET, true) !== layout.SLAB_BYTES ||
    header.getUint32(layout.EXTENTS_OFFSET_OFFSET, true) !== layout.EXTENTS_OFFSET
  )
    throw new RegionError(
      'E_RANGE',
      'the store was made by another version of seqlock-metrics: its slab table has another form. Use one version in all threads and processes',
    );
  const order = header.getUint32(layout.MEMORY_ORDER_OFFSET, true);
  // On x64, writers and readers of both forms understand each other (docs/memory-model.md). Elsewhere the
  // FAST form is never right.
  if (order !== ORDER_CODES.strict && !(order === ORDER_CODES.fast && process.arch === 'x64'))
    throw new RegionError(
      'E_ORDER',
      `the store was made on another kind of machine: its memory order (${order}) is not right on ${process.arch}. Make a new store here`,
    );
  const maxBytes = header.getUint32(layout.MAX_BYTES_OFFSET, true);
  if (
    maxBytes < layout.SMALLEST_MAX_BYTES ||
    maxBytes > layout.LARGEST_MAX_BYTES ||
    maxBytes % layout.UNIT_BYTES !== 0
  )
    throw new RegionError('E_RANGE', `the header of the store is damaged: it has a maxBytes of ${maxBytes}`);
  return { maxBytes, ownerKind: ownerKindIn(header) };
}

function ownerKindIn(header: DataView): OwnerKind {
  const code = header.getUint32(layout.MARK_KIND_OFFSET, true);
  const kind = (Object.keys(OWNER_KIND_CODES) as OwnerKind[]).find((one) => OWNER_KIND_CODES[one] === code);
  if (kind !== undefined) return kind;
  throw new RegionError(
    'E_VERSION',
    `the store was made by another version of seqlock-metrics, which marks its owners in a way (${code}) that this version does not know: use one version in all threads and processes`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, layout.HEADER_BYTES);
}

function identityCrc(bytes: Uint8Array): number {
  return crc32(bytes.subarray(0, layout.IDENTITY_BYTES));
}
