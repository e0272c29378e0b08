/**
 * The demo: a service and its four workers under real requests. The official Prometheus exporter is scraped,
 * and two official OTLP exporters push. An exporter thread is scraped and pushes too. A worker is terminated
 * half-way. Prints what was sent beside what came out, and exits with 1 unless they are equal. Then runs
 * examples/processes.ts, and four processes that share a store and an address.
 *
 * `npm run demo -- --help` says what it can be told.
 */
import { diag, DiagConsoleLogger, DiagLogLevel } from '@opentelemetry/api';
import { OTLPMetricExporter as OtlpJsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as OtlpProtobufExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startExporterThread } from 'seqlock-metrics';
import { compare, isExact } from './comparison.ts';
import { freePort } from './free-port.ts';
import { nothingSent, sendRequests } from './load.ts';
import { otlpTotal } from './otlp-read.ts';
import { startOtlpReceiver, type OtlpRequest } from './otlp-receiver.ts';
import { runProcesses } from './processes.ts';
import { startService } from './service.ts';
import { registerMetrics } from './telemetry.ts';
import { WorkerPool } from './worker-pool.ts';

const WORKERS = 4;
const AT_ONCE = 32;
const MAX_REQUESTS = 100_000;

const USAGE = `npm run demo                      ends by itself
npm run demo -- --serve           stays up under a little load until SIGINT or SIGTERM
npm run demo -- --serve --idle    stays up, and leaves the load to you
npm run demo -- --requests 500    sends so many requests, from 2 to ${MAX_REQUESTS}
npm run demo -- --serve --otlp http://localhost:4318      pushes to a Collector of yours, too`;

const options = readOptions();
const requests = Number(options.requests);
if (!Number.isInteger(requests) || requests < 2 || requests > MAX_REQUESTS)
  endWithUsage(`--requests is ${options.requests}; it must be a whole number from 2 to ${MAX_REQUESTS}`);
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
run().then(
  (exact) => (process.exitCode = exact ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);

function readOptions() {
  try {
    return parseArgs({
      options: {
        help: { type: 'boolean', default: false },
        serve: { type: 'boolean', default: false },
        idle: { type: 'boolean', default: false },
        requests: { type: 'string', default: '4000' },
        otlp: { type: 'string', default: '' },
      },
    }).values;
  } catch (error) {
    return endWithUsage((error as Error).message);
  }
}

function endWithUsage(wrong: string): never {
  console.error(`${wrong}\n\n${USAGE}`);
  process.exit(2);
}

async function run(): Promise<boolean> {
  const receiver = await startOtlpReceiver();
  const port = await freePort(9464);
  const pushing = (exporter: PushMetricExporter, millis = 250): PeriodicExportingMetricReader =>
    new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: millis,
      exportTimeoutMillis: millis,
    });
  const provider = registerMetrics([
    new PrometheusExporter({ host: '127.0.0.1', port }),
    pushing(new OtlpJsonExporter({ url: `${receiver.url}/json/v1/metrics` })),
    pushing(new OtlpProtobufExporter({ url: `${receiver.url}/protobuf/v1/metrics` })),
    ...(options.otlp === ''
      ? []
      : [pushing(new OtlpProtobufExporter({ url: `${options.otlp}/v1/metrics` }), 1000)]),
  ]);
  console.log(
    'The main thread exports and the exporter thread too, to compare them. An app has one of the two: hence the warning.',
  );
  const exporter = await startExporterThread({
    prometheus: { host: '127.0.0.1', port: 0 },
    otlp: { url: `${receiver.url}/thread/v1/metrics`, intervalMillis: 1000 },
  });
  const pool = new WorkerPool(WORKERS);
  const service = await startService(pool);
  const scrapeUrl = `http://127.0.0.1:${port}/metrics`;

  const sent = nothingSent();
  const half = Math.floor(requests / 2);
  console.log(`Sending ${requests} requests to ${service.url}, worked on by ${WORKERS} threads`);
  await sendRequests(service.url, half, AT_ONCE, sent);
  const [, scrapedMidway, doneByTerminated] = await Promise.all([
    sendRequests(service.url, requests - half, AT_ONCE, sent),
    fetch(scrapeUrl).then((response) => response.text()),
    pool.replaceOne(),
  ]);
  console.log(`Terminated a worker that had done ${doneByTerminated} jobs, started another in its place`);

  await Promise.all([provider.forceFlush(), exporter.forceFlush()]);
  const threadUrl = `http://127.0.0.1:${exporter.address!.port}/metrics`;
  const threadScrape = await (await fetch(threadUrl)).text();
  const thread = receiver.inbox('/thread/v1/metrics').requests;
  const scrape = await (await fetch(scrapeUrl)).text();
  const json = receiver.inbox('/json/v1/metrics').requests;
  const protobuf = receiver.inbox('/protobuf/v1/metrics').requests;
  const rows = compare(sent, {
    scrape,
    otlpJson: json.at(-1)!,
    otlpProtobuf: protobuf.at(-1)!,
    threadScrape,
    threadOtlp: thread.at(-1)!,
  });
  console.table(Object.fromEntries(rows.map(({ what, ...numbers }) => [what, numbers])));
  console.log(`Scraped ${scrapedMidway.length} bytes under load, ${scrape.length} at the end`);
  const steady = [json, protobuf, thread].every(neverFalls);
  console.log(
    `Pushed ${json.length} times as JSON, ${protobuf.length} as protobuf, ${thread.length} by the exporter thread; totals ${steady ? 'never fell' : 'FELL'}`,
  );
  const exact = rows.every(isExact);
  console.log(exact ? 'All numbers are equal.' : 'NUMBERS DIFFER.');

  if (options.serve) {
    console.log(
      `\nService  ${service.url}/checksum/sha256/1000\nMetrics  ${scrapeUrl}\n         ${threadUrl} (exporter thread)\nPage     ${new URL('/', threadUrl).href}\nCtrl-C ends it.`,
    );
    await serveUntilTold(service.url, options.idle);
  }
  const processes = options.serve ? undefined : await outcomeOfProcesses();
  if (processes !== undefined) console.log(`Several processes: ${processes.text}`);
  const shares = options.serve || process.platform === 'win32' || (await runProcesses(half > 100 ? 50 : 10));
  service.server.close();
  service.server.closeAllConnections();
  await pool.stop();
  await exporter.stop();
  await provider.shutdown();
  await receiver.close();
  return exact && steady && processes?.isWrong !== true && shares;
}

/**
 * The last line of the example with one store for five processes, or why it cannot run here. One order more than
 * was sent may be counted, by the process that is killed.
 */
async function outcomeOfProcesses(): Promise<{ readonly text: string; readonly isWrong: boolean }> {
  try {
    const example = fileURLToPath(new URL('../processes.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [example]);
    const text = stdout.trimEnd().split('\n').at(-1)!;
    const [counted = NaN, sent = NaN] = (/^(\d+) .* (\d+) sent$/.exec(text) ?? []).slice(1).map(Number);
    return { text, isWrong: !(counted === sent || counted === sent + 1) };
  } catch (error) {
    return { text: (error as Error).message, isWrong: false };
  }
}

/**
 * Until SIGINT or SIGTERM. Unless `isIdle`, sends requests all the time, so that there is something to see.
 */
async function serveUntilTold(url: string, isIdle: boolean): Promise<void> {
  const told = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => told.abort());
  while (!told.signal.aborted) {
    if (!isIdle) await sendRequests(url, 20, 2, nothingSent());
    await wait(200);
  }
}

/** Looks at the jobs of all workers, in the order in which they were pushed. */
function neverFalls(pushes: readonly OtlpRequest[]): boolean {
  const totals = pushes
    .map((push) => otlpTotal(push, 'jobs.completed'))
    .filter((value) => !Number.isNaN(value));
  return totals.length > 0 && totals.every((value, i) => i === 0 || value >= totals[i - 1]!);
}
