/**
 * Whole scrapes over HTTP: the time until the last byte, the serving process's CPU and memory, and the longest time its event loop did not turn.
 * Each contender serves from a process of its own, this one scrapes. Stalls are watched in other processes than the ones that are timed, since
 * watching takes a core.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExposedKind, Exposing } from './exposed.ts';
import { rowOf, type Row, type Unit } from './row.ts';
import type { ScrapeReport, ScrapeRequest } from './scrape-app.ts';
import { scrape } from './scraping.ts';

/** How many series, and how often they are scraped after the first time. */
export type ScrapeEffort = readonly {
  readonly kind: ExposedKind;
  readonly series: number;
  readonly rounds: number;
}[];

const CONTENDERS = ['ours', 'handler', 'official', 'prom'] as const satisfies readonly Exposing[];
type Serving = (typeof CONTENDERS)[number];
/** Scrapes of every size before those that are measured: code is optimised then, and numbers have their final widths. */
const WARM_UP = 3;
/** Some need longer than Prometheus would wait; how long is what is measured. */
const TIMEOUT_MILLIS = 120_000;

const FIGURES = {
  first: ['first scrape', 'ms'],
  all: ['every value changed', 'ms'],
  tenth: ['a tenth changed', 'ms'],
  cpu: ['CPU, every value changed', 'ms'],
  firstStall: ['longest stall, first scrape', 'ms'],
  stall: ['longest stall, every value changed', 'ms'],
  peak: ['peak memory', 'MB'],
} as const satisfies Record<string, readonly [string, Unit]>;
type Figure = keyof typeof FIGURES;
type Measured = Record<Figure, Partial<Record<Serving, number[]>>>;

export async function benchScrape(effort: ScrapeEffort): Promise<Row[]> {
  const rows: Row[] = [];
  for (const task of effort) {
    const measured = await measure(task);
    for (const figure of Object.keys(FIGURES) as Figure[]) {
      const [what, unit] = FIGURES[figure];
      rows.push(rowOf('scrape', `${what}, ${task.series} ${task.kind} series`, unit, measured[figure]));
    }
  }
  return rows;
}

async function measure({ kind, series, rounds }: ScrapeEffort[number]): Promise<Measured> {
  const measured: Measured = { first: {}, all: {}, tenth: {}, cpu: {}, firstStall: {}, stall: {}, peak: {} };
  const note = (figure: Figure, contender: Serving, value: number): void =>
    void (measured[figure][contender] ??= []).push(value);
  await inTurns(CONTENDERS, { kind, series, rounds }, false, {
    first: async (app, contender) => note('first', contender, (await app.scrape(1)).millis),
    again: async (app, contender) => {
      const { millis, cpu } = await app.scrape(1);
      note('all', contender, millis);
      note('cpu', contender, cpu);
      note('tenth', contender, (await app.scrape(10)).millis);
    },
    last: async (app, contender) => note('peak', contender, (await app.scrape(1)).peak / 1e6),
  });
  // One at a time: an app that is watched takes a core whether it is scraped or not.
  for (const contender of CONTENDERS)
    await inTurns([contender], { kind, series, rounds }, true, {
      first: async (app) => note('firstStall', contender, (await app.scrape(1)).stall),
      again: async (app) => note('stall', contender, (await app.scrape(1)).stall),
      last: () => Promise.resolve(),
    });
  return measured;
}

type Step = (app: App, contender: Serving) => Promise<void>;

/** An app for each contender; they take turns, one scrape after the other. */
async function inTurns(
  contenders: readonly Serving[],
  { kind, series, rounds }: ScrapeEffort[number],
  isWatched: boolean,
  steps: { readonly first: Step; readonly again: Step; readonly last: Step },
): Promise<void> {
  const apps: App[] = [];
  try {
    for (const contender of contenders) {
      const app = await App.start(contender, kind, series, isWatched);
      apps.push(app);
      await steps.first(app, contender);
      for (let i = 0; i < Math.min(WARM_UP, rounds); i++) await app.scrape(1);
    }
    for (let round = 0; round < rounds; round++)
      for (let turn = 0; turn < apps.length; turn++) {
        const index = (round + turn) % apps.length;
        await steps.again(apps[index]!, contenders[index]!);
      }
    for (const [index, app] of apps.entries()) await steps.last(app, contenders[index]!);
  } finally {
    for (const app of apps) app.stop();
  }
}

/** A process that is scraped. */
class App {
  readonly #process: ChildProcess;
  readonly #port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#process = child;
    this.#port = port;
  }

  static async start(
    contender: Serving,
    kind: ExposedKind,
    series: number,
    isWatched: boolean,
  ): Promise<App> {
    const args = [contender, kind, String(series), ...(isWatched ? ['watched'] : [])];
    const child = fork(fileURLToPath(new URL('./scrape-app.js', import.meta.url)), args, {
      execArgv: isWatched ? ['--expose-gc'] : [],
    });
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    return new App(child, port);
  }

  /** Records to every series, or to every tenth, then scrapes. Throws when there is no answer in time. */
  async scrape(every: 1 | 10): Promise<ScrapeReport & { readonly millis: number }> {
    await this.#ask({ do: 'record', every });
    const { millis, answered } = await scrape(this.#port, { timeoutMillis: TIMEOUT_MILLIS });
    if (!answered) throw new Error(`no answer to a scrape in ${TIMEOUT_MILLIS} ms`);
    return { millis, ...(await this.#ask({ do: 'report' })) };
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }

  async #ask(request: ScrapeRequest): Promise<ScrapeReport> {
    const answer = once(this.#process, 'message') as Promise<[ScrapeReport]>;
    this.#process.send(request);
    return (await answer)[0];
  }
}
