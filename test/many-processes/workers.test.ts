import { expect } from 'chai';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/program.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const WORKERS = 10;

describe('workers in a process of a shared store', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  after(removeFolders);

  it('record into the memory of their process, and are followed by others when they are terminated', async () => {
    const program = fileURLToPath(new URL('../support/sharing-workers.js', import.meta.url));
    const { stdout } = await runWell(process.execPath, [
      program,
      join(newFolder(), 'store'),
      String(WORKERS),
    ]);
    const found = JSON.parse(stdout) as Record<string, number>;
    expect(found['missed'], 'what was recorded and not noted yet').to.be.within(0, WORKERS);
    expect(found['slabs']).to.equal(2);
    expect(found['maps'], 'one mapping of the region in the process').to.equal(1);
    expect(found['lockMaps'], 'the main thread has its lock, and no dead worker').to.be.at.most(1);
  });
});
