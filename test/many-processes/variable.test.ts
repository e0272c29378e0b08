import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/program.ts';
import { newFolder, removeFolders } from '../support/store-directories.ts';

const PROGRAM = fileURLToPath(new URL('../support/variable-program.js', import.meta.url));

interface Found {
  readonly directory: string | null;
  readonly total: number;
  readonly said: readonly string[];
}

/** `how`: what makes the store. */
async function count(how: string, directory: string, configured?: string): Promise<Found> {
  const { stdout } = await runWell(process.execPath, [PROGRAM, how, configured ?? ''], {
    env: { SEQLOCK_METRICS_DIRECTORY: directory },
  });
  return JSON.parse(stdout) as Found;
}

describe('SEQLOCK_METRICS_DIRECTORY', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  after(removeFolders);

  for (const how of ['open', 'metrics'])
    it(`names the store of all processes: ${how}`, async () => {
      const directory = join(newFolder(), 'store');
      const first = await count(how, directory);
      const second = await count(how, directory);
      expect(first).to.deep.equal({ directory, total: 10, said: first.said });
      expect(second.total).to.equal(20);
      expect(second.said.filter((message) => message.includes('does not share'))).to.deep.equal([]);
    });

  it('is not asked where a directory is given', async () => {
    const [one, other] = [join(newFolder(), 'store'), join(newFolder(), 'store')];
    expect((await count('metrics', one, other)).directory).to.equal(other);
  });

  it('that cannot be used is said once, and the process has a store of its own', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    for (const [directory, reason] of [
      [file, 'not a directory'],
      ['relative/path', 'SEQLOCK_METRICS_DIRECTORY is "relative/path"; it must be an absolute path'],
      [`/dev/shm/${'x'.repeat(256)}`, 'each name in it of at most 255'],
    ] as const)
      for (const how of ['open', 'metrics']) {
        const { directory: used, total, said } = await count(how, directory);
        expect(used).to.equal(null);
        expect(total).to.equal(10);
        const warnings = said.filter((message) =>
          message.includes('does not share its metrics with other processes'),
        );
        expect(warnings, how).to.have.length(1);
        expect(warnings[0]).to.include(reason);
      }
  });
});
