/** What it costs to start: an import, a worker, the exporter thread, a process that serves its metrics. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packBesideBuild, packedFile } from './packed.ts';
import { rowOf, type Rounds, type Row } from './row.ts';
import type { StartFigures, Starting, StartTask } from './start-app.ts';

const APP = fileURLToPath(new URL('./start-app.js', import.meta.url));
const MEGABYTE = 1e6;
const CONTENDERS = ['none', 'ours', 'official'] as const;
const OWN_ENTRIES = { index: 'index.js', register: 'register/register.js' };

/** Values over those of a bare one, by contender. */
type Over = Record<'ours' | 'official', number[]>;

export async function benchStart(rounds: number): Promise<Row[]> {
  packBesideBuild();
  const ours = packedFile('index.js');
  return [
    ...workerRows(rounds, ours),
    ...(await processRows(rounds)),
    ...importRows(rounds),
    ...exporterThreadRows(rounds, ours),
  ];
}

function measured(task: StartTask): StartFigures {
  const text = execFileSync(process.execPath, [APP, JSON.stringify(task)], {
    cwd: dirname(APP),
    encoding: 'utf8',
    env: { ...process.env, SEQLOCK_METRICS_QUIET: 'true', OTEL_METRICS_EXPORTER: 'none' },
  });
  return JSON.parse(text) as StartFigures;
}

function workerRows(rounds: number, ours: string): Row[] {
  const millis: Over = { ours: [], official: [] };
  const megabytes: Over = { ours: [], official: [] };
  for (let round = 0; round < rounds; round++) {
    const [bare, own, official] = CONTENDERS.map((contender) =>
      measured({ what: 'worker', contender, ours }),
    ) as [StartFigures, StartFigures, StartFigures];
    for (const [name, figures] of Object.entries({ ours: own, official })) {
      millis[name as keyof Over].push(figures.millis - bare.millis);
      megabytes[name as keyof Over].push((figures.bytes - bare.bytes) / MEGABYTE);
    }
  }
  return [
    rowOf('start', 'worker that makes a provider and records, over a bare worker', 'ms', millis),
    rowOf('start', 'worker that makes a provider and records, over a bare worker', 'MB', megabytes),
  ];
}

/** From the start of the process to the first answer to a scrape, which is asked for until it comes. */
async function processRows(rounds: number): Promise<Row[]> {
  const millis: Over = { ours: [], official: [] };
  for (let round = 0; round < rounds; round++) {
    const times: number[] = [];
    for (const contender of CONTENDERS) times.push(await untilScraped(contender));
    millis.ours.push(times[1]! - times[0]!);
    millis.official.push(times[2]! - times[0]!);
  }
  return [
    rowOf('start', 'process, until its first scrape is answered, over one without metrics', 'ms', millis),
  ];
}

async function untilScraped(contender: Starting): Promise<number> {
  const port = await freePort();
  const imports = contender === 'ours' ? ['--import', packedFile(OWN_ENTRIES.register)] : [];
  const task: StartTask = { what: 'process', contender, port };
  const from = performance.now();
  const child = spawn(process.execPath, [...imports, APP, JSON.stringify(task)], {
    cwd: dirname(APP),
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      SEQLOCK_METRICS_QUIET: 'true',
      OTEL_METRICS_EXPORTER: 'prometheus',
      OTEL_EXPORTER_PROMETHEUS_HOST: '127.0.0.1',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
    },
  });
  const exited = once(child, 'exit');
  try {
    while (!(await isAnswered(port)))
      if (child.exitCode !== null) throw new Error(`${contender} ended with ${child.exitCode}`);
    return performance.now() - from;
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}

function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200));
    }).on('error', () => setTimeout(resolve, 1, false));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function importRows(rounds: number): Row[] {
  const official = import.meta.resolve('@opentelemetry/sdk-metrics');
  const times = (url: string): number[] =>
    Array.from({ length: rounds }, () => measured({ what: 'import', url }).millis);
  return Object.entries(OWN_ENTRIES).map(([name, file]) => {
    const measuredRounds: Rounds = { ours: times(packedFile(file)), official: times(official) };
    return rowOf('start', `import of ${name}, beside the official SDK's`, 'ms', measuredRounds);
  });
}

/** Over one without an exporter thread, which has nothing to do. */
function exporterThreadRows(rounds: number, ours: string): Row[] {
  const figures = Array.from({ length: rounds }, () => measured({ what: 'exporter thread', ours }));
  const none = figures.map(() => 0);
  const millis = figures.map((one) => one.millis);
  const megabytes = figures.map(({ bytes }) => bytes / MEGABYTE);
  return [
    rowOf('start', 'exporter thread, until it listens', 'ms', { none, ours: millis }),
    rowOf('start', 'exporter thread, until it listens', 'MB', { none, ours: megabytes }),
  ];
}
