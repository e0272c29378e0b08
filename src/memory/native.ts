/**
 * The native part: what a store of several processes needs of the operating system and Node.js does not
 * offer. It is a small addon (`native/shared_memory.c`) or, where the package has none that fits, the package
 * `koffi`, which calls the same functions of the C library. Nothing is loaded before the first call, so that
 * a store of one process needs none.
 *
 * Every function here may be called by any thread. A failing system call throws an error like those of
 * `node:fs`: `code` is the name of the errno (`ENOSPC`), `syscall` the name of the function. Every function
 * throws a `RegionError` with `E_PLATFORM` where there is no native part.
 */
import { fstatSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { RegionError } from '../base/errors.ts';

/** What both ways offer. Each answers 0 or an errno; `fileSystem` see the C source. */
export interface SystemCalls {
  map(view: Uint8Array, fd: number): number;
  lock(fd: number, operation: number): number;
  allocate(fd: number, offset: number, length: number): number;
  fileSystem(fd: number): number | string;
}

const LOCK = { shared: 1, exclusive: 2 } as const;
const LOCK_NOT_WAITING = 4;
const UNLOCK = 8;

/** Names of file systems by the magic number of statfs(2). */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
  [0xef53, 'ext4'], // ext2 and ext3 too
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlay'],
  [0xf2f52010, 'f2fs'],
  [0x2fc12fc1, 'zfs'],
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x00c36400, 'ceph'],
  [0x5346414f, 'afs'],
]);

/**
 * Maps the file over the buffer's memory, for every view of it and every thread that has it. The buffer must
 * have its full length (`maxByteLength`), in whole pages, and hold nothing that is still needed. The file
 * must be as long as the buffer. The mapping outlives `fd` and ends when the buffer is garbage-collected.
 */
export function mapFile(buffer: SharedArrayBuffer, fd: number): void {
  // Only a growable buffer is a reservation of its own; other memory may be part of something else.
  if (!buffer.growable || buffer.byteLength !== buffer.maxByteLength)
    throw new TypeError('mapFile: the buffer must be growable and grown to its end');
  // Reading or writing memory beyond the file's end would end the process (SIGBUS).
  const { size } = fstatSync(fd);
  if (size < buffer.byteLength)
    throw new RangeError(`mapFile: the file has ${size} bytes, the buffer ${buffer.byteLength}`);
  succeed('mmap', systemCalls().map(new Uint8Array(buffer, 0, buffer.byteLength), fd));
}

/**
 * Takes a lock on the open file behind `fd`, without waiting: flock(2). False when another open file holds
 * one that excludes it. The kernel frees it when the last descriptor of the open file is closed, however the
 * process ends.
 */
export function tryLock(fd: number, kind: keyof typeof LOCK): boolean {
  const errno = systemCalls().lock(fd, LOCK[kind] | LOCK_NOT_WAITING);
  if (errno !== 0 && getSystemErrorName(-errno) === 'EAGAIN') return false;
  succeed('flock', errno);
  return true;
}

/** Releases a lock taken by `tryLock`. Does nothing when there is none. */
export function unlock(fd: number): void {
  succeed('flock', systemCalls().lock(fd, UNLOCK));
}

/**
 * Gives memory or disk to a range of the file, so that no later write there can fail. Data that is there
 * stays. Throws with `ENOSPC`, `EDQUOT`, `ENOMEM` or `EFBIG` when there is no room, with `EOPNOTSUPP` when
 * the file system cannot do it.
 */
export function allocate(fd: number, offset: number, bytes: number): void {
  succeed('fallocate', systemCalls().allocate(fd, offset, bytes));
}

/**
 * The name of the file system that holds the file, such as `tmpfs`; of an unknown one, its number in
 * hexadecimal.
 */
export function fileSystemOf(fd: number): string {
  const type = systemCalls().fileSystem(fd);
  if (typeof type === 'string') return type;
  if (type < 0) succeed('fstatfs', -type);
  return FILE_SYSTEMS.get(type) ?? `0x${type.toString(16)}`;
}

/**
 * Throws a `RegionError` with `E_PLATFORM` when stores cannot be shared here, and loads the native part
 * otherwise.
 */
export function requireNativePart(): void {
  systemCalls();
}

function succeed(syscall: string, errno: number): void {
  if (errno === 0) return;
  const code = getSystemErrorName(-errno);
  throw Object.assign(new Error(`${code}: ${syscall} failed`), { code, errno: -errno, syscall });
}

/**
 * The path of the addon for this platform, in `dist` of the package and in a build for tests alike. Throws a
 * `RegionError` in a program that was bundled as CommonJS, which does not know the paths of its modules.
 */
export function addonPath(): string {
  const here = import.meta.url as string | undefined;
  if (here === undefined)
    throw cannotShare('this program is bundled as CommonJS', 'mark seqlock-metrics as external');
  return fileURLToPath(new URL(`../native/${process.platform}-${process.arch}.node`, here));
}

let loaded: SystemCalls | undefined;

function systemCalls(): SystemCalls {
  return (loaded ??= loadSystemCalls(addonPath()));
}

/**
 * The addon at `path`, else koffi. Throws a `RegionError` that says what is missing. For `systemCalls` and
 * tests.
 */
export function loadSystemCalls(path: string): SystemCalls {
  const { platform } = process;
  if (platform !== 'linux' && platform !== 'darwin')
    throw cannotShare(`${platform} cannot map a file where shared memory is`, 'run it on Linux or macOS');
  const require = createRequire(import.meta.url);
  const failures: string[] = [];
  for (const [what, load] of [
    [path, () => require(path) as SystemCalls],
    ['koffi', () => koffiCalls(require)],
  ] as const)
    try {
      return load();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_DLOPEN_DISABLED')
        throw cannotShare(
          'native addons are disabled',
          'start Node.js without --no-addons or, under its permission model, with --allow-addons',
        );
      failures.push(`${what}: ${message.split('\n', 1)[0]}`);
    }
  throw cannotShare(
    `no native part can be loaded (${failures.join('; ')})`,
    'run `npm install koffi`; in a bundled program, mark seqlock-metrics as external',
  );
}

function cannotShare(reason: string, fix: string): RegionError {
  return new RegionError(
    'E_PLATFORM',
    `a store cannot be shared by processes here: ${reason}. To share it, ${fix}. Without a store directory it works in this process alone.`,
  );
}

interface Koffi {
  load(path: null): { func(declaration: string): (...args: unknown[]) => number };
  errno(): number;
}

/** The same calls through koffi, on Linux. On macOS the package has all addons there can be. */
function koffiCalls(require: NodeJS.Require): SystemCalls {
  if (process.platform !== 'linux') throw new Error('koffi is used on Linux only');
  const koffi = require('koffi') as Koffi;
  const library = koffi.load(null);
  const mmap = library.func('intptr_t mmap(void *, size_t, int, int, int, int64_t)');
  const flock = library.func('int flock(int, int)');
  const fallocate = library.func('int fallocate(int, int, int64_t, int64_t)');
  const fstatfs = library.func('int fstatfs(int, void *)');
  const READ_AND_WRITE = 1 | 2;
  const SHARED_AND_FIXED = 1 | 16;
  const outcome = (result: number): number => (result === -1 ? koffi.errno() : 0);
  return {
    map: (view, fd) => outcome(Number(mmap(view, view.length, READ_AND_WRITE, SHARED_AND_FIXED, fd, 0))),
    lock: (fd, operation) => outcome(flock(fd, operation)),
    allocate: (fd, offset, length) => outcome(fallocate(fd, 0, offset, length)),
    fileSystem(fd) {
      const statfs = new BigUint64Array(64); // longer than the structure, which begins with the type
      return fstatfs(fd, statfs) === -1 ? -koffi.errno() : Number(statfs[0]! & 0xffffffffn);
    },
  };
}
