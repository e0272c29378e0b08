/**
 * What a process costs its host and its network, by the number of its series: bytes of an export, CPU and stall of a push, CPU of recording.
 * Senders are processes of their own and push over HTTP to this one, which counts bytes; CPU is all of the sender's threads.
 *
 *   npm run build && node build/bench/scaling.js [--series 100,1000,10000,50000] [--pushes 9]
 *
 * Figures and what follows from them: docs/scaling.md.
 */
import { metrics, type Attributes } from '@opentelemetry/api';
import {
  AggregationTemporalityPreference,
  OTLPMetricExporter as OtlpJsonExporter,
} from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader, startExporterThread } from '../src/index.ts';
import { describeMachine } from './machine.ts';

const KINDS = ['counter', 'histogram'] as const;
type Kind = (typeof KINDS)[number];
const PUSHERS = ['seqlock', 'seqlock, exporter thread', 'official SDK'] as const;
type Pusher = (typeof PUSHERS)[number];

/** What a sender is to do. */
interface Task {
  readonly pusher: Pusher;
  readonly kind: Kind;
  readonly series: number;
  readonly protocol: 'protobuf' | 'json';
  readonly gzip: boolean;
  readonly temporality: 'cumulative' | 'delta';
  /** Of all series, how many are recorded to between pushes. */
  readonly share: number;
  readonly pushes: number;
  readonly url: string;
}

interface Cost {
  /** Of the last push. */
  readonly bytes: number;
  /** Medians over the pushes after the first. */
  readonly cpuMillis: number;
  readonly stallMillis: number;
}

const LIMIT = 1_000_000;
const MANY = 1e6;

function attributesOf(i: number): Attributes {
  return {
    'http.request.method': 'GET',
    'http.route': `/api/v1/resource/${i}`,
    'http.response.status_code': 200,
  };
}

/** Amounts that differ as real ones do, or compression would find all alike; the same in every run. */
function amount(i: number, round: number): number {
  return 1 + ((i * 7919 + round * 104_729) % 9973);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

interface Sender {
  record(round: number): void;
  push(): Promise<void>;
}

/** Makes what records and pushes. A provider of either kind is used through the API alone. */
async function senderOf(task: Task): Promise<Sender> {
  const { pusher, kind, series, protocol, gzip, temporality, share, url } = task;
  if (gzip) process.env['OTEL_EXPORTER_OTLP_COMPRESSION'] = 'gzip';
  const Exporter = protocol === 'json' ? OtlpJsonExporter : OtlpProtobufExporter;
  const preference =
    temporality === 'delta'
      ? AggregationTemporalityPreference.DELTA
      : AggregationTemporalityPreference.CUMULATIVE;
  const reader = (): PeriodicExportingMetricReader =>
    new PeriodicExportingMetricReader({
      exporter: new Exporter({ url, temporalityPreference: preference, timeoutMillis: 60_000 }),
      exportIntervalMillis: 3_600_000,
      exportTimeoutMillis: 60_000,
      cardinalityLimits: { default: LIMIT },
    });
  let push: () => Promise<void>;
  if (pusher === 'official SDK') {
    const provider = new MeterProvider({ readers: [reader()] });
    metrics.setGlobalMeterProvider(provider);
    push = () => provider.forceFlush();
  } else {
    const store = MetricStore.open({ maxBytes: 2 ** 29 });
    const threaded = pusher === 'seqlock, exporter thread';
    // The pull reader is there for its limit.
    const readers = threaded ? [new SeqlockMetricReader({ cardinalitySelector: () => LIMIT })] : [reader()];
    const provider = new SeqlockMeterProvider({ store, readers });
    metrics.setGlobalMeterProvider(provider);
    push = () => provider.forceFlush();
    if (threaded) {
      const compression = gzip ? 'gzip' : 'none';
      const otlp = {
        url,
        temporality,
        compression,
        intervalMillis: 3_600_000,
        timeoutMillis: 60_000,
      } as const;
      const thread = await startExporterThread({ store, otlp });
      push = () => thread.forceFlush({ timeoutMillis: 60_000 });
    }
  }
  const meter = metrics.getMeter('scaling', '1.0.0');
  const counter = meter.createCounter('http.server.requests');
  const histogram = meter.createHistogram('http.server.request.duration', { unit: 's' });
  return {
    record: (round) => {
      const every = Math.round(1 / share);
      for (let i = 0; i < series; i++) {
        if (round > 0 && i % every !== round % every) continue;
        if (kind === 'counter') counter.add(amount(i, round), attributesOf(i));
        // Of a histogram's buckets some are in use from the first round on.
        else
          for (let n = round === 0 ? 20 : 1; n > 0; n--)
            histogram.record(amount(i, round + n), attributesOf(i));
      }
    },
    push,
  };
}

async function send(task: Task): Promise<Omit<Cost, 'bytes'>> {
  const sender = await senderOf(task);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu: number[] = [];
  const stalls: number[] = [];
  for (let round = 0; round <= task.pushes; round++) {
    sender.record(round);
    await new Promise((resolve) => setTimeout(resolve, 20));
    delay.reset();
    const before = process.cpuUsage();
    await sender.push();
    const { user, system } = process.cpuUsage(before);
    await new Promise((resolve) => setTimeout(resolve, 5)); // until the last stall was seen
    if (round === 0) continue; // makes what is kept from push to push
    cpu.push((user + system) / 1000);
    stalls.push(delay.max / 1e6);
  }
  return { cpuMillis: median(cpu), stallMillis: median(stalls) };
}

/** CPU seconds for a million measurements to a thousand series. */
async function record(task: Task): Promise<number> {
  const sender = await senderOf(task);
  for (let round = 0; round < 300; round++) sender.record(round); // warms up
  const rounds: number[] = [];
  for (let i = 0; i < 5; i++) {
    const before = process.cpuUsage();
    for (let round = 0; round < MANY / task.series; round++) sender.record(round);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / 1e6);
  }
  return median(rounds);
}

/** Runs a task in a process of its own. */
async function inChild<T>(role: 'send' | 'record', task: Task): Promise<T> {
  const child = fork(fileURLToPath(import.meta.url), [role, JSON.stringify(task)]);
  const [result] = (await once(child, 'message')) as [T];
  child.kill();
  await once(child, 'exit');
  return result;
}

class Receiver {
  readonly #server: Server;
  lastBytes = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        this.lastBytes = bytes;
        response.end();
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/metrics`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Bytes of the Prometheus text of as many series. */
function scraped(kind: Kind, series: number): { readonly plain: number; readonly gzip: number } {
  const reader = new SeqlockMetricReader({ cardinalitySelector: () => LIMIT });
  const provider = new SeqlockMeterProvider({
    store: MetricStore.open({ maxBytes: 2 ** 29 }),
    readers: [reader],
  });
  const meter = provider.getMeter('scaling', '1.0.0');
  const counter = meter.createCounter('http.server.requests');
  const histogram = meter.createHistogram('http.server.request.duration', { unit: 's' });
  for (let i = 0; i < series; i++)
    if (kind === 'counter') counter.add(amount(i, 0), attributesOf(i));
    else for (let n = 20; n > 0; n--) histogram.record(amount(i, n), attributesOf(i));
  const text = Buffer.from(reader.exportPrometheus());
  provider.store.close();
  return { plain: text.length, gzip: gzipSync(text).length };
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const kilo = (bytes: number): string => (bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      series: { type: 'string', default: '100,1000,10000,50000' },
      pushes: { type: 'string', default: '9' },
    },
  });
  const sizes = values.series.split(',').map(Number);
  const { cpu, cores, node, loadAverage } = describeMachine([]);
  console.log(`${cpu}, ${cores} cores, Node ${node}, load average ${loadAverage}\n`);
  const receiver = new Receiver();
  const url = await receiver.listen();
  const base = { protocol: 'protobuf', gzip: true, temporality: 'cumulative', share: 1, url } as const;
  const cost = async (task: Omit<Task, 'pushes' | 'url'>): Promise<Cost> => {
    const measured = await inChild<Omit<Cost, 'bytes'>>('send', {
      ...task,
      url,
      pushes: Number(values.pushes),
    });
    return { ...measured, bytes: receiver.lastBytes };
  };
  const bytes: (string | number)[][] = [];
  const pushes: (string | number)[][] = [];
  for (const kind of KINDS)
    for (const series of sizes) {
      const of = { ...base, pusher: 'seqlock', kind, series } as const;
      const text = scraped(kind, series);
      const zipped = await cost(of);
      const sizesOf = [
        (await cost({ ...of, gzip: false })).bytes,
        zipped.bytes,
        (await cost({ ...of, protocol: 'json' })).bytes,
        (await cost({ ...of, temporality: 'delta', share: 0.1 })).bytes,
        text.plain,
        text.gzip,
      ];
      bytes.push([`${series} ${kind}s`, ...sizesOf.map(kilo)]);
      const costs = [zipped];
      for (const pusher of PUSHERS.slice(1)) costs.push(await cost({ ...of, pusher }));
      pushes.push([
        `${series} ${kind}s`,
        ...costs.map(({ cpuMillis }) => cpuMillis.toFixed(1)),
        ...costs.map(({ stallMillis }) => stallMillis.toFixed(0)),
      ]);
    }
  console.log('Bytes of one export, kB\n');
  console.log(
    table(
      [
        'series',
        'protobuf',
        'protobuf, gzip',
        'JSON, gzip',
        'protobuf, gzip, delta, a tenth changed',
        'text',
        'text, gzip',
      ],
      bytes,
    ),
  );
  console.log(
    '\nOne push (protobuf, gzip, cumulative): CPU ms of the process, longest stall of its main thread in ms\n',
  );
  console.log(
    table(['series', ...PUSHERS.map((p) => `CPU, ${p}`), ...PUSHERS.map((p) => `stall, ${p}`)], pushes),
  );
  const records: (string | number)[][] = [];
  for (const kind of KINDS) {
    const seconds: string[] = [];
    for (const pusher of ['seqlock', 'official SDK'] as const)
      seconds.push(
        (await inChild<number>('record', { ...base, pusher, kind, series: 1000, pushes: 0 })).toFixed(3),
      );
    records.push([kind, ...seconds]);
  }
  console.log('\nCPU seconds for a million measurements, 3 attributes, 1,000 series\n');
  console.log(table(['instrument', 'seqlock', 'official SDK'], records));
  receiver.close();
}

const [, , role, task] = process.argv;
if (role === 'send' || role === 'record') {
  const doing = role === 'send' ? send : record;
  doing(JSON.parse(task!) as Task).then(
    (result) => process.send!(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
} else await main();
