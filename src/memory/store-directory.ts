/** Opens the region of a store directory, or makes one. What a directory has in it: mapped-file.ts. */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { RegionError, shortText } from '../base/errors.ts';
import { performance, systemClock } from '../base/platform.ts';
import { growableBuffer } from './backing.ts';
import { BELL_FILE } from './bell.ts';
import * as layout from './layout.ts';
import { LEADER_FILE } from './lease.ts';
import { WRITERS_DIRECTORY } from './lock-ownership.ts';
import { identityOf, MappedFile, OPEN_FLAGS, REGION_FILE } from './mapped-file.ts';
import { allocate, fileSystemOf, mapFile, requireNativePart, tryLock } from './native.ts';
import { refusalOf } from './refusal.ts';
import { readIdentity, writeIdentity } from './region-header.ts';
import { sleepSync } from './sleep.ts';
import { EXPORTERS_FILE, STARTER_FILE } from './succession.ts';

/**
 * How long a process waits for another process that is making a region, which takes a millisecond. Then it
 * goes on without.
 */
const LOCK_MILLIS = 2000;
const LOCK_STEP_MILLIS = 5;
/**
 * A store that no process has open is continued if its last sign of life is not older than this. So the
 * counts of a process that crashed are kept, and dead series do not stay for ever.
 */
export const CONTINUED_MILLIS = 300_000;
/** In memory: nothing is ever written to a disk. */
const MEMORY_FILE_SYSTEMS = ['tmpfs', 'ramfs'];
/**
 * These are known to keep mappings of several processes coherent, and to have flock and fallocate. Others are
 * refused.
 */
const DISK_FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs', 'overlay', 'f2fs', 'apfs', 'hfs'];
const DIRECTORY_FLAGS: number = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const NEW_REGION_FILE = `${REGION_FILE}.new`;
/** What the leader has pushed as deltas, for the next one. It is written under the second name. */
export const PUSHED_FILE = 'pushed';
export const NEW_PUSHED_FILE: string = `${PUSHED_FILE}.new`;
const OWN_FILES: readonly string[] = [
  REGION_FILE,
  NEW_REGION_FILE,
  WRITERS_DIRECTORY,
  LEADER_FILE,
  STARTER_FILE,
  EXPORTERS_FILE,
  PUSHED_FILE,
  NEW_PUSHED_FILE,
  BELL_FILE,
];
const NEW_FILE_FLAGS: number = OPEN_FLAGS | constants.O_CREAT | constants.O_EXCL;
/** What the header has about leaders: the inode of a file, and a port. */
const LEADER_BYTES: number = layout.LEADER_PORT_INDEX * 4 + 4 - layout.LEADER_FILE_INT64 * 8;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;

/** The buffer over the file with this identity, if this thread has one. */
type Known = (identity: string) => SharedArrayBuffer | undefined;

/** What a process gets when it opens the region of a directory. */
export interface OpenedDirectory {
  readonly file: MappedFile;
  /** Texts that the user should see, one message each. */
  readonly warnings: readonly string[];
}

/**
 * Opens the region of `directory` (an absolute path), or makes one of `maxBytes`. Throws a `RegionError` that
 * says what is wrong with the directory, and what to do.
 */
export function openStoreDirectory(directory: string, maxBytes: number, known: Known): OpenedDirectory {
  requireNativePart();
  const path = resolve(directory); // no slash at the end, which would follow a link
  const fd = openDirectory(path);
  try {
    return new DirectoryOpener(path, fd, maxBytes, known).open();
  } catch (error) {
    throw asRegionError(path, error);
  } finally {
    closeSync(fd); // and the lock on it with it
  }
}

class DirectoryOpener {
  readonly #path: string;
  readonly #fd: number;
  readonly #maxBytes: number;
  readonly #known: Known;
  readonly #warnings: string[] = [];

  constructor(path: string, fd: number, maxBytes: number, known: Known) {
    this.#path = path;
    this.#fd = fd;
    this.#maxBytes = maxBytes;
    this.#known = known;
  }

  open(): OpenedDirectory {
    this.#check();
    this.#lock();
    this.#makeOtherFiles();
    const { fd, maxBytes } = this.#findRegion() ?? this.#makeRegion();
    try {
      const identity = identityOf(fstatSync(fd, { bigint: true }));
      let buffer = this.#known(identity);
      if (buffer === undefined) {
        buffer = growableBuffer(maxBytes, maxBytes);
        mapFile(buffer, fd);
      }
      return { file: new MappedFile(buffer, this.#path, identity, fd), warnings: this.#warnings };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  #check(): void {
    const stats = fstatSync(this.#fd, { bigint: true });
    if (!isOwn(stats))
      throw new RegionError(
        'E_PERM',
        `the store directory ${this.#path} belongs to user ${stats.uid}, and this process runs as user ${process.getuid!()}: name a directory of that user, or one that does not exist yet`,
      );
    const fileSystem = fileSystemOf(this.#fd);
    if (!MEMORY_FILE_SYSTEMS.includes(fileSystem)) this.#checkDisk(fileSystem);
    if ((Number(stats.mode) & 0o777) === PRIVATE_DIRECTORY) return;
    const strange = readdirSync(this.#path).find((name) => !OWN_FILES.includes(name));
    if (strange !== undefined)
      throw new RegionError(
        'E_PERM',
        `others may enter the store directory ${this.#path}, and it has other files (${shortText(strange)}): name a directory for the store alone, such as ${join(this.#path, 'metrics')}`,
      );
    fchmodSync(this.#fd, PRIVATE_DIRECTORY);
  }

  #checkDisk(fileSystem: string): void {
    if (!DISK_FILE_SYSTEMS.includes(fileSystem))
      throw new RegionError(
        'E_FILESYSTEM',
        `the store directory ${this.#path} is on ${fileSystem}, where processes cannot share memory safely: name a directory in memory, such as /dev/shm/<app>`,
      );
    this.#warnings.push(
      `seqlock-metrics: the store directory ${this.#path} is on a disk (${fileSystem}): recording may stall while the disk is slow. Name a directory in memory, such as /dev/shm/<app>`,
    );
  }

  #lock(): void {
    for (const end = performance.now() + LOCK_MILLIS; !tryLock(this.#fd, 'exclusive');) {
      if (performance.now() > end)
        throw new RegionError(
          'E_BUSY',
          `another process has been opening the store directory ${this.#path} for ${LOCK_MILLIS} ms: end that process if it is stopped, or try again`,
        );
      sleepSync(LOCK_STEP_MILLIS);
    }
  }

  #makeOtherFiles(): void {
    const writers = join(this.#path, WRITERS_DIRECTORY);
    makeDirectory(writers);
    closeSync(openDirectory(writers));
    for (const name of [LEADER_FILE, STARTER_FILE, EXPORTERS_FILE, BELL_FILE])
      closeSync(this.#openFile(name, OPEN_FLAGS | constants.O_CREAT)!);
  }

  /** A regular file of this user; undefined when there is none of the name. */
  #openFile(name: string, flags: number): number | undefined {
    const path = join(this.#path, name);
    let fd: number;
    try {
      fd = openSync(path, flags, PRIVATE_FILE);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return undefined;
      if (code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO') throw notAFile(path);
      throw error;
    }
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile() && isOwn(stats)) return fd;
    closeSync(fd);
    throw stats.isFile()
      ? new RegionError(
          'E_PERM',
          `${path} belongs to user ${stats.uid}, not to the user of this process: remove it`,
        )
      : notAFile(path);
  }

  /** The region that is there, if it can be used. */
  #findRegion(): { readonly fd: number; readonly maxBytes: number } | undefined {
    const fd = this.#openFile(REGION_FILE, OPEN_FLAGS);
    if (fd === undefined) return undefined;
    const isAlone = tryLock(fd, 'exclusive');
    try {
      const header = Buffer.alloc(layout.HEADER_BYTES);
      readSync(fd, header, 0, header.length, 0);
      const { maxBytes, ownerKind } = readIdentity(header);
      const { size } = fstatSync(fd);
      if (size !== maxBytes || ownerKind !== 'file-lock')
        throw new RegionError(
          'E_RANGE',
          `${join(this.#path, REGION_FILE)} has ${size} bytes, and its header says ${maxBytes}`,
        );
      if (isAlone && !isToBeContinued(header)) {
        closeSync(fd);
        return undefined;
      }
      allocate(fd, 0, Math.min(maxBytes, usedBytesOf(header)));
      // The file may be another one by now, and the port another's. The first leader writes them anew.
      if (isAlone) writeSync(fd, new Uint8Array(LEADER_BYTES), 0, LEADER_BYTES, layout.LEADER_FILE_INT64 * 8);
      if (maxBytes !== this.#maxBytes)
        this.#warnings.push(
          `seqlock-metrics: the store in ${this.#path} was made with maxBytes ${maxBytes}, and this process asks for ${this.#maxBytes}: the store keeps the size it was made with. Give all processes the same maxBytes, and end them all for ${CONTINUED_MILLIS / 60_000} minutes to get a store of another size`,
        );
      return { fd, maxBytes };
    } catch (error) {
      closeSync(fd);
      const { code } = error as { code?: string };
      if (!isAlone || !(error instanceof RegionError) || code === 'E_VERSION' || code === 'E_ORDER')
        throw error;
      this.#warnings.push(
        `seqlock-metrics: the store in ${this.#path} is damaged (${error.message}), and no process uses it. It is replaced by a new one; what the old one counted is lost`,
      );
      return undefined;
    }
  }

  /**
   * A new region gets its name when it is whole. A process that dies here leaves nothing that anybody reads.
   */
  #makeRegion(): { readonly fd: number; readonly maxBytes: number } {
    const maxBytes = this.#maxBytes;
    const path = join(this.#path, NEW_REGION_FILE);
    rmSync(path, { force: true });
    const fd = this.#openFile(NEW_REGION_FILE, NEW_FILE_FLAGS)!;
    try {
      ftruncateSync(fd, maxBytes);
      allocate(fd, 0, layout.EXTENTS_OFFSET);
      const header = Buffer.alloc(layout.HEADER_BYTES);
      writeIdentity(header, { maxBytes, ownerKind: 'file-lock' });
      header.writeInt32LE(layout.EXTENTS_OFFSET / layout.UNIT_BYTES, layout.EXTENTS_END_INDEX * 4);
      header.write(bootId(), layout.BOOT_OFFSET, 'latin1');
      header.write(randomUUID(), layout.STORE_ID_OFFSET, 'latin1');
      header.writeDoubleLE(systemClock.now(), layout.SIGN_OF_LIFE_DOUBLE * 8);
      writeSync(fd, header, 0, header.length, 0);
      renameSync(path, join(this.#path, REGION_FILE));
      return { fd, maxBytes };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
}

function openDirectory(path: string): number {
  makeDirectory(path);
  try {
    return openSync(path, DIRECTORY_FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR' || code === 'ELOOP')
      throw new RegionError(
        'E_TYPE',
        `the store directory ${path} is a link or not a directory: name a directory, or a path that does not exist yet`,
      );
    throw asRegionError(path, error);
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: PRIVATE_DIRECTORY });
    chmodSync(path, PRIVATE_DIRECTORY); // whatever the umask says
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new RegionError(
        'E_TYPE',
        `the store directory ${path} cannot be made, because its parent is missing or not a directory: make that first`,
      );
    throw asRegionError(path, error);
  }
}

function isOwn({ uid }: BigIntStats): boolean {
  return Number(uid) === process.getuid!();
}

function notAFile(path: string): RegionError {
  return new RegionError(
    'E_TYPE',
    `${path} is a link or not a regular file, and seqlock-metrics did not make it: remove it`,
  );
}

/**
 * True if the last processes that had the store were there a short time ago, and the machine was not
 * restarted since.
 */
function isToBeContinued(header: Buffer): boolean {
  const boot = bootId();
  const sign = header.readDoubleLE(layout.SIGN_OF_LIFE_DOUBLE * 8);
  return (
    boot !== '' &&
    header.toString('latin1', layout.BOOT_OFFSET, layout.BOOT_OFFSET + boot.length) === boot &&
    Math.abs(systemClock.now() - sign) < CONTINUED_MILLIS
  );
}

function usedBytesOf(header: Buffer): number {
  const units = header.readInt32LE(layout.EXTENTS_END_INDEX * 4);
  return Math.max(layout.EXTENTS_OFFSET, units * layout.UNIT_BYTES);
}

/** '' if the system does not say. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, layout.UUID_BYTES);
  } catch {
    return '';
  }
}

/** Turns an error of the system into one of ours. */
function asRegionError(path: string, error: unknown): RegionError {
  if (error instanceof RegionError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ERR_ACCESS_DENIED':
      return new RegionError(
        'E_PERM',
        `the store directory ${path} cannot be used (${message}): give this process the right to read and write there`,
      );
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
    case 'ENOMEM':
    case 'EMFILE':
    case 'ENFILE': {
      const { reason, fix } = refusalOf(path, error);
      return new RegionError('E_MEMORY', `${reason}. ${fix}`);
    }
    case 'EOPNOTSUPP':
    case 'ENOTSUP':
    case 'ENOLCK':
    case 'ENODEV':
      return new RegionError(
        'E_FILESYSTEM',
        `the file system of ${path} cannot hold a store (${message}): name a directory in memory, such as /dev/shm/<app>`,
      );
    default:
      return new RegionError('E_TYPE', `the store directory ${path} cannot be used: ${shortText(error)}`);
  }
}
