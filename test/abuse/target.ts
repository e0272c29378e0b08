/** An app under abuse as the tests see it: from outside. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { AppCommand, AppOptions, AppReport } from './app.ts';

const APP = fileURLToPath(new URL('./app.js', import.meta.url));
const SCRAPER = fileURLToPath(new URL('./scraper.js', import.meta.url));
const LOOK_MILLIS = 50;
/**
 * V8 collects all garbage each time, and often: what it would let lie until it sees fit, some tens of megabytes, is not held by
 * anybody, and says nothing of what is.
 */
const COLLECTING = ['--gc-global', '--max-semi-space-size=2'];

export class Target {
  readonly port: number;
  readonly appPort: number;
  readonly #child: ChildProcess;
  #peak = 0;
  readonly #looks: NodeJS.Timeout;

  private constructor(child: ChildProcess, { metricsPort, appPort }: AppReport) {
    this.#child = child;
    this.port = metricsPort;
    this.appPort = appPort;
    this.#looks = setInterval(() => (this.#peak = Math.max(this.#peak, this.#resident())), LOOK_MILLIS);
  }

  /** `maxDescriptors`: what the process may have at once. */
  static async start(options: AppOptions, maxDescriptors?: number): Promise<Target> {
    const limited = maxDescriptors !== undefined;
    const child = limited
      ? fork(APP, [JSON.stringify(options)], {
          execPath: 'sh',
          execArgv: ['-c', `ulimit -n ${maxDescriptors}; exec "${process.execPath}" "$0" "$@"`],
        })
      : fork(APP, [JSON.stringify(options)], { execArgv: COLLECTING });
    const [report] = (await once(child, 'message')) as [AppReport];
    return new Target(child, report);
  }

  tell(command: AppCommand): void {
    this.#child.send(command);
  }

  async report(): Promise<AppReport> {
    this.tell('report');
    return ((await once(this.#child, 'message')) as [AppReport])[0];
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Most bytes it had resident since the last call. */
  peakResident(): number {
    const peak = Math.max(this.#peak, this.#resident());
    this.#peak = 0;
    return peak;
  }

  #resident(): number {
    if (!this.isAlive) return 0;
    const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1024;
  }

  async stop(): Promise<void> {
    clearInterval(this.#looks);
    if (!this.isAlive) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** How long the system's clock ticks that processor time is counted in: 100 a second for all who ask. */
const TICK_MILLIS = 10;

/** What a process has had of the processors, in milliseconds. */
function processorMillis(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MILLIS;
}

/** The port that is scraped, and the process behind it. */
export type Asked = Pick<Target, 'port' | 'pid'>;

export interface Scrape {
  readonly millis: number;
  /** What the processors did for the app from the question to the answer. */
  readonly workMillis: number;
  readonly status: number;
  readonly bytes: number;
  /** Samples in it. */
  readonly lines: number;
  readonly ticks: number;
}

/** One honest scrape, as Prometheus makes it: to the end, compressed. Rejects after 10 seconds. */
export function scrape({ port, pid }: Asked, headers: IncomingHttpHeaders = {}): Promise<Scrape> {
  const started = performance.now();
  const workBefore = processorMillis(pid);
  return new Promise((resolve, reject) => {
    const req = request(
      {
        port,
        host: '127.0.0.1',
        path: '/metrics',
        agent: false,
        headers: { 'accept-encoding': 'gzip', ...headers },
      },
      (res) => {
        const pieces: Buffer[] = [];
        res.on('data', (piece: Buffer) => pieces.push(piece));
        res.on('error', reject);
        res.on('close', () => reject(new Error('cut off')));
        res.on('end', () => {
          const millis = performance.now() - started;
          const workMillis = processorMillis(pid) - workBefore;
          const sent = Buffer.concat(pieces);
          const body = res.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
          const text = body.toString('latin1');
          resolve({
            millis,
            workMillis,
            status: res.statusCode!,
            bytes: body.length,
            lines: text.split('\n').length,
            ticks: Number(/^ticks_total\{.*\} (\d+)$/m.exec(text)?.[1] ?? Number.NaN),
          });
        });
      },
    );
    req.setTimeout(10_000, () => req.destroy(new Error('not answered within 10 s')));
    req.on('error', reject).end();
  });
}

/** What an honest scraper has seen. */
export interface Seen {
  readonly scrapes: Scrape[];
  readonly failures: string[];
}

/** Scrapes in a process of its own while it is wanted, as a Prometheus beside the abuse does. */
export class HonestScraper {
  readonly scrapes: Scrape[] = [];
  readonly failures: string[] = [];
  readonly #child: ChildProcess;

  /** Begins at once. */
  constructor({ port, pid }: Asked, pauseMillis: number, headers: IncomingHttpHeaders = {}) {
    this.#child = fork(SCRAPER, [JSON.stringify({ asked: { port, pid }, pauseMillis, headers })]);
  }

  async pause(): Promise<void> {
    this.#child.send('pause');
    const [{ scrapes, failures }] = (await once(this.#child, 'message')) as [Seen];
    this.scrapes.push(...scrapes);
    this.failures.push(...failures);
  }

  goOn(): void {
    this.#child.send('go on');
  }

  async stop(): Promise<void> {
    await this.pause();
    this.#child.disconnect();
  }

  get millis(): number {
    return middle(this.scrapes.map(({ millis }) => millis));
  }

  /** What the app did during a scrape. On a machine that is busy with other things it stays what it is. */
  get workMillis(): number {
    return middle(this.scrapes.map(({ workMillis }) => workMillis));
  }
}

/** The mean of the middle half. */
function middle(values: number[]): number {
  const cut = Math.floor(values.length / 4);
  const half = values.sort((a, b) => a - b).slice(cut, values.length - cut);
  return half.reduce((sum, value) => sum + value, 0) / half.length;
}
