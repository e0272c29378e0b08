import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Region } from '../../src/memory/region.ts';
import { refusalOf } from '../../src/memory/refusal.ts';
import { acquireSlab, slabOwner } from '../../src/memory/slab.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter } from '../support/descriptions.ts';
import { recordTo } from '../support/record-to.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';
import { collectWarnings } from '../support/warnings.ts';

describe('what is said where memory or a slab is not to be had', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  const open = (): Region => Region.open(join(newFolder(), 'store'), 2 ** 20, () => undefined).region;

  for (const [codes, reason, fix] of [
    [['ENOSPC', 'EDQUOT'], 'is full', 'Free space'],
    [['EFBIG'], 'as far as that into a file', 'ulimit -f'],
    [['ENOMEM', 'E_MEMORY'], 'no more memory', 'memory limit'],
    [['EMFILE', 'ENFILE'], 'no file descriptor left', 'ulimit -n'],
    [['ENOENT', undefined], 'was removed or changed', 'Restart'],
  ] as const)
    it(`names what ${codes.join(' and ')} means, the directory, and the fix`, () => {
      for (const code of codes) {
        const refusal = refusalOf('/dev/shm/shop', Object.assign(new Error(), { code }));
        expect(refusal.reason)
          .to.include(reason)
          .and.include('/dev/shm/shop')
          .and.include(code ?? '');
        expect(refusal.fix).to.include(fix);
      }
    });

  it('tells maxBytes that is used from a file system that is full', () => {
    const region = open();
    const { slab } = acquireSlab(region)!;
    while (region.claimExtent(slab, 65_536) !== undefined);
    expect(region.refusal.reason).to.equal(`all of maxBytes ${2 ** 20} is used`);
    expect(region.refusal.fix).to.include('Raise maxBytes').and.include(region.directory!);
  });

  it('takes the next slab where something else is in the place of a lock file', function () {
    if (process.platform !== 'linux') this.skip();
    const region = open();
    const writers = join(region.directory!, 'writers');
    execFileSync('mkfifo', [join(writers, '0')]);
    mkdirSync(join(writers, '1'));
    symlinkSync('/dev/null', join(writers, '2'));
    expect(acquireSlab(region)).to.deep.equal({ slab: 3, adopted: false });
    for (let slab = 0; slab < 3; slab++) expect(slabOwner(region, slab)).to.equal(0);
  });

  it('does not say that all slabs are in use where their lock files cannot be made', () => {
    const log = collectWarnings();
    try {
      const region = open();
      rmSync(join(region.directory!, 'writers'), { recursive: true });
      recordTo(new StoreWriter(region).stream(counter('lost'), 10), 1, {});
      expect(region.lostMeasurements).to.equal(1);
      expect(log.warnings[0])
        .to.include('no room for another writing thread')
        .and.include('was removed or changed (ENOENT)')
        .and.not.include('1024');
    } finally {
      log.stop();
    }
  });
});
