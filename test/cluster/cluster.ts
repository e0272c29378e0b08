/** `node:cluster` without code for metrics: workers that are killed and forked again, and replaced one by one. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { sleep } from '../processes/children.ts';
import { check } from '../processes/report.ts';
import { end, Shop, Watcher } from './shop.ts';

/** Process ids of the children of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * `primaryExports`: the primary process is one of those that export. It leads then, since it is there first. Otherwise
 * workers do, and are killed and replaced while they lead.
 */
export async function checkCluster(primaryExports: boolean, kills: number, reloads: number): Promise<void> {
  const shop = await Shop.open();
  const primary = await shop.start({
    env: {
      WORKERS: '4',
      APP_PORT: String(await freePort()),
      ...(!primaryExports && { OTEL_METRICS_EXPORTER: 'none', WORKERS_EXPORTER: 'prometheus' }),
    },
  });
  const workers = (): number[] => childrenOf(primary.pid!);
  while (workers().length < 4) await sleep(20);
  await shop.untilServed();
  const watcher = new Watcher(shop, 20);
  const gaps: number[] = [];
  for (let i = 0; i < kills; i++) {
    await sleep(300);
    const [leader] = shop.leaders();
    const killed = primaryExports || leader === undefined ? workers()[0]! : leader;
    process.kill(killed, 'SIGKILL');
    gaps.push(await shop.untilServed());
    while (workers().length < 4 || workers().includes(killed)) await sleep(20);
  }
  for (let i = 0; i < reloads; i++) {
    primary.kill('SIGUSR2');
    await once(primary, 'message');
  }
  const led = shop.leaders()[0] === primary.pid;
  const seen = await watcher.stop();
  await end(primary, 'SIGTERM'); // its workers end by themselves then
  await settled(shop);
  const who = primaryExports ? 'whose primary process leads' : 'whose workers lead';
  await checkTotal(
    shop,
    kills + 4,
    `a cluster of 4 ${who}, each with a worker thread, ${kills} killed, ${reloads} rolling restarts: ${seen}; `,
  );
  check(watcher.falls === 0 && led === primaryExports, `a cluster ${who}: no total falls`);
  if (primaryExports) check(watcher.failed === 0, 'while the primary process leads no scrape fails');
}

/** Waits until nobody counts any more. */
export async function settled(shop: Shop): Promise<void> {
  for (let before = -1; before !== shop.noted; await sleep(300)) before = shop.noted;
}

/** What a process finds that starts last, which counts nothing itself. */
export async function checkTotal(shop: Shop, deaths: number, what: string): Promise<void> {
  const { noted } = shop;
  const reader = await shop.start({
    program: fileURLToPath(new URL('../support/leader-app.js', import.meta.url)),
  });
  await shop.untilServed();
  const counted = (await shop.scrape())!;
  // Each process that was killed has two threads that record.
  check(counted >= noted && counted <= noted + 2 * deaths, `${what}${counted} counted, ${noted} noted`);
  await end(reader);
}
