/**
 * The map of a region. Little-endian; one byte format for every backing.
 * All state of the allocators is in here: a thread that attaches learns everything from the bytes.
 *
 *   offset
 *        0  +---------------------------------------------------------------+
 *           | identity: magic, version, sizes, memory order, CRC            |  written once, before all else
 *      128  +---------------------------------------------------------------+
 *           | allocators: end of extents, slabs in use, configuration, ...  |  Atomics only
 *      192  +---------------------------------------------------------------+
 *           | clock: orders the gauge sets of different writers             |  own line, see region-clock.ts
 *      256  +---------------------------------------------------------------+
 *           | life of a store of several processes: boot, id, leader, ...   |  zero in a store of one process
 *     4096  +---------------------------------------------------------------+
 *           | slab table: SLAB_CAPACITY entries of 64 bytes                 |  one entry per writer
 *    69632  +---------------------------------------------------------------+
 *           | extent | extent | extent ...                                  |  each of one slab, for ever
 *           +---------------------------------------------------------------+  grows up to maxBytes
 *
 *   A slab's memory is its entry and all extents that carry its number. An extent:
 *
 *           +-------+------+-----------+ directory grows ->     <- cells grow +
 *           | claim | used | reserved  | record | record | ... | cell | cell  |
 *           +-------+------+-----------+-------------------------------------+
 *           0       4      8          64                                     size in units of 4096
 *
 *   claim: (slab + 1) << 20 | size in units. One compare-and-swap from 0 makes the extent the slab's: a
 *   thread that dies right after it has lost nothing: whoever walks the extents knows owner and size.
 *   used: end of the directory, in bytes from the extent's start; stored last, so that what lies before it is
 *   whole.
 *   Where the cells start is not stored: it is the lowest cell that a published record names.
 */

export const MAGIC: readonly number[] = [0x89, 0x53, 0x51, 0x4d, 0x0d, 0x0a, 0x1a, 0x0a]; // \x89SQM\r\n\x1a\n
/** Readers refuse any other major version. */
export const FORMAT_MAJOR = 4;
/** Readers skip what they do not know of a later minor version. */
export const FORMAT_MINOR = 0;
export const BYTE_ORDER = 0x01020304;

const WORD = 4;

// Identity. Byte offsets.
export const MAGIC_OFFSET = 0;
export const MAJOR_OFFSET: number = MAGIC_OFFSET + 8;
export const MINOR_OFFSET: number = MAJOR_OFFSET + WORD;
export const BYTE_ORDER_OFFSET: number = MINOR_OFFSET + WORD;
export const HEADER_BYTES_OFFSET: number = BYTE_ORDER_OFFSET + WORD;
export const MAX_BYTES_OFFSET: number = HEADER_BYTES_OFFSET + WORD;
export const SLAB_CAPACITY_OFFSET: number = MAX_BYTES_OFFSET + WORD;
export const SLAB_BYTES_OFFSET: number = SLAB_CAPACITY_OFFSET + WORD;
export const EXTENTS_OFFSET_OFFSET: number = SLAB_BYTES_OFFSET + WORD;
export const MEMORY_ORDER_OFFSET: number = EXTENTS_OFFSET_OFFSET + WORD; // 1 FAST, 2 STRICT
// 1 Linux thread ids, 2 Node thread ids, 3 locks on files
export const MARK_KIND_OFFSET: number = MEMORY_ORDER_OFFSET + WORD;
export const CREATED_OFFSET: number = MARK_KIND_OFFSET + WORD; // float64, milliseconds since the epoch
export const IDENTITY_BYTES: number = CREATED_OFFSET + 8;
export const CRC_OFFSET: number = IDENTITY_BYTES; // CRC-32 of the bytes before it

// Allocators and clock. Int32 indices, for Atomics.
const ALLOCATORS_OFFSET = 128;
export const EXTENTS_END_INDEX: number = ALLOCATORS_OFFSET / WORD; // in units
export const SLABS_USED_INDEX: number = EXTENTS_END_INDEX + 1;
// byte offset of the newest configuration record
export const CONFIGURATION_INDEX: number = SLABS_USED_INDEX + 1;
export const READER_MARK_INDEX: number = CONFIGURATION_INDEX + 1; // thread that attached the first reader
export const LOST_INDEX: number = READER_MARK_INDEX + 1; // measurements that had no memory to go to
export const CLOSED_INDEX: number = LOST_INDEX + 1;
// number of the latest request to run observable callbacks
export const OBSERVE_INDEX: number = CLOSED_INDEX + 1;
export const PULSE_INDEX: number = OBSERVE_INDEX + 1; // number of the latest look at which event loops turn
export const EXEMPLAR_BYTES_INDEX: number = PULSE_INDEX + 1; // bytes given to exemplars
export const COLLECTIONS_INDEX: number = EXEMPLAR_BYTES_INDEX + 1; // snapshots that read exemplars; wraps
export const ENDINGS_INDEX: number = COLLECTIONS_INDEX + 1; // number of the next removal of series; wraps
const CLOCK_OFFSET = 192;
export const TICK_INDEX: number = CLOCK_OFFSET / WORD;
export const TICK_HALF_INDEX: number = TICK_INDEX + 1;
// byte offset of an int64: the latest time that was taken
export const LATEST_TIME_OFFSET: number = CLOCK_OFFSET + 2 * WORD;

// Of a store of several processes. Texts are ASCII.
export const UUID_BYTES = 36;
export const BOOT_OFFSET = 256; // which start of the machine it was made in
export const STORE_ID_OFFSET = 296; // a random UUID
// float64 index: when a process that has the store last said so, in milliseconds since the epoch
export const SIGN_OF_LIFE_DOUBLE = 42;
// int64 index: inode of the file whose lock is the lease; 0 before the first leader
export const LEADER_FILE_INT64 = 43;
// int32 index: port where the first leader served that took any free one; 0 for none
export const LEADER_PORT_INDEX = 88;

// Slab table.
export const HEADER_BYTES = 4096;
export const SLAB_TABLE_OFFSET: number = HEADER_BYTES;
export const SLAB_CAPACITY = 1024;
export const SLAB_BYTES = 64;
export const SLAB_OWNER_WORD = 0; // int32 index within an entry
export const SLAB_EPOCH_WORD = 1; // number of owners so far
// float64 index within an entry: gauge sets up to this tick are a dead owner's
export const SLAB_STALE_BEFORE_DOUBLE = 1;
// float64 index: observations before this tick are of an earlier round
export const SLAB_OBSERVED_SINCE_DOUBLE = 2;
export const SLAB_OBSERVES_WORD = 6; // 1: the owner has observable callbacks
export const SLAB_ANSWERED_WORD = 7; // number of the latest request the owner has answered
export const SLAB_THREAD_WORD = 8; // 1 + Node's thread id of the owner; 0 not known yet
// number of the latest look the owner's event loop has answered; 0: it answers none
export const SLAB_PULSE_WORD = 9;
export const SLAB_AFFINITY_WORD = 10; // what kind of thread the owner is; any int32
export const SLAB_PROCESS_WORD = 11; // process id of the owner; 0 in a store of one process
// int64 index: inode of the file whose lock is the ownership; 0 likewise, and before the first owner
export const SLAB_LOCK_FILE_INT64 = 6;
/**
 * Owner of a slab whose thread ended where /proc does not show it. It is neither a mark nor a negated mark.
 */
export const ABANDONED: number = -(2 ** 31);
/**
 * Owner of a slab whose directory is damaged: nobody writes there any more. It is neither a mark nor a
 * negated mark.
 */
export const DAMAGED: number = -(2 ** 31) + 1;

// Extents.
export const UNIT_BYTES = 4096;
export const EXTENTS_OFFSET: number = SLAB_TABLE_OFFSET + SLAB_CAPACITY * SLAB_BYTES;
export const EXTENT_HEADER_BYTES = 64;
export const CLAIM_SLAB_SHIFT = 20;
export const CLAIM_UNITS_MASK: number = (1 << CLAIM_SLAB_SHIFT) - 1;
export const EXTENT_USED_WORD = 1;
/**
 * The first extent of a slab has this size. Each further one is this share of what the slab has, within the
 * smallest and the largest size. So at most about that share of a slab is claimed and unused.
 */
export const FIRST_EXTENT_BYTES = 16_384;
export const EXTENT_SHARE = 8; // an eighth
export const LARGEST_EXTENT_BYTES = 1_048_576;

// Region sizes.
export const INITIAL_REGION_BYTES = 262_144;
export const SMALLEST_MAX_BYTES = 262_144;
export const LARGEST_MAX_BYTES = 1_073_741_824;
export const DEFAULT_MAX_BYTES = 67_108_864;
