/** The native part, both ways of it: every law is run with the addon and with koffi. */
import { expect } from 'chai';
import { closeSync, existsSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  addonPath,
  allocate,
  fileSystemOf,
  loadSystemCalls,
  mapFile,
  tryLock,
  unlock,
  type SystemCalls,
} from '../../src/memory/native.ts';
import { run } from '../support/program.ts';

const BYTES = 1 << 20;
const { EACCES, EAGAIN, EBADF, EINVAL, ENODEV } = constants.errno;
const EXCLUSIVE = 2 | 4;
const SHARED = 1 | 4;

const growable = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes, { maxByteLength: bytes });
const whole = (buffer: SharedArrayBuffer): Uint8Array => new Uint8Array(buffer, 0, buffer.byteLength);

let folder: string;
let opened: number[];
function open(name: string, flags = 'a+'): number {
  const fd = openSync(join(folder, name), flags);
  opened.push(fd);
  return fd;
}

/** An open file of BYTES bytes; its text is what `contents` says. */
function sparse(name = 'file'): number {
  closeSync(openSync(join(folder, name), 'w'));
  const fd = open(name, 'r+');
  ftruncateSync(fd, BYTES);
  return fd;
}
const contents = (name = 'file'): Buffer => readFileSync(join(folder, name));

describe('native part', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-native-'));
    opened = [];
  });
  afterEach(() => {
    for (const fd of opened) closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  for (const way of ['addon', 'koffi'] as const)
    describe(way, () => {
      let calls: SystemCalls;
      before(function () {
        if (way === 'koffi' && process.platform !== 'linux') return this.skip(); // and macOS has its addon always
        if (way === 'addon' && !existsSync(addonPath())) {
          if (process.env['CI'] === 'true') throw new Error(`${addonPath()} was not built`);
          console.log('SKIPPED: the addon was not built, because there is no C compiler.');
          return this.skip();
        }
        calls = loadSystemCalls(way === 'addon' ? addonPath() : join(tmpdir(), 'no-such.node'));
      });

      it('puts a file where the buffer is, for views made before and after, and for two buffers', () => {
        const fd = sparse();
        const [first, second] = [growable(BYTES), growable(BYTES)];
        const before = new Int32Array(first, 0, BYTES >> 2);
        expect([calls.map(whole(first), fd), calls.map(whole(second), fd)]).to.deep.equal([0, 0]);
        before[1000] = 42;
        expect(contents().readInt32LE(4000)).to.equal(42);
        expect(Atomics.add(new Int32Array(second, 4000, 1), 0, 1)).to.equal(42);
        expect(before[1000]).to.equal(43);
      });

      it('puts it there for another thread that had the buffer before', async () => {
        const fd = sparse();
        const buffer = growable(BYTES);
        const worker = new Worker(
          `const { workerData, parentPort } = require('node:worker_threads');
           const words = new Int32Array(workerData, 0, 16);
           parentPort.once('message', () => { words[3] = 7; parentPort.close(); });
           parentPort.postMessage('has it');`,
          { eval: true, workerData: buffer },
        );
        await once(worker, 'message');
        expect(calls.map(whole(buffer), fd)).to.equal(0);
        worker.postMessage('write');
        await once(worker, 'exit');
        expect(contents().readInt32LE(12)).to.equal(7);
      });

      it('maps nothing that is not whole pages, and no file that is none', () => {
        const fd = sparse();
        const buffer = growable(BYTES);
        expect(calls.map(new Uint8Array(buffer, 8, 4096), fd), 'not aligned').to.equal(EINVAL);
        if (way === 'addon') expect(calls.map(new Uint8Array(buffer, 0, 100), fd), 'a part').to.equal(EINVAL);
        expect(calls.map(whole(buffer), open('.', 'r')), 'a folder').to.be.oneOf([ENODEV, EACCES]);
        expect(calls.map(whole(buffer), 1 << 20), 'a closed descriptor').to.equal(EBADF);
        whole(buffer)[0] = 1;
        expect(contents()[0]).to.equal(0);
      });

      it('locks an open file, not a descriptor or a process', () => {
        const [first, second, third] = [open('lock'), open('lock'), open('lock')];
        expect(calls.lock(first, EXCLUSIVE)).to.equal(0);
        expect(calls.lock(first, EXCLUSIVE), 'has it').to.equal(0);
        expect([calls.lock(second, EXCLUSIVE), calls.lock(second, SHARED)]).to.deep.equal([EAGAIN, EAGAIN]);
        expect(calls.lock(first, 8)).to.equal(0);
        expect([calls.lock(second, SHARED), calls.lock(third, SHARED)]).to.deep.equal([0, 0]);
        expect(calls.lock(first, EXCLUSIVE)).to.equal(EAGAIN);
        expect(calls.lock(1 << 20, EXCLUSIVE)).to.equal(EBADF);
      });

      it('frees the lock of a descriptor that was closed', () => {
        const first = openSync(join(folder, 'lock'), 'w');
        const second = open('lock');
        expect([calls.lock(first, EXCLUSIVE), calls.lock(second, EXCLUSIVE)]).to.deep.equal([0, EAGAIN]);
        closeSync(first);
        expect(calls.lock(second, EXCLUSIVE)).to.equal(0);
      });

      it('allocates a range, again too, and leaves what is written', () => {
        const fd = sparse();
        const buffer = growable(BYTES);
        calls.map(whole(buffer), fd);
        whole(buffer)[5] = 9;
        expect([calls.allocate(fd, 0, 65536), calls.allocate(fd, 0, 65536)]).to.deep.equal([0, 0]);
        expect(contents()[5]).to.equal(9);
        expect(contents().length).to.equal(BYTES);
        expect(calls.allocate(fd, 0, 0)).to.equal(EINVAL);
        expect(calls.allocate(1 << 20, 0, 1)).to.equal(EBADF);
      });

      it('says what a file lies on', () => {
        expect(calls.fileSystem(1 << 20)).to.equal(-EBADF);
        const type = calls.fileSystem(open('file'));
        expect(typeof type).to.equal(process.platform === 'linux' ? 'number' : 'string');
      });
    });

  it('refuses arguments of wrong types, and memory that is not shared', function () {
    if (!existsSync(addonPath())) this.skip();
    const fd = sparse();
    const shared = new Uint8Array(growable(BYTES), 0, BYTES);
    const addon = loadSystemCalls(addonPath()) as unknown as Record<string, (...args: unknown[]) => unknown>;
    const wrong: Record<string, unknown[][]> = {
      map: [
        [],
        [shared],
        [shared.buffer, fd],
        [new Uint8Array(BYTES), fd],
        [new Int32Array(shared.buffer), fd],
        [{}, fd],
        [shared, '3'],
        [shared, -1],
        [shared, 1.5],
        [shared, 2 ** 32 + fd],
      ],
      lock: [[], [fd], [fd, Number.NaN], [2 ** 32, 8], [-1, 8], ['3', 8], [fd, 8n]],
      allocate: [[], [fd, 0], [fd, -1, 1], [fd, 0, Number.NaN], [fd, 0, 2 ** 60], [fd, 0.5, 1], [null, 0, 1]],
      fileSystem: [[], [-1], ['/tmp'], [undefined], [Number.POSITIVE_INFINITY]],
    };
    for (const [name, all] of Object.entries(wrong))
      for (const args of all)
        expect(() => addon[name]!(...args), `${name} ${args.length}`).to.throw(TypeError);
    expect(contents().every((byte) => byte === 0)).to.equal(true);
  });

  it('maps only a buffer that is a reservation of its own, and no file that ends before it does', () => {
    const fd = sparse();
    expect(() => mapFile(new SharedArrayBuffer(BYTES), fd)).to.throw(TypeError, /growable/);
    expect(() => mapFile(new SharedArrayBuffer(4096, { maxByteLength: BYTES }), fd)).to.throw(
      TypeError,
      /end/,
    );
    expect(() => mapFile(growable(2 * BYTES), fd)).to.throw(RangeError, `${BYTES} bytes`);
    mapFile(growable(BYTES), fd);
  });

  it('tells a lock that another has from a call that fails', () => {
    const [first, second] = [open('lock'), open('lock')];
    expect([tryLock(first, 'exclusive'), tryLock(second, 'shared')]).to.deep.equal([true, false]);
    unlock(first);
    expect([tryLock(second, 'shared'), tryLock(first, 'shared')]).to.deep.equal([true, true]);
    expect(() => tryLock(1 << 20, 'shared'))
      .to.throw('EBADF: flock')
      .with.property('code', 'EBADF');
  });

  it('names the error of a call, and the file system', () => {
    const fd = sparse();
    allocate(fd, 0, 4096);
    expect(() => allocate(fd, 0, 0))
      .to.throw('EINVAL: fallocate')
      .with.property('syscall', 'fallocate');
    expect(() => fileSystemOf(1 << 20))
      .to.throw('EBADF: fstatfs')
      .with.property('code', 'EBADF');
    expect(fileSystemOf(fd)).to.match(/^[a-z]/);
    if (!existsSync('/dev/shm')) return;
    const memory = openSync(join('/dev/shm', `seqlock-metrics-${process.pid}`), 'w');
    rmSync(join('/dev/shm', `seqlock-metrics-${process.pid}`));
    opened.push(memory);
    expect(fileSystemOf(memory)).to.equal('tmpfs');
  });

  it('names a file system that it does not know by number', () => {
    if (process.platform !== 'linux') return;
    const fd = openSync('/proc/self/status', 'r');
    opened.push(fd);
    expect(fileSystemOf(fd)).to.equal('0x9fa0');
  });

  it('says what to do where addons are disabled', async () => {
    const program = `import { requireNativePart } from '${new URL('../../src/memory/native.js', import.meta.url).href}';
      try { requireNativePart(); console.log('loaded'); } catch (error) { console.log(error.code, error.message); }`;
    const start = (...flags: string[]) =>
      run(process.execPath, [...flags, '--input-type=module', '-e', program]);
    expect((await start()).stdout).to.equal('loaded\n');
    expect((await start('--no-addons')).stdout).to.match(/^E_PLATFORM .*disabled.*--allow-addons/);
  });
});
