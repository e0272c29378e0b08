/** Real signals to real processes, alone and beside others who listen. */
import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { start } from '../support/program.ts';

const APP = fileURLToPath(new URL('../support/signal-app.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly by: string | null;
  readonly said: readonly string[];
}

async function end(who: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  const app = start(process.execPath, [APP, who, signal], { timeoutMillis: 20_000 });
  let by: string | null = null;
  app.child.once('exit', (_code, ended) => (by = ended));
  await Promise.race([new Promise((resolve) => app.child.stdout!.once('data', resolve)), app.outcome]);
  app.child.kill(signal);
  const { code, stdout } = await app.outcome;
  return { code, by, said: stdout.trim().split('\n').slice(1) };
}

describe('DefaultSignal', () => {
  const bySignal = (...said: string[]): Ended => ({ code: null, by: 'SIGTERM', said });
  const expected: readonly [string, Ended][] = [
    ['nobody', bySignal('acted')],
    ['signal-exit 4', bySignal('acted', 'signal-exit')],
    ['signal-exit 3', bySignal('acted', 'signal-exit')],
    ['both signal-exits', bySignal('signal-exit', 'acted', 'signal-exit')],
    ['a copy', bySignal('copy', 'acted')],
    ['a copy and signal-exit 4', bySignal('acted', 'copy', 'signal-exit')],
    ['one in front that counts', bySignal('0 others', 'acted')],
    ['one that leaves, then counts', bySignal('acted')],
    ['one for once that resends', bySignal('acted')],
    ['one for once that ends the app', { code: 9, by: null, said: [] }],
    ['one that leaves later', bySignal('acted')],
    ['one that removes all later', bySignal('acted')],
    ['one that removed all before', bySignal('acted')],
    ['one that goes on', { code: 0, by: null, said: ['signal 1', 'signal 2'] }],
  ];
  for (const [who, ended] of expected)
    it(`acts once at most beside ${who}, and the process ends as it would without it`, async () => {
      expect(await end(who)).to.deep.equal(ended);
    });

  for (const signal of ['SIGINT', 'SIGHUP'] as const)
    it(`ends the process by ${signal}`, async () => {
      for (const who of ['nobody', 'signal-exit 4'])
        expect((await end(who, signal)).by, who).to.equal(signal);
    });

  it('is back for the next signal as PID 1, which is not ended by default', async function () {
    const inNamespace = ['--user', '--map-root-user', '--pid', '--fork'];
    if (spawnSync('unshare', [...inNamespace, 'true']).status !== 0) return this.skip();
    const app = start('unshare', [...inNamespace, process.execPath, APP, 'nobody', 'SIGTERM']);
    let said = '';
    app.child.stdout!.on('data', (text: string) => (said += text));
    await eventually(async () => (said.includes('ready') ? true : undefined));
    const { pid: parent } = app.child;
    const pid = Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8'));
    for (const signals of [1, 2]) {
      process.kill(pid, 'SIGTERM');
      await eventually(async () => (said.match(/acted/g)?.length === signals ? true : undefined));
    }
    process.kill(pid, 'SIGKILL');
    await app.outcome;
  });
});
