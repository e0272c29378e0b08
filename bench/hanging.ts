/**
 * Scrapes and pushes while threads of the app hang, and what a large scrape does to the app's event loop. The app is a process of its own; this
 * one scrapes it, and takes what it pushes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { NAME, PUSH_EVERY_MILLIS, type Exposing } from './exposed.ts';
import type { Block, HangRequest } from './hang-app.ts';
import { PushWatch } from './push-watch.ts';
import { rowOf, type Row } from './row.ts';
import { scrape, type ScrapeOutcome } from './scraping.ts';
import type { Stalls } from './stall-watch.ts';

export interface HangEffort {
  readonly blockMillis: number;
  readonly scrapeEveryMillis: number;
  readonly series: number;
  readonly largeSeries: number;
  readonly rounds: number;
}

type Measured = Partial<Record<Exposing, number[]>>;

/** A scrape that takes longer has no place on a dashboard that is refreshed every few seconds. */
const IN_TIME_MILLIS = 1000;
const BLOCKS: readonly [Block, readonly Exposing[]][] = [
  ['main thread and a worker', ['official', 'prom', 'pio', 'ours']],
  ['a worker', ['pio', 'ours']],
];
/** Those that push OTLP. */
const PUSHING: ReadonlySet<Exposing> = new Set(['official', 'ours']);

export async function benchHanging(effort: HangEffort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [block, contenders] of BLOCKS) {
    const half: Measured = {};
    const most: Measured = {};
    const inTime: Measured = {};
    const pause: Measured = {};
    for (const contender of contenders) {
      const { scrapes, longestPause } = await exportBlocked(contender, block, effort);
      half[contender] = [latencyOf(scrapes, 0.5)];
      most[contender] = [latencyOf(scrapes, 0.99)];
      inTime[contender] = [shareInTime(scrapes)];
      if (longestPause !== undefined) pause[contender] = [longestPause];
    }
    const hang = block === 'a worker' ? 'hangs' : 'hang';
    const what = `${block} ${hang} for ${effort.blockMillis / 1000} s, ${effort.series} series: `;
    rows.push(
      rowOf('hang', `${what}half of the scrapes take at most`, 'ms', half),
      rowOf('hang', `${what}99 of 100 take at most`, 'ms', most),
      rowOf('hang', `${what}with live values within a second`, '%', inTime),
    );
    if (Object.keys(pause).length > 1)
      rows.push(
        rowOf(
          'hang',
          `${what}longest time from push to push, of ${PUSH_EVERY_MILLIS} that it should be`,
          'ms',
          pause,
        ),
      );
  }
  return [...rows, ...(await stallsOfScrapes(effort))];
}

interface Exported {
  readonly scrapes: ScrapeOutcome[];
  /** Undefined for a contender that does not push. */
  readonly longestPause: number | undefined;
}

/** Scrapes regularly, whether the scrape before was answered or not, for as long as threads are blocked. */
async function exportBlocked(
  contender: Exposing,
  block: Block,
  { blockMillis, scrapeEveryMillis, series }: HangEffort,
): Promise<Exported> {
  const pushes = PUSHING.has(contender) ? await PushWatch.start() : undefined;
  const { app, port } = await start(contender, series, pushes?.url);
  try {
    await scrape(port);
    await scrape(port);
    app.send({ block, millis: blockMillis } satisfies HangRequest);
    await wait(100);
    const begin = performance.now();
    const end = begin + blockMillis - 200;
    const scrapes: Promise<ScrapeOutcome>[] = [];
    while (performance.now() < end) {
      scrapes.push(scrape(port, { sum: NAME }));
      await wait(scrapeEveryMillis);
    }
    const longestPause = pushes?.longestPause(begin, end);
    return { scrapes: await Promise.all(scrapes), longestPause };
  } finally {
    app.kill('SIGKILL');
    pushes?.close();
  }
}

/** Beside them, an app that nobody scrapes, watched for as long: what the machine itself stalls an event loop. */
async function stallsOfScrapes({ largeSeries, rounds }: HangEffort): Promise<Row[]> {
  const longest: Measured = {};
  const longestOnCore: Measured = {};
  let millis: number[] = [];
  for (const contender of ['official', 'prom', 'pio', 'ours', 'none'] as const) {
    const { app, port } = await start(contender, largeSeries);
    const taken: number[] = [];
    try {
      if (contender !== 'none') await scrape(port);
      // Before the first round that counts, the watching loop is compiled.
      for (let round = -1; round < rounds; round++) {
        await ask(app, { do: 'watch' });
        if (contender === 'none') await wait(millis[round + 1]);
        else taken.push((await scrape(port)).millis);
        const { stalls } = await ask<{ stalls: Stalls }>(app, { do: 'tell' });
        if (round < 0) continue;
        (longest[contender] ??= []).push(stalls.longest);
        if (stalls.longestOnCore !== undefined) (longestOnCore[contender] ??= []).push(stalls.longestOnCore);
      }
    } finally {
      app.kill('SIGKILL');
    }
    millis = taken;
  }
  const row = (name: string, of: Measured): Row =>
    rowOf('hang', `longest stall of the app in a scrape of ${largeSeries} series, ${name}`, 'ms', of);
  return [
    row(`half of ${rounds}`, longest),
    row('the worst', worst(longest)),
    ...(longestOnCore.ours === undefined
      ? []
      : [row('the worst, waits for a core left out', worst(longestOnCore))]),
  ];
}

function worst(measured: Measured): Measured {
  return Object.fromEntries(
    Object.entries(measured).map(([contender, all]) => [contender, [Math.max(...all)]]),
  );
}

async function start(
  contender: Exposing,
  series: number,
  otlpUrl?: string,
): Promise<{ readonly app: ChildProcess; readonly port: number }> {
  const args = [contender, String(series), ...(otlpUrl === undefined ? [] : [otlpUrl])];
  const app = fork(fileURLToPath(new URL('./hang-app.js', import.meta.url)), args);
  const [{ port }] = (await once(app, 'message')) as [{ port: number }];
  return { app, port };
}

async function ask<T>(app: ChildProcess, request: HangRequest): Promise<T> {
  app.send(request);
  const [answer] = (await once(app, 'message')) as [T];
  return answer;
}

/** The latency that a share of the scrapes does not exceed. */
function latencyOf(outcomes: readonly ScrapeOutcome[], share: number): number {
  const sorted = outcomes.map(({ millis }) => millis).sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** Of the scrapes, those that were answered in time with a total that had grown since the one before, in percent. */
function shareInTime(outcomes: readonly ScrapeOutcome[]): number {
  let good = 0;
  let last = 0;
  for (const { answered, millis, sum } of outcomes) {
    if (answered && millis <= IN_TIME_MILLIS && sum > last) good++;
    if (answered) last = Math.max(last, sum);
  }
  return (100 * good) / outcomes.length;
}
