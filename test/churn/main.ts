/**
 * Writers that come and go by thousands, a fifth of them killed: what must hold of the totals, of memory, and of the time a scrape takes.
 *
 *   npm run test:threads -- [--workers 10000] [--at-once 32] [--mid-record 100]
 *
 * First, threads that die at each step of taking a slab and of making a series, and threads terminated while they record, until
 * `--mid-record` deaths have fallen in the middle of a write. Then the crowd:
 *
 * totals must be exact to the last acknowledged record, with at most one unacknowledged record per killed writer. The store must have a slab for
 * each thread that was alive at once and no more: of each kind of writers the most there ever were (docs/design.md, who inherits from whom),
 * which is counted here from the start of a worker to its 'exit'. That number goes on growing a little, and memory with it: of 32 writers of
 * four kinds, eight are of a kind on the average, and seldom many more. The heap of the thread that starts them must not grow. What
 * the process has resident is told, and judged loosely: it is mostly the freed heaps of dead workers, which the allocator keeps. A scrape at the end may take at most 1.2 times what it took then: each time
 * it is compared with the scrape of another store that does not change, turn by turn, so that a busy machine slows both.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  MetricStore,
  SeqlockMeterProvider,
  SeqlockMetricReader,
  type HistogramValue,
  type ResourceMetrics,
} from '../../src/index.ts';
import { EXTENTS_OFFSET, FIRST_EXTENT_BYTES } from '../../src/memory/layout.ts';
import { MEMORY_ORDER_VARIABLE } from '../../src/memory/memory-order.ts';
import { dieAtSteps } from '../support/deaths.ts';
import { DYING_PHASES } from '../support/dying-job.ts';
import type { MidRecord } from './mid-record.ts';
import { COUNTED, KINDS, LEVELLED, TIMED, WRITER_KINDS, type ChurnJob, type Fate } from './churn-job.ts';

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '32' },
    'mid-record': { type: 'string', default: '100' },
  },
});
const WORKERS = Number(options.workers);
const AT_ONCE = Number(options['at-once']);
/** Until as many of each kind have lived at once as ever will. */
const WARM_UP = Math.min(Math.max(8 * AT_ONCE, Math.round(WORKERS / 10)), WORKERS >> 1);
const SCRAPES = 101;
const MAX_SLOWER = 1.2;
const MIB = 2 ** 20;

/** A fifth of the writers does not return. To run out of memory takes long, so few do. */
function fateOf(number: number): Fate {
  if (number % 5 !== 0) return 'return';
  if (number % 500 === 0) return 'out of memory';
  const fates = [
    'terminated',
    'uncaught exception',
    'terminated',
    'process.exit',
    'terminated while it starts',
  ] as const;
  return fates[(number / 5) % fates.length]!;
}

const died = new Map<Fate, number>();
/** Writers of each kind that are alive, and the most that ever were. */
const alive = new Int32Array(WRITER_KINDS);
const crowds = new Int32Array(WRITER_KINDS);
/** One triple of words per place: as many as there are writers at once. */
const places = Array.from({ length: AT_ONCE }, () => new Int32Array(new SharedArrayBuffer(4 * KINDS)));

async function runWriter(number: number, acknowledged: Int32Array): Promise<void> {
  const fate = fateOf(number);
  const kind = number % WRITER_KINDS;
  crowds[kind] = Math.max(crowds[kind]!, ++alive[kind]!);
  const before = Atomics.load(acknowledged, TIMED);
  const worker = new Worker(new URL('./churn-worker.js', import.meta.url), {
    workerData: { number, fate, acknowledged } satisfies ChurnJob,
    ...(fate === 'out of memory' && { resourceLimits: { maxOldGenerationSizeMb: 24 } }),
  });
  worker.on('error', () => {}); // on purpose
  const exit = new Promise((resolve) => worker.once('exit', resolve)); // `once` would reject on 'error'
  if (fate === 'terminated while it starts') {
    await once(worker, 'online');
    await sleep(Math.random() * 40); // somewhere between loading the package and recording
    await worker.terminate();
  } else if (fate === 'terminated') {
    while (Atomics.load(acknowledged, TIMED) < before + 20) await sleep(1);
    await worker.terminate();
  }
  await exit;
  alive[kind]!--;
  died.set(fate, (died.get(fate) ?? 0) + 1);
}

function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** Runs writers `from` to `to`, `AT_ONCE` at a time. */
async function runWriters(from: number, to: number): Promise<void> {
  let next = from;
  await Promise.all(
    places.map(async (place) => {
      while (next < to) await runWriter(next++, place);
    }),
  );
}

interface Totals {
  readonly counted: number;
  readonly level: number;
  readonly timed: number;
  /** Histogram series whose count is not the sum of their buckets. */
  readonly torn: number;
  readonly gauges: number;
}

function totalsOf({ scopeMetrics }: ResourceMetrics): Totals {
  const points = (name: string): { readonly value: unknown }[] =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics
        .filter(({ descriptor }) => descriptor.name === name)
        .flatMap(({ dataPoints }): readonly { readonly value: unknown }[] => dataPoints),
    );
  const sum = (numbers: number[]): number => numbers.reduce((total, value) => total + value, 0);
  const times = points('times').map(({ value }) => value as HistogramValue);
  return {
    counted: sum(points('counted').map(({ value }) => value as number)),
    level: sum(points('level').map(({ value }) => value as number)),
    timed: sum(times.map(({ count }) => count)),
    torn: times.filter(({ count, buckets }) => sum(buckets.counts) !== count).length,
    gauges: points('last').length,
  };
}

/** Times of scrapes of both stores, turn by turn: the quotient of the medians. */
function scrapeTime(
  reader: SeqlockMetricReader,
  control: SeqlockMetricReader,
): { millis: number; ratio: number } {
  const timed = (scraped: SeqlockMetricReader): number => {
    const started = performance.now();
    scraped.snapshot();
    scraped.exportPrometheus();
    return performance.now() - started;
  };
  const times: [number[], number[]] = [[], []];
  for (let i = 0; i < SCRAPES; i++) {
    times[0].push(timed(reader));
    times[1].push(timed(control));
  }
  const [millis, controlMillis] = times.map((list) => list.sort((a, b) => a - b)[SCRAPES >> 1]!);
  return { millis: millis!, ratio: millis! / controlMillis! };
}

/** A store of one thread with about as many series. */
function controlReader(): SeqlockMetricReader {
  const reader = new SeqlockMetricReader();
  const store = MetricStore.open({ maxBytes: 4 * MIB });
  const counter = new SeqlockMeterProvider({ readers: [reader], store })
    .getMeter('control')
    .createCounter('c');
  for (let i = 0; i < 1000; i++) counter.add(1, { i });
  return reader;
}

interface Memory {
  /** Bytes the store uses. */
  readonly used: number;
  /** Bytes of the store if each thread that could have been alive at once had a slab of one extent; one of them is this. */
  readonly bound: number;
  readonly heapMiB: number;
  readonly residentMiB: number;
}

function memory(store: MetricStore): Memory {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const slabs = 1 + crowds.reduce((total, crowd) => total + crowd);
  return {
    used: store.usedBytes,
    bound: EXTENTS_OFFSET + slabs * FIRST_EXTENT_BYTES,
    heapMiB: heapUsed / MIB,
    residentMiB: rss / MIB,
  };
}

function told({ used, bound, heapMiB, residentMiB }: Memory): string {
  return `${used / 1024} KiB of metrics, ${bound / 1024} for crowds of ${crowds.join(' + ')}; heap ${heapMiB.toFixed(1)} MiB; ${residentMiB.toFixed(0)} MiB resident`;
}

let passed = 0;
let failed = 0;
function check(ok: boolean, text: string): void {
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? 'ok ' : 'BAD'} ${text}`);
}

async function checkDeaths(): Promise<void> {
  for (const phase of DYING_PHASES)
    try {
      check(
        true,
        `a thread that died at each of ${await dieAtSteps(phase, 1)} steps of ${phase}: nothing was lost`,
      );
    } catch (error) {
      check(false, `a thread that died while ${phase}: ${String(error)}`);
    }
  const wanted = Number(options['mid-record']);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(new URL('./mid-record.js', import.meta.url)), String(wanted)],
    { env: { ...process.env, [MEMORY_ORDER_VARIABLE]: 'strict' } },
  );
  const { deaths, midWrite, unacknowledged, wrong } = JSON.parse(stdout) as MidRecord;
  check(
    wrong === 0 && midWrite >= wanted,
    `threads terminated while they recorded: ${deaths}, ${midWrite} of them in the middle of a write; ` +
      `${unacknowledged} measurements count that were not acknowledged; ${wrong} left anything wrong`,
  );
}

await checkDeaths();
const reader = new SeqlockMetricReader();
const { store } = new SeqlockMeterProvider({ readers: [reader], selfMetrics: true });
const control = controlReader();
const started = performance.now();

await runWriters(0, WARM_UP);
for (let i = 0; i < 3; i++) scrapeTime(reader, control); // until the code is compiled
const early = { ...memory(store), scrape: scrapeTime(reader, control) };
console.log(`${WARM_UP} writers: ${told(early)}`);
for (let part = 1; part <= 9; part++) {
  const started = (parts: number): number => WARM_UP + Math.round(((WORKERS - WARM_UP) * parts) / 9);
  await runWriters(started(part - 1), started(part));
  console.log(`${started(part)} writers: ${told(memory(store))}`);
}
const late = { ...memory(store), scrape: scrapeTime(reader, control) };

const sum = (kind: number): number => places.reduce((total, place) => total + Atomics.load(place, kind), 0);
const killed = (died.get('terminated') ?? 0) + (died.get('terminated while it starts') ?? 0);
const totals = totalsOf(reader.snapshot());
const beyond = [totals.counted - sum(COUNTED), totals.level - sum(LEVELLED), totals.timed - sum(TIMED)];
const unacknowledged = beyond.reduce((all, one) => all + one, 0);

console.log(
  `${WORKERS} writers, ${AT_ONCE} at once, ${((performance.now() - started) / 1000).toFixed(0)} s: ` +
    [...died].map(([fate, count]) => `${count} ${fate}`).join(', '),
);
check(
  beyond.every((one) => one >= 0) && unacknowledged <= killed,
  `totals: ${sum(COUNTED)} + ${sum(LEVELLED)} + ${sum(TIMED)} acknowledged, ${beyond.join(' + ')} more, for ${killed} writers terminated while they recorded`,
);
check(totals.torn === 0, `histograms whose count is not the sum of their buckets: ${totals.torn}`);
check(totals.gauges === 0, `gauges of dead writers that are still reported: ${totals.gauges}`);
check(store.lostMeasurements === 0, `lost measurements: ${store.lostMeasurements}`);
check(
  late.used <= late.bound,
  `memory of the store: ${early.used} B after ${WARM_UP} writers, ${late.used} B at the end; as many as lived at once take ${late.bound} B`,
);
check(
  late.heapMiB <= early.heapMiB * 1.1,
  `heap of the starting thread: ${early.heapMiB.toFixed(1)} MiB after ${WARM_UP} writers, ${late.heapMiB.toFixed(1)} MiB at the end`,
);
check(
  late.residentMiB <= early.residentMiB * 1.25,
  `resident memory: ${early.residentMiB.toFixed(0)} MiB after ${WARM_UP} writers, ${late.residentMiB.toFixed(0)} MiB at the end`,
);
check(
  late.scrape.ratio <= early.scrape.ratio * MAX_SLOWER,
  `a scrape: ${early.scrape.millis.toFixed(2)} ms after ${WARM_UP} writers, ${late.scrape.millis.toFixed(2)} ms at the end; ` +
    `${(late.scrape.ratio / early.scrape.ratio).toFixed(2)} times as long, measured against a store that did not change`,
);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
