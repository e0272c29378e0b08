/** A store of several processes: what it costs to record into one, to read it, to come and to go. */
import cluster from 'node:cluster';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AggregatorRegistry } from 'prom-client';
import { tryLock } from '../src/memory/native.ts';
import { BATCH } from './attribute-columns.ts';
import type { ProcessReport, ProcessTask } from './process-app.ts';
import { nameOf, recordWork, type RecordCase } from './record-loop.ts';
import { rowOf, type Row } from './row.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';
import { ours } from './subjects.ts';

export interface ProcessesEffort {
  readonly record: Effort;
  readonly processes: number;
  /** Of each process; the same in all. */
  readonly series: number;
  readonly scrapes: number;
  /** Processes that come, and are killed. */
  readonly deaths: number;
}

const APP = fileURLToPath(new URL('./process-app.js', import.meta.url));
const BENCHMARK = 'processes';

/** No rows where the system cannot share a store. */
export async function benchProcesses(effort: ProcessesEffort): Promise<Row[]> {
  const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(place, 'seqlock-metrics-bench-'));
  try {
    return [
      ...(await benchRecords(join(folder, 'records'), effort.record)),
      await benchScrapes(join(folder, 'scrapes'), effort),
      ...(await benchDeaths(join(folder, 'deaths'), effort)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Loops of each contender, of each kind of call. Where the engine puts a loop and what it works on makes up to a
 * tenth of its time, as two loops over one store of this process show. So several pairs are timed, and in every
 * second of them the shared store comes first.
 */
const PAIRS = 12;
/** A round is cut into so many. Of all of them the fastest counts: whatever else runs only makes one slower. */
const PARTS = 4;

/** The same calls, in turns: into a store of this process, and into one that others may have open. */
async function benchRecords(directory: string, effort: Effort): Promise<Row[]> {
  const own = ours();
  const shared = ours({ directory });
  const cases: RecordCase[] = (['counter', 'histogram'] as const).map((kind) => ({
    kind,
    attributes: 3,
    form: 'fresh',
    series: 100,
  }));
  const rows = cases.map((each) => {
    const rounds: Record<'ours' | 'shared', number[]> = { ours: [], shared: [] };
    for (let pair = 0; pair < PAIRS; pair++) {
      const works: (() => Work)[] = [
        () => recordWork(own, each)!,
        () => ({ ...recordWork(shared, each)!, contender: 'shared' }),
      ];
      if (pair % 2 === 1) works.reverse();
      const timed = timeInTurns(
        works.map((make) => make()),
        BATCH,
        { ...effort, rounds: effort.rounds * PARTS, millis: effort.millis / PARTS },
      );
      rounds.ours.push(Math.min(...timed.ours!));
      rounds.shared.push(Math.min(...timed.shared!));
    }
    return rowOf(BENCHMARK, `${each.kind}, ${nameOf(each)}, ns`, 'ns', rounds);
  });
  await own.close();
  await shared.close();
  return rows;
}

interface Started {
  readonly child: ChildProcess;
  /** What it said first. */
  readonly report: ProcessReport;
  /** What it says next. */
  readonly next: () => Promise<ProcessReport>;
}

async function start(task: ProcessTask): Promise<Started> {
  let child: ChildProcess;
  if (task.contender === 'prom') {
    cluster.setupPrimary({ exec: APP, args: [JSON.stringify(task)] });
    child = cluster.fork().process;
  } else child = fork(APP, [JSON.stringify(task)]);
  // Its messages may come several at once, and those of prom-client and of the cluster among them.
  const reports: ProcessReport[] = [];
  let wake = (): void => {};
  child.on('message', (message: Record<string, unknown>) => {
    if (message['type'] === undefined && message['act'] === undefined) reports.push(message);
    wake();
  });
  const next = async (): Promise<ProcessReport> => {
    while (reports.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return reports.shift()!;
  };
  return { child, report: await next(), next };
}

/** From the question to the last byte, every series changed in every process before it. */
async function benchScrapes(directory: string, effort: ProcessesEffort): Promise<Row> {
  const { processes, series, scrapes } = effort;
  const rounds: Record<'ours' | 'prom', number[]> = { ours: [], prom: [] };
  const registry = new AggregatorRegistry();
  for (const contender of ['ours', 'prom'] as const) {
    const started: Started[] = [];
    for (let i = 0; i < processes; i++)
      started.push(
        await start({ contender, series, ...(contender === 'ours' && { directory, serves: i === 0 }) }),
      );
    // prom-client gives up after five seconds: that counts as the time it took, and less than it needs.
    const scrape = (): Promise<string | undefined> =>
      contender === 'prom'
        ? registry.clusterMetrics().catch(() => undefined)
        : textOf(started[0]!.report.port!);
    for (let round = -1; round < scrapes; round++) {
      for (const { child, next } of started) {
        child.send('record');
        await next();
      }
      const from = performance.now();
      const text = await scrape();
      if (round >= 0) rounds[contender].push(performance.now() - from);
      if (text !== undefined) expectAll(text, effort, (round + 3) * processes);
    }
    for (const { child } of started) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  return rowOf(BENCHMARK, `scrape of ${processes} processes, ${series} histograms each, ms`, 'ms', rounds);
}

/** Throws unless the text has every series, and each count what all processes recorded. */
function expectAll(text: string, { series }: ProcessesEffort, count: number): void {
  const counts = text.split('\n').filter((line) => line.startsWith('requests_count{'));
  const total = counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  if (counts.length !== series || total !== series * count)
    throw new Error(`${counts.length} series with ${total} for ${series} with ${series * count}`);
}

function textOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/metrics', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

/** A process opens the store, takes over what a dead one left, and is killed: how long each takes. */
async function benchDeaths(directory: string, { series, deaths }: ProcessesEffort): Promise<Row[]> {
  const adopted: number[] = [];
  const own: number[] = [];
  const free: number[] = [];
  const seen: number[] = [];
  for (let i = -2; i < deaths; i++) {
    const alone = await start({ contender: 'none', series });
    alone.child.kill('SIGKILL');
    await once(alone.child, 'exit');
    const { child, report } = await start({ contender: 'ours', directory, series });
    const { slab } = report;
    const from = performance.now();
    const exit = once(child, 'exit').then(() => performance.now() - from);
    child.kill('SIGKILL');
    const freeAfter = await untilFree(join(directory, 'writers', String(slab)), from);
    const exitAfter = await exit;
    if (i < 0) continue; // the first makes the store, and the second is the first of its kind
    own.push(alone.report.readyMillis!);
    adopted.push(report.readyMillis!);
    free.push(freeAfter);
    seen.push(exitAfter);
  }
  return [
    rowOf(BENCHMARK, `open, and record ${series} series that a dead process left, ms`, 'ms', {
      none: own,
      ours: adopted,
    }),
    rowOf(BENCHMARK, 'SIGKILL until the slab is free, beside until the exit is seen, ms', 'ms', {
      none: seen,
      ours: free,
    }),
  ];
}

async function untilFree(path: string, from: number): Promise<number> {
  const fd = openSync(path, 'r+');
  try {
    while (!tryLock(fd, 'shared')) await new Promise(setImmediate);
    return performance.now() - from;
  } finally {
    closeSync(fd);
  }
}
