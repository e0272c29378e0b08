/**
 * Scrapes while a thread of the app hangs, and what a large scrape does to the app's event loop. The app is a process of its own; this one scrapes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Exposing } from './exposed.ts';
import type { HangRequest } from './hang-app.ts';
import { rowOf, type Rounds, type Row } from './row.ts';
import { scrape, type ScrapeOutcome } from './scraping.ts';

export interface HangEffort {
  readonly blockMillis: number;
  readonly scrapeEveryMillis: number;
  readonly series: number;
  readonly largeSeries: number;
  readonly rounds: number;
}

type Block = 'block main' | 'block a worker';

/** A scrape that takes longer has no place on a dashboard that is refreshed every few seconds. */
const IN_TIME_MILLIS = 1000;
const NAME = 'bench_requests';

export async function benchHanging(effort: HangEffort): Promise<Row[]> {
  const rows: Row[] = [];
  const blocks: readonly [Block, string, readonly Exposing[]][] = [
    ['block main', 'main thread', ['official', 'prom', 'pio', 'ours']],
    ['block a worker', 'a worker', ['pio', 'ours']],
  ];
  for (const [block, who, contenders] of blocks) {
    const outcomes: Partial<Record<Exposing, ScrapeOutcome[]>> = {};
    for (const contender of contenders) outcomes[contender] = await scrapeBlocked(contender, block, effort);
    const rounds = (figure: (all: ScrapeOutcome[]) => number): Rounds =>
      Object.fromEntries(Object.entries(outcomes).map(([contender, all]) => [contender, [figure(all)]]));
    const hangs = `${who} hangs for ${effort.blockMillis / 1000} s, ${effort.series} series: `;
    rows.push(
      rowOf(
        'hang',
        `${hangs}half of the scrapes take at most`,
        'ms',
        rounds((all) => latencyOf(all, 0.5)),
      ),
      rowOf(
        'hang',
        `${hangs}99 of 100 take at most`,
        'ms',
        rounds((all) => latencyOf(all, 0.99)),
      ),
      rowOf('hang', `${hangs}with live values within a second`, '%', rounds(shareInTime)),
    );
  }
  rows.push(await stalls(effort));
  return rows;
}

/** Scrapes regularly, whether the scrape before was answered or not, for as long as the thread is blocked. */
async function scrapeBlocked(
  contender: Exposing,
  block: Block,
  { blockMillis, scrapeEveryMillis, series }: HangEffort,
): Promise<ScrapeOutcome[]> {
  const { app, port } = await start(contender, series);
  try {
    await scrape(port);
    await scrape(port);
    app.send({ do: block, millis: blockMillis } satisfies HangRequest);
    await wait(100);
    const scrapes: Promise<ScrapeOutcome>[] = [];
    for (const end = performance.now() + blockMillis - 200; performance.now() < end;) {
      scrapes.push(scrape(port, { sum: NAME }));
      await wait(scrapeEveryMillis);
    }
    return await Promise.all(scrapes);
  } finally {
    app.kill('SIGKILL');
  }
}

async function stalls({ largeSeries, rounds }: HangEffort): Promise<Row> {
  const measured: Partial<Record<Exposing, number[]>> = {};
  for (const contender of ['official', 'prom', 'pio', 'ours'] as const) {
    const { app, port } = await start(contender, largeSeries);
    try {
      await scrape(port);
      for (let round = 0; round < rounds; round++) {
        await ask(app, { do: 'watch' });
        await scrape(port);
        const { stall } = await ask<{ stall: number }>(app, { do: 'stall' });
        (measured[contender] ??= []).push(stall);
      }
    } finally {
      app.kill('SIGKILL');
    }
  }
  return rowOf('hang', `longest stall of the app in a scrape of ${largeSeries} series`, 'ms', measured);
}

async function start(
  contender: Exposing,
  series: number,
): Promise<{ readonly app: ChildProcess; readonly port: number }> {
  const app = fork(fileURLToPath(new URL('./hang-app.js', import.meta.url)), [contender, String(series)]);
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
