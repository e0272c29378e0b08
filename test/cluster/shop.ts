/** A store directory, and the processes that export it: what they are started with, and who of them leads. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../examples/demo/free-port.ts';
import { parseScrape, total } from '../../examples/demo/scraped-text.ts';
import { Acknowledged, COUNTED } from '../processes/acknowledged.ts';
import { sleep } from '../processes/children.ts';
import { newFolder } from '../support/store-directories.ts';
import type { AppJob } from './app.ts';
import { PLACES_GIVEN, QUIET } from './places.ts';

export const APP = fileURLToPath(new URL('./app.js', import.meta.url));
export const REGISTER = new URL('../../src/register/register.js', import.meta.url).href;

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Modules that are loaded before ours. */
  readonly first?: readonly string[];
  readonly program?: string;
}

export class Shop {
  readonly folder: string = newFolder();
  readonly directory: string = join(this.folder, 'store');
  readonly port: number;
  readonly #notes: Acknowledged;

  private constructor(port: number) {
    this.port = port;
    this.#notes = new Acknowledged(this.acknowledged);
  }

  static async open(): Promise<Shop> {
    return new Shop(await freePort());
  }

  get acknowledged(): string {
    return join(this.folder, 'acknowledged');
  }

  /** What each process is started with. */
  get env(): Record<string, string> {
    return {
      SEQLOCK_METRICS_DIRECTORY: this.directory,
      SEQLOCK_METRICS_QUIET: 'true',
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(this.port),
      ACKNOWLEDGED: this.acknowledged,
    };
  }

  /** Starts a process, and waits until it is ready. */
  async start({ env = {}, first = [], program = APP }: StartOptions = {}): Promise<ChildProcess> {
    const execArgv = [...first, REGISTER].flatMap((module) => ['--import', module]);
    const child = fork(program, [], { execArgv, env: { ...process.env, ...this.env, ...env } });
    children.add(child);
    child.on('exit', () => children.delete(child));
    child.on('error', () => {}); // a message that a killed process no longer takes
    await once(child, 'message');
    return child;
  }

  /** What the app's threads have noted. */
  get noted(): number {
    const [given, quiet] = [PLACES_GIVEN, QUIET].map(
      (place) => this.#notes.words[this.#notes.index(place, COUNTED)]!,
    );
    return this.#notes.total(COUNTED) - given! - quiet!;
  }

  /** Has nobody count any more, and waits until nobody does. */
  async quiet(): Promise<void> {
    this.#notes.words[this.#notes.index(QUIET, COUNTED)] = 1;
    for (let before = -1; before !== this.noted; await sleep(300)) before = this.noted;
  }

  /** The total of the counter; undefined if nobody answers. */
  async scrape(): Promise<number | undefined> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.port}/metrics`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(2000),
      });
      return total(parseScrape(await answer.text()), 'hits_total');
    } catch {
      return undefined;
    }
  }

  /** Waits until somebody answers, for at most `millis`; how long that took. */
  async untilServed(millis = 30_000): Promise<number> {
    const from = performance.now();
    while (Number.isNaN((await this.scrape()) ?? NaN)) {
      if (performance.now() - from > millis) throw new Error(`nobody has served for ${millis} ms`);
      await sleep(5);
    }
    return performance.now() - from;
  }

  /** Process ids of those that hold the lease, as the kernel says it. */
  leaders(): number[] {
    const inode = statSync(join(this.directory, 'leader')).ino;
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, kind, , access, , file]) =>
          kind === 'FLOCK' && access === 'WRITE' && file?.endsWith(`:${inode}`) === true,
      )
      .map((fields) => Number(fields[4]));
  }

  /** The one that leads; waits until there is one. */
  async leader<T extends { readonly pid?: number | undefined }>(processes: readonly T[]): Promise<T> {
    for (;;) {
      const pids = this.leaders();
      const found = processes.find(({ pid }) => pids.includes(pid!));
      if (found !== undefined) return found;
      await sleep(5);
    }
  }
}

export async function end(child: ChildProcess, how: NodeJS.Signals | AppJob = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (how.startsWith('SIG')) child.kill(how as NodeJS.Signals);
  else child.send(how);
  await once(child, 'exit');
}

/** Scrapes all the time, and notes what is wrong. */
export class Watcher {
  scrapes = 0;
  failed = 0;
  falls = 0;
  readonly #shop: Shop;
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(shop: Shop, everyMillis: number) {
    this.#shop = shop;
    this.#done = this.#watch(everyMillis);
  }

  async #watch(everyMillis: number): Promise<void> {
    for (let latest = 0; !this.#isOver; await sleep(everyMillis)) {
      const now = await this.#shop.scrape();
      this.scrapes++;
      if (now === undefined) this.failed++;
      else if (now < latest) this.falls++;
      else latest = now;
    }
  }

  async stop(): Promise<string> {
    this.#isOver = true;
    await this.#done;
    return `${this.scrapes} scrapes, ${this.failed} failed, ${this.falls} falls`;
  }
}
