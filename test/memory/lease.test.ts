import { expect } from 'chai';
import { closeSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXTENTS_OFFSET, READER_MARK_INDEX, UNIT_BYTES } from '../../src/memory/layout.ts';
import { LEADER_FILE, LockLease } from '../../src/memory/lease.ts';
import { MARK_KIND, OWN_MARK } from '../../src/memory/liveness.ts';
import { Region } from '../../src/memory/region.ts';
import { DEAD_MARK, needsProc, otherLiveMark } from '../support/marks.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const MAX_BYTES = 256 * UNIT_BYTES;

describe('ThreadLease', () => {
  it('is the first thread that takes it, and no other live one gets it', () => {
    const { lease, words } = Region.create(MAX_BYTES);
    expect(lease.take()).to.equal(true);
    expect(lease.take(), 'the same thread again').to.equal(true);
    words[READER_MARK_INDEX] = MARK_KIND === 'linux-thread-id' ? otherLiveMark() : OWN_MARK + 1;
    expect(lease.isFree()).to.equal(false);
    expect(lease.take()).to.equal(false);
  });

  it('passes on from a dead thread', function () {
    needsProc.call(this);
    const { lease, words } = Region.create(MAX_BYTES);
    words[READER_MARK_INDEX] = DEAD_MARK;
    expect(lease.isFree()).to.equal(true);
    expect(lease.take()).to.equal(true);
    expect(words[READER_MARK_INDEX]).to.equal(OWN_MARK);
  });
});

// Locks belong to open files, so several leases of one thread exclude each other as several processes do.
describe('LockLease', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  /** Leases of two processes of one store. */
  function two(): { readonly folder: string; readonly one: LockLease; readonly other: LockLease } {
    const folder = newFolder();
    const words = new Int32Array(new SharedArrayBuffer(EXTENTS_OFFSET));
    return { folder, one: new LockLease(folder, words), other: new LockLease(folder, words) };
  }

  it('has one holder', () => {
    const { folder, one, other } = two();
    writeFileSync(join(folder, LEADER_FILE), '');
    expect([one.isFree(), other.isFree()]).to.deep.equal([true, true]);
    expect([one.take(), one.take(), other.take()]).to.deep.equal([true, true, false]);
    expect([one.isFree(), other.isFree()]).to.deep.equal([false, false]);
    expect(other.obstacle).to.equal(undefined);
  });

  it('stays with its holder when code of the app closes descriptors that it does not know', function () {
    if (process.platform !== 'linux') this.skip();
    const { folder, one, other } = two();
    one.take();
    for (const fd of readdirSync('/proc/self/fd').map(Number))
      try {
        if (readlinkSync(`/proc/self/fd/${fd}`) === join(folder, LEADER_FILE)) closeSync(fd);
      } catch {
        // The one by which the list was read.
      }
    expect([other.take(), one.take()]).to.deep.equal([false, true]);
  });

  it('is given to nobody by a file that was put in the place of the first one, and says so', () => {
    const { folder, one, other } = two();
    const path = join(folder, LEADER_FILE);
    one.take();
    renameSync(path, `${path}.moved`);
    expect([other.isFree(), other.obstacle?.reason]).to.deep.equal([
      false,
      `the store directory ${folder} was removed or changed (ENOENT)`,
    ]);
    expect([other.take(), other.isFree()]).to.deep.equal([false, false]);
    expect(other.obstacle?.reason).to.equal(`the file ${path} was removed or replaced`);
    expect(one.take(), 'its holder keeps it').to.equal(true);
    rmSync(path);
    renameSync(`${path}.moved`, path);
    expect([other.take(), other.isFree(), other.obstacle]).to.deep.equal([false, false, undefined]);
  });
});
