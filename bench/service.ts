/**
 * A service under a constant rate of requests while its metrics are scraped every second: what the metrics cost those who wait for answers.
 * Service, load and scraper are processes of their own; contenders take turns, and one runs at a time.
 */
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NAME, type Exposing } from './exposed.ts';
import { rowOf, type Rounds, type Row } from './row.ts';
import { scrape } from './scraping.ts';

export interface ServiceEffort {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rate: number;
  readonly series: number;
}

const CONTENDERS: readonly Exposing[] = ['none', 'official', 'prom', 'pio', 'ours'];
const PERCENTILES = [50, 99, 99.9];
const SCRAPE_EVERY_MILLIS = 1000;

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function benchService(effort: ServiceEffort): Promise<Row[]> {
  const found = new Map<number, Partial<Record<Exposing, number[]>>>(PERCENTILES.map((p) => [p, {}]));
  for (let round = 0; round < effort.rounds; round++)
    for (let turn = 0; turn < CONTENDERS.length; turn++) {
      const contender = CONTENDERS[(round + turn) % CONTENDERS.length]!;
      const latencies = await measure(contender, effort);
      for (const [percentile, of] of found) (of[contender] ??= []).push(percentileOf(latencies, percentile));
    }
  const { rate, series } = effort;
  return [...found].map(([percentile, rounds]) =>
    rowOf('service', `p${percentile} at ${rate} requests/s, ${series} series`, 'ms', rounds satisfies Rounds),
  );
}

async function measure(contender: Exposing, effort: ServiceEffort): Promise<number[]> {
  const app = fork(pathOf('./service-app.js'), [contender, String(effort.series)]);
  try {
    const { service, metrics } = await reply(app);
    const scraping = metrics === 0 ? undefined : scrapeRegularly(metrics);
    const warmUp = await load(service, effort.rate, effort.warmUpSeconds);
    const latencies = await load(service, effort.rate, effort.seconds);
    await scraping?.stop();
    if (metrics !== 0) await checkTotal(metrics, effort.series + warmUp.length + latencies.length);
    return latencies;
  } finally {
    app.kill('SIGKILL');
  }
}

async function reply(app: ChildProcess): Promise<{ service: number; metrics: number }> {
  const [message] = (await once(app, 'message')) as [{ service: number; metrics: number }];
  return message;
}

async function load(port: number, rate: number, seconds: number): Promise<number[]> {
  const args = [pathOf('./load.js'), port, rate, seconds].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as number[];
}

/** One at a time. `stop` rejects when a scrape was not answered: a contender that does not answer is not measured. */
function scrapeRegularly(port: number): { stop(): Promise<void> } {
  let last: Promise<unknown> | undefined;
  let failed = 0;
  const timer = setInterval(() => {
    last ??= scrape(port).then(({ answered }) => {
      if (!answered) failed++;
      last = undefined;
    });
  }, SCRAPE_EVERY_MILLIS);
  return {
    stop: async () => {
      clearInterval(timer);
      await last;
      if (failed > 0) throw new Error(`${failed} scrapes were not answered`);
    },
  };
}

/** Each series was recorded to once, and one for each request: all of it has to be in what is scraped. */
async function checkTotal(port: number, expected: number): Promise<void> {
  const { sum } = await scrape(port, { sum: NAME });
  if (sum !== expected) throw new Error(`${expected} were recorded, ${sum} are in a scrape`);
}

function percentileOf(values: readonly number[], percentile: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percentile) / 100))]!;
}
