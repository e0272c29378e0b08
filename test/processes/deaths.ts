/** Writers that are killed, stopped or terminated while they record. */
import { check, skip } from './report.ts';
import { Child, namespacesMissing, sleep, type ChildOptions } from './children.ts';
import { Judge } from './judge.ts';
import type { RecorderJob, RecorderMessage } from './jobs.ts';
import { slabProcess, slabsUsed } from '../../src/memory/slab.ts';

function jobOf(judge: Judge, place: number, threads = 0): RecorderJob {
  return { directory: judge.directory, acknowledged: judge.acknowledgedPath, place, threads };
}

interface Kills {
  readonly kills: number;
  readonly atOnce: number;
  readonly nodes: readonly string[];
  readonly options?: ChildOptions;
  readonly lifeMillis?: number;
}

/** Has `kills` recorders come and be killed, some of them before they record at all. */
async function killRecorders(judge: Judge, kills: Kills, firstPlace = 0): Promise<void> {
  const { atOnce, nodes, options = {}, lifeMillis = 600 } = kills;
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < kills.kills) {
        const number = next++;
        const node = nodes[number % nodes.length]!;
        const place = firstPlace + number;
        const child = new Child('recorder', jobOf(judge, place), { ...options, node });
        // One of four is killed on its way: among loading, opening, and taking a slab.
        if (number % 4 !== 3) await child.message();
        for (let left = Math.random() * lifeMillis; left > 0; left -= 40) {
          await sleep(Math.min(left, 40));
          judge.look();
        }
        await child.kill();
      }
    }),
  );
}

/** Row 1. */
export async function checkKills(kills: number, nodes: readonly string[]): Promise<void> {
  const missing = namespacesMissing();
  if (missing !== undefined) skip(`SIGKILL in PID namespaces: ${missing}`);
  const judge = new Judge();
  const options = { isNamespaced: missing === undefined };
  await killRecorders(judge, { kills, atOnce: 4, nodes, options });
  check(
    judge.isSound(kills),
    `${kills} SIGKILLs, ${nodes.length} Node.js lines${options.isNamespaced ? ', each process number 1 of a namespace' : ''}: ${judge.findings}`,
  );
  // At once at most four lived, beside the judge; those killed between taking a slab and saying so leave it for ever.
  check(slabsUsed(judge.store.region) <= 2 * 5 + 17, `slabs: ${slabsUsed(judge.store.region)}`);
}

/** Rounds until a broken ownership is seen to fail: what it loses depends on who runs when. */
const ROUNDS = 8;

/** What `checkKills` and `checkStopped` must be able to see. */
export async function checkBrokenOwnership(nodes: readonly string[]): Promise<void> {
  const broken = (how: string): ChildOptions => ({
    fixture: 'broken-ownership',
    env: { BROKEN_OWNERSHIP: how },
  });
  const missing = namespacesMissing();
  if (missing !== undefined) skip(`ownership by process numbers: ${missing}`);
  else
    await seenToFail('process numbers', async (judge) => {
      const options = { ...broken('number'), isNamespaced: true };
      await killRecorders(judge, { kills: 8, atOnce: 4, nodes, options, lifeMillis: 1500 });
      return 8;
    });
  await seenToFail('heartbeats', async (judge) => {
    const options = broken('heartbeat');
    return (await stopRecorders(judge, { stopped: 3, millis: 1000, others: 4, nodes, options })).deaths;
  });
}

async function seenToFail(what: string, round: (judge: Judge) => Promise<number>): Promise<void> {
  let judge: Judge;
  let rounds = 0;
  let isSound: boolean;
  do {
    judge = new Judge();
    isSound = judge.isSound(await round(judge));
  } while (isSound && ++rounds < ROUNDS);
  check(!isSound, `ownership by ${what} is seen to fail: ${judge.findings}`);
}

interface Stops {
  readonly stopped: number;
  readonly millis: number;
  /** That come and are killed meanwhile. */
  readonly others: number;
  readonly nodes: readonly string[];
  readonly options?: ChildOptions;
}

/** Stops recorders in the middle of what they do, lets others look for slabs meanwhile, and has them go on. */
async function stopRecorders(
  judge: Judge,
  { stopped, millis, others, nodes, options = {} }: Stops,
): Promise<{ readonly deaths: number; readonly lost: number }> {
  const children = Array.from(
    { length: stopped },
    (_, i) => new Child('recorder', jobOf(judge, i), { ...options, node: nodes[i % nodes.length]! }),
  );
  for (const child of children) await child.message();
  const slabs = (): string =>
    children
      .map(({ process: { pid } }) => {
        for (let slab = 0; slab < slabsUsed(judge.store.region); slab++)
          if (slabProcess(judge.store.region, slab) === pid) return slab;
        return 'none';
      })
      .join();
  const before = slabs();
  for (const child of children) {
    await sleep(Math.random() * 20);
    child.process.kill('SIGSTOP');
  }
  const until = performance.now() + millis;
  await killRecorders(judge, { kills: others, atOnce: 2, nodes, options }, stopped);
  await sleep(Math.max(0, until - performance.now()));
  // And some that are there when the stopped ones go on.
  const beside = [0, 1].map(
    (i) =>
      new Child('recorder', jobOf(judge, stopped + others + i), {
        ...options,
        node: nodes[i % nodes.length]!,
      }),
  );
  for (const child of beside) await child.message();
  const lost = slabs() === before ? 0 : 1;
  for (const child of children) child.process.kill('SIGCONT');
  await sleep(300);
  judge.look();
  for (const child of [...children, ...beside]) await child.kill();
  return { deaths: stopped + others + 2, lost };
}

/** Row 6. */
export async function checkStopped(millis: number, nodes: readonly string[]): Promise<void> {
  const judge = new Judge();
  const { deaths, lost } = await stopRecorders(judge, { stopped: 3, millis, others: 8, nodes });
  check(
    lost === 0 && judge.isSound(deaths),
    `3 processes stopped for ${millis / 1000} s while they recorded, 8 others killed meanwhile: ${judge.findings}`,
  );
}

/** Row 2. */
export async function checkTerminations(terminations: number, nodes: readonly string[]): Promise<void> {
  const judge = new Judge();
  const PROCESSES = 3;
  const THREADS = 2;
  const PLACES = 2048;
  let place = 0;
  let killed = 0;
  let [terminated, mappings] = [0, 0];
  const free: number[] = [];
  await Promise.all(
    Array.from({ length: PROCESSES }, async (_, number) => {
      for (let own = 0; own < terminations / PROCESSES;) {
        const job = jobOf(judge, (place += PLACES / 8), THREADS);
        const child = new Child('recorder', job, { node: nodes[number % nodes.length]! });
        await child.message();
        const wanted = Math.min(terminations / PROCESSES - own, 12 + Math.random() * 100);
        const isDone = (message: unknown): boolean =>
          (message as { readonly terminated?: number }).terminated! >= wanted;
        const looking = setInterval(() => judge.look(), 50);
        const last = await child.message<Exclude<RecorderMessage, string>>(isDone);
        await child.kill();
        clearInterval(looking);
        killed++;
        own += last.terminated;
        terminated += last.terminated;
        free.push(...last.freeAfterMillis);
        mappings = Math.max(mappings, last.mappings);
      }
    }),
  );
  free.sort((a, b) => a - b);
  check(
    judge.isSound(terminated + killed * THREADS),
    `${terminated} terminated threads in ${PROCESSES} processes at once, ${killed} SIGKILLs: ${judge.findings}`,
  );
  const [median, most] = [free[free.length >> 1] ?? Infinity, free.at(-1) ?? Infinity];
  check(
    median < 50,
    `a slab's lock is free ${median.toFixed(1)} ms after terminate(); at most ${most.toFixed(1)} ms`,
  );
  check(mappings === 1, `mappings of the region in a process: ${mappings}`);
}
