import { expect } from 'chai';
import { fileURLToPath } from 'node:url';
import { runWell } from '../support/program.ts';

/** Node's permission model, with the files of the app alone: in this process /proc cannot be read, in workers with `execArgv` it can. */
describe("threads of which Node's permission model shows /proc to some", () => {
  it('lose no measurement, no gauge of a live thread, and no slab to a second writer', async () => {
    const program = fileURLToPath(new URL('../support/permission-program.js', import.meta.url));
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const flag = process.version.startsWith('v20.') ? '--experimental-permission' : '--permission';
    const { stdout } = await runWell(process.execPath, [
      '--no-warnings',
      flag,
      '--allow-worker',
      `--allow-fs-read=${root}`,
      program,
    ]);
    expect(JSON.parse(stdout)).to.deep.equal({
      markKind: 'node-thread-id',
      sees: [false],
      expected: 600_002,
      counted: 600_002,
      gauges: 6,
      slabs: 7,
      gaugesAfter: 0,
    });
  });
});
