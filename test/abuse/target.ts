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
      : fork(APP, [JSON.stringify(options)]);
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

export interface Scrape {
  readonly millis: number;
  readonly status: number;
  readonly bytes: number;
  /** Samples in it. */
  readonly lines: number;
  readonly ticks: number;
}

/** One honest scrape, as Prometheus makes it: to the end, compressed. Rejects after 10 seconds. */
export function scrape(port: number, headers: IncomingHttpHeaders = {}): Promise<Scrape> {
  const started = performance.now();
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
          const sent = Buffer.concat(pieces);
          const body = res.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
          const text = body.toString('latin1');
          resolve({
            millis,
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

/** Scrapes all the while in a process of its own, as a Prometheus beside the abuse does. */
export class HonestScraper {
  scrapes: readonly Scrape[] = [];
  failures: readonly string[] = [];
  readonly #child: ChildProcess;

  constructor(port: number, pauseMillis: number, headers: IncomingHttpHeaders = {}) {
    this.#child = fork(SCRAPER, [JSON.stringify({ port, pauseMillis, headers })]);
  }

  async stop(): Promise<this> {
    this.#child.send('stop');
    const [seen] = (await once(this.#child, 'message')) as [Seen];
    Object.assign(this, seen);
    this.#child.disconnect();
    return this;
  }

  get medianMillis(): number {
    const sorted = this.scrapes.map(({ millis }) => millis).sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? Infinity;
  }
}
