/** The public types, as a report kept in the repository: a change of them is to be seen in review, and made on purpose. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

describe('API report', function () {
  this.timeout(120_000);

  it('has no public type or member without a description', () => {
    const report = readFileSync(join(ROOT, 'docs/seqlock-metrics.api.md'), 'utf8').split('\n');
    const bare = report.filter((_line, i) => report[i - 1]?.includes('(undocumented)') === true);
    expect(bare).to.deep.equal([]);
  });

  it('says what the types say; `npm run api` writes it anew', () => {
    const compared = join(ROOT, 'build/api');
    rmSync(compared, { recursive: true, force: true });
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/@microsoft/api-extractor/bin/api-extractor'), 'run'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    expect(
      status,
      `docs/seqlock-metrics.api.md is not what src has. If you meant to change the public types, run \`npm run api\` and commit it.\n${stdout}${stderr}`,
    ).to.equal(0);
  });
});
