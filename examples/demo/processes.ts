/**
 * Four processes, one store, one address. One of them is killed, and then the one that serves the metrics:
 * another takes over. What was sent stands beside what is scraped, after each step.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { parseScrape, total } from './scraped-text.ts';

const PROCESSES = 4;
const PROGRAM = fileURLToPath(new URL('./one-of-four.js', import.meta.url));
const LONGEST_MILLIS = 30_000;

interface Member {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Prints what came of it. True if everything that was sent was scraped. */
export async function runProcesses(requestsEach: number): Promise<boolean> {
  const folder = mkdtempSync(join(process.platform === 'linux' ? '/dev/shm' : tmpdir(), 'demo-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/metrics`;
  const env = {
    ...process.env,
    SEQLOCK_METRICS_DIRECTORY: join(folder, 'store'),
    SEQLOCK_METRICS_QUIET: 'true',
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
    OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
  };
  const execArgv = ['--import', import.meta.resolve('seqlock-metrics/register')];
  const start = async (): Promise<Member> => {
    const child = fork(PROGRAM, [], { execArgv, env });
    const [own] = (await once(child, 'message')) as [number];
    return { child, url: `http://127.0.0.1:${own}/` };
  };
  const first = await start();
  await scrapeWhenServed(url); // the first one serves, since it is alone
  const members = [first];
  while (members.length < PROCESSES) members.push(await start());

  const rows: Record<string, { sent: number; scraped: number }> = {};
  let sent = 0;
  const step = async (what: string): Promise<void> => {
    for (const member of members)
      for (let i = 0; i < requestsEach; i++, sent++) await (await fetch(member.url)).text();
    rows[what] = { sent, scraped: total(parseScrape(await scrapeWhenServed(url)), 'shop_requests_total') };
  };
  try {
    await step(`${PROCESSES} processes`);
    await kill(members.pop()!);
    await step('one of them killed');
    await kill(members.shift()!);
    const killed = performance.now();
    await scrapeWhenServed(url);
    const gap = performance.now() - killed;
    await step('the one that served killed');
    console.table(rows);
    const exact = Object.values(rows).every((row) => row.sent === row.scraped);
    console.log(
      `Four processes, one address: ${exact ? 'all that was sent was scraped' : 'NUMBERS DIFFER'}; another process served ${gap.toFixed(0)} ms after SIGKILL.`,
    );
    return exact;
  } finally {
    for (const member of members) await kill(member);
    rmSync(folder, { recursive: true });
  }
}

async function kill({ child }: Member): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function scrapeWhenServed(url: string): Promise<string> {
  for (const deadline = performance.now() + LONGEST_MILLIS; ; await wait(10))
    try {
      return await (await fetch(url, { headers: { connection: 'close' } })).text();
    } catch (error) {
      if (performance.now() > deadline) throw error; // nobody serves
    }
}
