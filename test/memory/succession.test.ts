import { expect } from 'chai';
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { Succession } from '../../src/memory/succession.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

/** Descriptors of files in a folder. */
function openIn(folder: string): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
      } catch {
        return false; // the one by which the list was read
      }
    });
}

// Locks belong to open files, so several objects of one thread exclude each other as several processes do.
describe('Succession', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  const members = (count: number): Succession[] => {
    const folder = newFolder();
    return Array.from({ length: count }, () => new Succession(folder));
  };

  it('has one last member, whoever leaves first', () => {
    const [first, second, third] = members(3) as [Succession, Succession, Succession];
    for (const one of [first, second, third]) expect(one.join()).to.equal(true);
    expect([second.leave(), first.leave()]).to.deep.equal([false, false]);
    expect(third.leave()).to.equal(true);
    expect(third.leave(), 'asked again').to.equal(true);
    third.close();
  });

  it('lets nobody join while the last one ends, and then who was there again', () => {
    const [last, next] = members(2) as [Succession, Succession];
    last.join();
    expect(last.leave()).to.equal(true);
    expect(next.join()).to.equal(false);
    expect(next.leave(), 'it never joined').to.equal(false);
    expect(last.join(), 'it goes on after all').to.equal(true);
    expect(next.join()).to.equal(true);
    expect(last.leave()).to.equal(false);
    expect(next.leave()).to.equal(true);
    next.close();
    expect(last.leave(), 'of nobody').to.equal(true);
    last.close();
  });

  it('counts who has lost the descriptor to code that closes what it does not know as gone, until it leaves', function () {
    if (process.platform !== 'linux') this.skip();
    const folder = newFolder();
    const [one, other] = [new Succession(folder), new Succession(folder)];
    one.join();
    const fds = openIn(folder);
    other.join();
    for (const fd of fds) closeSync(fd);
    expect(one.leave(), 'the other one is there').to.equal(false);
    expect(other.leave()).to.equal(true);
    other.close();
    one.join();
    for (const fd of openIn(folder)) closeSync(fd);
    expect(one.leave()).to.equal(true);
    one.close();
  });

  it('lets one start an exporter thread', () => {
    const [one, other] = members(2) as [Succession, Succession];
    expect([one.tryToStart(), one.tryToStart(), other.tryToStart()]).to.deep.equal([true, true, false]);
    one.endStart();
    expect(other.tryToStart()).to.equal(true);
    other.close();
    expect(one.tryToStart()).to.equal(true);
    one.close();
  });

  it('keeps no descriptor when it is closed', function () {
    if (process.platform !== 'linux') this.skip();
    const folder = newFolder();
    const one = new Succession(folder);
    one.join();
    one.tryToStart();
    one.close();
    expect(openIn(folder)).to.deep.equal([]);
  });

  it('does nothing in a directory that was removed', () => {
    const [one] = members(1) as [Succession];
    removeFolders();
    expect([one.join(), one.tryToStart(), one.leave()]).to.deep.equal([false, false, false]);
  });
});
