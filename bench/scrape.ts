/**
 * A whole scrape over HTTP, beside the official exporter and prom-client: time until the last byte, the longest stall of the serving process's event
 * loop, its CPU time, and its memory at the peak. Between scrapes every series is recorded to once. Each contender serves from a process of its own,
 * the scraper is another, so the clients' work is not in the figures.
 *
 *   npm run build && node build/bench/scrape.js [--series 100,1000,10000,100000] [--kinds counter,histogram] [--rounds 7]
 *
 * Two cores, Node 20.20.2, load from elsewhere; medians of 5 after one cold scrape: see docs/exposition.md.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import * as prom from 'prom-client';
import { createPrometheusHandler, SeqlockMeterProvider, SeqlockMetricReader } from '../src/index.ts';

const CONTENDERS = ['seqlock', 'official', 'prom-client'] as const;
type Contender = (typeof CONTENDERS)[number];
type Kind = 'counter' | 'histogram';
const BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

interface Served {
  /** Records once to every series. */
  record(round: number): void;
  handler: Parameters<typeof createServer>[1] & object;
}

type Labels = Record<string, string>;

const labelsOf = (series: number): Labels[] =>
  Array.from({ length: series }, (_, i) => ({
    route: `/api/v1/resource/${i}`,
    method: 'GET',
    status: '200',
  }));

function serve(contender: Contender, kind: Kind, series: number): Served {
  const labels = labelsOf(series);
  const recordAll = (record: (value: number, labels: Labels) => void) => (round: number) =>
    labels.forEach((of, i) => record(kind === 'counter' ? 1 : ((i + round) * 7919) % 12_000, of));
  if (contender === 'prom-client') {
    const options = { name: 'm', help: 'h', labelNames: ['route', 'method', 'status'] };
    const registry = new prom.Registry();
    const counter = new prom.Counter({ ...options, registers: [] });
    const histogram = new prom.Histogram({ ...options, buckets: BOUNDS, registers: [] });
    registry.registerMetric(kind === 'counter' ? counter : histogram);
    return {
      record: recordAll((value, of) =>
        kind === 'counter' ? counter.inc(of, value) : histogram.observe(of, value),
      ),
      handler: (_, res) => void registry.metrics().then((text) => res.end(text)),
    };
  }
  const limit = { cardinalitySelector: () => 1_000_000 };
  if (contender === 'official') {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    Object.assign(exporter, { _cardinalitySelector: () => 1_000_000 });
    const meter = new MeterProvider({ readers: [exporter] }).getMeter('bench');
    const counter = meter.createCounter('m');
    const histogram = meter.createHistogram('m');
    return {
      record: recordAll((value, of) =>
        kind === 'counter' ? counter.add(value, of) : histogram.record(value, of),
      ),
      handler: (req, res) => exporter.getMetricsRequestHandler(req, res),
    };
  }
  const reader = new SeqlockMetricReader(limit);
  const meter = new SeqlockMeterProvider({ readers: [reader] }).getMeter('bench');
  const counter = kind === 'counter' ? meter.createCounter('m') : undefined;
  const histogram = kind === 'histogram' ? meter.createHistogram('m') : undefined;
  const handler = createPrometheusHandler(reader);
  return {
    record: recordAll((value, of) =>
      counter === undefined ? histogram!.record(value, of) : counter.add(value, of),
    ),
    handler: (req, res) => void handler(req, res),
  };
}

/** The longest time the event loop did not turn, and CPU, since `reset`. */
class Watch {
  #last = performance.now();
  #longest = 0;
  #cpu = process.cpuUsage();

  constructor() {
    const turn = (): void => {
      const now = performance.now();
      this.#longest = Math.max(this.#longest, now - this.#last);
      this.#last = now;
      setImmediate(turn);
    };
    turn();
  }

  reset(): void {
    this.#last = performance.now();
    this.#longest = 0;
    this.#cpu = process.cpuUsage();
  }

  read(): { stall: number; cpu: number } {
    const { user, system } = process.cpuUsage(this.#cpu);
    return { stall: Math.max(this.#longest, performance.now() - this.#last), cpu: (user + system) / 1000 };
  }
}

function runChild(contender: Contender, kind: Kind, series: number): void {
  const served = serve(contender, kind, series);
  served.record(0);
  const watch = new Watch();
  const server = createServer(served.handler);
  server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
  process.on('message', (message: { do: 'prepare' | 'read'; round: number }) => {
    if (message.do === 'prepare') {
      served.record(message.round);
      watch.reset();
      process.send!({ ready: true });
    } else process.send!({ ...watch.read(), peak: process.resourceUsage().maxRSS / 1024 });
  });
}

function ask<T>(child: ChildProcess, message?: object): Promise<T> {
  return new Promise((resolve) => {
    child.once('message', (answer) => resolve(answer as T));
    if (message !== undefined) child.send(message);
  });
}

function scrape(port: number): Promise<{ millis: number; bytes: number }> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1' }, (res) => {
      let bytes = 0;
      res.on('data', (piece: Buffer) => (bytes += piece.length));
      res.on('end', () => resolve({ millis: performance.now() - start, bytes }));
      res.on('error', reject);
    }).on('error', reject);
  });
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function measure(contender: Contender, kind: Kind, series: number, rounds: number) {
  const child = fork(fileURLToPath(import.meta.url), ['child', contender, kind, String(series)]);
  const { port } = await ask<{ port: number }>(child);
  const millis: number[] = [];
  const stalls: number[] = [];
  const cpus: number[] = [];
  let cold = 0;
  let peak = 0;
  let bytes = 0;
  for (let round = 0; round <= rounds; round++) {
    await ask(child, { do: 'prepare', round });
    const took = await scrape(port);
    const watched = await ask<{ stall: number; cpu: number; peak: number }>(child, { do: 'read' });
    ({ bytes } = took);
    ({ peak } = watched);
    if (round === 0) cold = took.millis;
    else {
      millis.push(took.millis);
      stalls.push(watched.stall);
      cpus.push(watched.cpu);
    }
  }
  child.kill();
  return {
    megabytes: bytes / 1e6,
    cold,
    millis: median(millis),
    stall: median(stalls),
    cpu: median(cpus),
    peak,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      series: { type: 'string', default: '100,1000,10000,100000' },
      kinds: { type: 'string', default: 'counter,histogram' },
      rounds: { type: 'string', default: '5' },
    },
  });
  for (const kind of values.kinds.split(',') as Kind[])
    for (const series of values.series.split(',').map(Number)) {
      let own: Awaited<ReturnType<typeof measure>> | undefined;
      for (const contender of CONTENDERS) {
        const found = await measure(contender, kind, series, Number(values.rounds));
        own ??= found;
        const figures = `${found.millis.toFixed(1)} ms, stall ${found.stall.toFixed(1)} ms, cpu ${found.cpu.toFixed(1)} ms, cold ${found.cold.toFixed(0)} ms, peak ${found.peak.toFixed(0)} MB, ${found.megabytes.toFixed(1)} MB text`;
        const ratio =
          found === own
            ? ''
            : ` (${(found.millis / own.millis).toFixed(1)} x time, ${(found.cpu / own.cpu).toFixed(1)} x cpu)`;
        console.log(`${series} ${kind} series, ${contender}: ${figures}${ratio}`);
      }
    }
}

const [, , role, contender, kind, series] = process.argv;
if (role === 'child') runChild(contender as Contender, kind as Kind, Number(series));
else await main();
