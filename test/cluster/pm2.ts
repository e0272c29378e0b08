/** PM2 as users run it: started by an ecosystem file, reloaded, its processes killed, stopped. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../examples/demo/free-port.ts';
import { sleep } from '../processes/children.ts';
import { check, skip } from '../processes/report.ts';
import { newFolder } from '../support/store-directories.ts';
import { checkTotal, settled } from './cluster.ts';
import { APP, REGISTER, Shop, Watcher } from './shop.ts';

const PM2 = 'pm2@7.0.4';
const INSTANCES = 4;

let installed: string | undefined;

/** The folder of the command `pm2`; undefined if npm does not give it. */
function pm2(): string | undefined {
  if (installed !== undefined) return installed;
  const folder = newFolder();
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  try {
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', PM2], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  } catch (error) {
    skip(`${PM2}: ${String(error)}`);
    return undefined;
  }
  return (installed = join(folder, 'node_modules/.bin'));
}

/** What README.md tells users to paste: what it sets, and how it starts PM2. */
function fromReadme(): readonly [set: string, start: string] {
  const readme = readFileSync('README.md', 'utf8');
  const [, block = ''] = /### Cluster and PM2[^]*?```sh\n([^]*?)```/.exec(readme) ?? [];
  const lines = block.split('\n').map((line) => line.replace(/ # .*/, '').trim());
  return [lines.slice(0, 2).join('\n'), lines.find((line) => line.startsWith('pm2 start'))!];
}

interface Listed {
  readonly pid: number;
  readonly pm2_env: { readonly status: string };
}

export async function checkPm2(mode: 'cluster' | 'fork', reloads: number, kills: number): Promise<void> {
  const bin = pm2();
  if (bin === undefined) return;
  const shop = await Shop.open();
  const home = join(shop.folder, 'pm2');
  mkdirSync(home);
  const env: Record<string, string | undefined> = {
    ...process.env,
    ...shop.env,
    ...(mode === 'cluster' && { APP_PORT: String(await freePort()) }),
    PATH: `${bin}:${process.env['PATH']}`,
    PM2_HOME: home,
    PM2_DISCRETE_MODE: 'true',
  };
  const run = async (command: string): Promise<string> =>
    (await promisify(execFile)('sh', ['-ec', command], { env })).stdout;
  const online = async (): Promise<number[]> => {
    const listed = JSON.parse((await run('pm2 jlist')).split('\n').at(-1) || '[]') as Listed[];
    return listed.filter(({ pid, pm2_env }) => pid > 0 && pm2_env.status === 'online').map(({ pid }) => pid);
  };
  const [set, start] = fromReadme();
  try {
    if (mode === 'cluster')
      await run(`${set}\n${start}`.replace('/dev/shm/shop', shop.directory).replace('app.js', APP));
    else {
      const ecosystem = join(shop.folder, 'ecosystem.config.cjs');
      const app = {
        name: 'shop',
        script: APP,
        exec_mode: mode,
        instances: INSTANCES,
        node_args: ['--import', REGISTER],
        env: shop.env,
      };
      writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [app] })};\n`);
      await run(`pm2 start ${ecosystem}`);
    }
    await shop.untilServed();
    const watcher = new Watcher(shop, 20);
    for (let i = 0; i < kills; i++) {
      const [leader] = shop.leaders();
      process.kill(leader!, 'SIGKILL');
      await shop.untilServed();
      for (let pids = [leader!]; pids.includes(leader!) || pids.length < INSTANCES; pids = await online())
        await sleep(50);
    }
    for (let i = 0; i < reloads; i++) await run('pm2 reload all');
    const seen = await watcher.stop();
    await shop.untilServed();
    check(
      watcher.falls === 0 && shop.leaders().length === 1,
      `PM2 in ${mode} mode, ${INSTANCES} processes: ${seen}; one leads`,
    );
    await run('pm2 stop all');
    await settled(shop);
    // What PM2 ends by SIGKILL, if it was slow to end, is a death as well.
    await checkTotal(
      shop,
      kills + (reloads + 1) * INSTANCES,
      `PM2 in ${mode} mode, ${kills} killed, ${reloads} reloads, stop: `,
    );
  } finally {
    await run('pm2 kill');
  }
}
