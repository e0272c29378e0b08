/** What it costs to follow, and who leads when the leader is stopped, hangs, or loses its exporter thread. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { sleep } from '../processes/children.ts';
import { check } from '../processes/report.ts';
import type { LeaderAppJob, Resources } from '../support/leader-app.ts';
import { end, Shop } from './shop.ts';

const IDLE_APP = fileURLToPath(new URL('../support/leader-app.js', import.meta.url));
const OBSERVED = { first: [new URL('./observe-start.js', import.meta.url).href] };

async function resourcesOf(child: ChildProcess): Promise<Resources> {
  child.send({ do: 'resources' } satisfies LeaderAppJob);
  return ((await once(child, 'message')) as [Resources])[0];
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

/** `count` followers at once, beside as many processes that only record. */
export async function checkCost(count: number, millis: number): Promise<void> {
  const shop = await Shop.open();
  const options = { ...OBSERVED, program: IDLE_APP };
  const leader = await shop.start(options);
  leader.send({ do: 'count', times: 1 } satisfies LeaderAppJob);
  await once(leader, 'message');
  await shop.untilServed();
  const start = (env: Record<string, string> = {}): Promise<ChildProcess[]> =>
    Promise.all(Array.from({ length: count }, () => shop.start({ ...options, env })));
  const followers = await start();
  const others = await start({ OTEL_METRICS_EXPORTER: 'none' });
  await sleep(1000); // what a start leaves behind
  const cost = async (children: readonly ChildProcess[]) => {
    const before = await Promise.all(children.map(resourcesOf));
    await sleep(millis);
    const after = await Promise.all(children.map(resourcesOf));
    return {
      threads: median(after.map(({ threads }) => threads)),
      sockets: median(after.map(({ sockets }) => sockets)),
      timers: median(after.map(({ timers }) => timers)),
      files: median(after.map(({ files }) => files.length)),
      bytes: median(after.map(({ residentBytes }) => residentBytes)),
      cpuMillis:
        (median(after.map(({ cpuMicros }, i) => cpuMicros - before[i]!.cpuMicros)) / 1000) *
        (60_000 / millis),
    };
  };
  const [following, recording] = [await cost(followers), await cost(others)];
  check(
    following.threads === recording.threads &&
      following.sockets === recording.sockets &&
      following.timers === recording.timers + 1 &&
      following.files === recording.files + 1,
    `${count} followers beside ${count} that only record, of each: threads ${following.threads} and ${recording.threads}, sockets ${following.sockets} and ${recording.sockets}, timers ${following.timers} and ${recording.timers}, files of the store ${following.files} and ${recording.files}`,
  );
  console.log(
    `    idle: ${following.cpuMillis.toFixed(0)} and ${recording.cpuMillis.toFixed(0)} ms of CPU a minute, ${(following.bytes / 2 ** 20).toFixed(1)} and ${(recording.bytes / 2 ** 20).toFixed(1)} MiB resident`,
  );
  // All of them notice at once.
  await end(leader);
  const gap = await shop.untilServed();
  await sleep(1000);
  const threads = (await Promise.all(followers.map(resourcesOf))).filter(
    (one) => one.threads > following.threads,
  );
  check(
    threads.length === 1 && shop.leaders().length === 1,
    `of ${count} followers that notice at once ${threads.length} started a thread, and served after ${gap.toFixed(0)} ms`,
  );
  for (const child of [...followers, ...others]) await end(child);
}

/** SIGSTOP, a dead thread, and both a dead thread and a blocked main thread. */
export async function checkTroubledLeaders(): Promise<void> {
  const shop = await Shop.open();
  const living = [await shop.start(OBSERVED), await shop.start(OBSERVED)];
  await shop.untilServed();
  const untilNotLeading = async ({ pid }: ChildProcess): Promise<void> => {
    while (shop.leaders().includes(pid!)) await sleep(1);
  };
  const leader = await shop.leader(living);
  leader.kill('SIGSTOP');
  await sleep(2000);
  const during = shop.leaders();
  leader.kill('SIGCONT');
  await shop.untilServed();
  check(
    during.join() === String(leader.pid) && shop.leaders().join() === String(leader.pid),
    'a leader that was stopped for 2 s leads, meanwhile and then',
  );
  leader.send('end exporter');
  await untilNotLeading(leader);
  const afterDeath = await shop.untilServed();
  const next = await shop.leader(living);
  console.log(
    `    the exporter thread of the leader was terminated: served again after ${afterDeath.toFixed(0)} ms`,
  );
  next.send('end exporter');
  next.send('block');
  await untilNotLeading(next);
  const afterBlock = await shop.untilServed();
  const other = await shop.leader(living);
  check(
    other !== next,
    `its main thread hung, too: another process served after ${afterBlock.toFixed(0)} ms`,
  );
  for (const child of living) await end(child);
}

/** The port taken by something else, and then by an app with another store. */
export async function checkTakenPort(): Promise<void> {
  const shop = await Shop.open();
  const thief = createServer((_, response) => response.end('not metrics')).listen(shop.port, '127.0.0.1');
  await once(thief, 'listening');
  const child = await shop.start({ env: { NODE_OPTIONS: '' } });
  await sleep(1000);
  thief.close();
  thief.closeAllConnections();
  const gap = await shop.untilServed();
  console.log(`    the port was taken by something else: served ${gap.toFixed(0)} ms after it was free`);
  const other = await Shop.open();
  const rival = await other.start({ env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(shop.port) } });
  await sleep(500);
  const mixed = (await shop.scrape())!;
  check(mixed <= shop.noted + 2, 'an app with another store does not mix with it at the same port');
  await end(child);
  await shop.untilServed();
  check((await shop.scrape())! <= other.noted + 2, 'and has the port when it is free');
  await end(rival);
}
