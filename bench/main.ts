/**
 * Compares this package with the official SDK and prom-client. `npm run bench -- --help`; what is measured and how:
 * docs/performance.md.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { judge } from './bars.ts';
import { benchExemplars, benchGarbageApart, benchMemory, benchMemoryOrder } from './children.ts';
import { benchCollecting } from './collecting.ts';
import { benchContention, type ContentionEffort, type Distribution } from './contention.ts';
import { benchHanging, type HangEffort } from './hanging.ts';
import { runElsewhere } from './elsewhere.ts';
import { describeMachine } from './machine.ts';
import type { GarbageEffort } from './garbage.ts';
import { parseOptions, USAGE, argsHere, type Benchmark, type Options } from './options.ts';
import { benchOtlp, type OtlpEffort } from './otlp.ts';
import { latencyPlot } from './plot.ts';
import { benchProcesses, type ProcessesEffort } from './processes.ts';
import { benchMetricMemory, benchProvider } from './provider.ts';
import { benchRecording } from './recording.ts';
import { print, type Report } from './report.ts';
import { rowOf, type Row } from './row.ts';
import type { Effort } from './rounds.ts';
import { benchScrape, type ScrapeEffort } from './scrape.ts';
import { benchService, type ServiceEffort } from './service.ts';
import { benchStart } from './start.ts';
import { KINDS } from './subjects.ts';
import { benchText, type TextEffort } from './text.ts';
import { benchViews } from './views.ts';

const FULL: Effort = { rounds: 15, millis: 10, warmUpMillis: 80 };
const SMOKE: Effort = { rounds: 1, millis: 0, warmUpMillis: 0 };
const FULL_CONTENTION: ContentionEffort = { ...FULL, readers: 64, writes: 500_000 };
const SMOKE_CONTENTION: ContentionEffort = { ...SMOKE, readers: 2, writes: 1000 };
const FULL_HANG: HangEffort = {
  blockMillis: 30_000,
  scrapeEveryMillis: 250,
  series: 10_000,
  largeSeries: 100_000,
  rounds: 20,
};
const SMOKE_HANG: HangEffort = {
  blockMillis: 600,
  scrapeEveryMillis: 200,
  series: 100,
  largeSeries: 1000,
  rounds: 1,
};
const FULL_SCRAPE: ScrapeEffort = [
  { kind: 'counter', series: 100, rounds: 25 },
  { kind: 'counter', series: 1_000, rounds: 25 },
  { kind: 'counter', series: 10_000, rounds: 15 },
  { kind: 'counter', series: 100_000, rounds: 9 },
  { kind: 'histogram', series: 100, rounds: 25 },
  { kind: 'histogram', series: 1_000, rounds: 15 },
  { kind: 'histogram', series: 10_000, rounds: 9 },
  { kind: 'histogram', series: 100_000, rounds: 3 },
];
const SMOKE_SCRAPE: ScrapeEffort = [
  { kind: 'counter', series: 100, rounds: 1 },
  { kind: 'histogram', series: 100, rounds: 1 },
];
const FULL_TEXT: TextEffort = [
  { kind: 'counter', series: 10_000, rounds: 15 },
  { kind: 'counter', series: 100_000, rounds: 7 },
  { kind: 'histogram', series: 1_000, rounds: 15 },
  { kind: 'histogram', series: 10_000, rounds: 7 },
];
const SMOKE_TEXT: TextEffort = [{ kind: 'counter', series: 100, rounds: 1 }];
const FULL_OTLP: OtlpEffort = [
  { kind: 'counter', series: 50_000, rounds: 9 },
  { kind: 'histogram', series: 10_000, rounds: 9 },
];
const SMOKE_OTLP: OtlpEffort = [{ kind: 'counter', series: 100, rounds: 1 }];
const FULL_SERVICE: ServiceEffort = { rounds: 5, seconds: 10, warmUpSeconds: 3, rate: 2000, series: 20_000 };
const SMOKE_SERVICE: ServiceEffort = { rounds: 1, seconds: 1, warmUpSeconds: 0.5, rate: 200, series: 100 };
const FULL_PROCESSES: ProcessesEffort = { record: FULL, processes: 8, series: 10_000, scrapes: 7, deaths: 9 };
const SMOKE_PROCESSES: ProcessesEffort = { record: SMOKE, processes: 2, series: 50, scrapes: 1, deaths: 1 };
const FULL_GARBAGE: GarbageEffort = { rounds: 3, batches: 16, warmUpMillis: 150 };
const SMOKE_GARBAGE: GarbageEffort = { rounds: 1, batches: 1, warmUpMillis: 0 };

/** Where pictures go; not part of the repository. */
const PLOTS = 'build/plots';

async function run({ smoke, only, plots }: Options, progress: (benchmark: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const effort = smoke ? SMOKE : FULL;
  const wanted = (benchmark: Benchmark): boolean => {
    if (only.has(benchmark)) progress(benchmark);
    return only.has(benchmark);
  };
  const kinds = new Set(KINDS.filter(wanted));
  if (kinds.size > 0) rows.push(...(await benchRecording(kinds, effort)));
  if (wanted('views')) rows.push(...(await benchViews(effort)));
  if (wanted('exemplars')) rows.push(...benchExemplars(effort));
  if (wanted('garbage')) rows.push(...benchGarbageApart(smoke ? SMOKE_GARBAGE : FULL_GARBAGE));
  if (wanted('memory')) rows.push(...benchMemory(smoke ? [1_000] : [10_000, 100_000]));
  if (wanted('collect'))
    rows.push(
      ...(await (smoke
        ? benchCollecting([100, 1_000], 1)
        : benchCollecting([100, 1_000, 10_000, 100_000], 5))),
    );
  if (wanted('order')) rows.push(...orderRows(smoke ? 1 : 3, effort));
  if (wanted('provider')) rows.push(...benchProvider(effort));
  if (wanted('metric-memory')) rows.push(benchMetricMemory());
  if (wanted('contention')) {
    const figures = await benchContention(smoke ? SMOKE_CONTENTION : FULL_CONTENTION);
    rows.push(...figures.rows);
    if (plots) writePlots(figures.writes);
  }
  if (wanted('text')) rows.push(...(await benchText(smoke ? SMOKE_TEXT : FULL_TEXT)));
  if (wanted('scrape')) rows.push(...(await benchScrape(smoke ? SMOKE_SCRAPE : FULL_SCRAPE)));
  if (wanted('hang')) rows.push(...(await benchHanging(smoke ? SMOKE_HANG : FULL_HANG)));
  if (wanted('service')) rows.push(...(await benchService(smoke ? SMOKE_SERVICE : FULL_SERVICE)));
  if (wanted('processes')) rows.push(...(await benchProcesses(smoke ? SMOKE_PROCESSES : FULL_PROCESSES)));
  if (wanted('otlp')) rows.push(...(await benchOtlp(smoke ? SMOKE_OTLP : FULL_OTLP)));
  if (wanted('start')) rows.push(...(await benchStart(smoke ? 1 : 9)));
  return rows;
}

function writePlots(writes: readonly Distribution[]): void {
  mkdirSync(PLOTS, { recursive: true });
  const file = `${PLOTS}/write-latency.svg`;
  const subtitle = `share of ${writes[0]!.nanos.length.toLocaleString('en-US')} calls of observe() by time, the clock's own time included; ${availableParallelism()} cores, Node ${process.versions.node}`;
  writeFileSync(file, latencyPlot('Write latency of a histogram', subtitle, writes));
  console.error(`... wrote ${file}`);
}

function orderRows(turns: number, effort: Effort): Row[] {
  const measured = benchMemoryOrder(turns, effort);
  return Object.keys(measured[0]!.nanos).map((name) => {
    const of = (order: string): number[] =>
      measured.filter((figures) => figures.order === order).flatMap(({ nanos }) => nanos[name]!);
    const fast = of('fast');
    return rowOf('order', name, 'ns', { ...(fast.length > 0 && { fast }), strict: of('strict') });
  });
}

async function main(args: readonly string[]): Promise<void> {
  let options: Options | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  const { nodes, sdk } = options;
  if (nodes.length > 0 || sdk !== undefined) {
    process.exitCode = await runElsewhere(nodes, sdk, argsHere(options));
    return;
  }
  if (globalThis.gc === undefined) {
    console.error('start it with node --expose-gc, as npm run bench does');
    process.exitCode = 2;
    return;
  }
  const machine = describeMachine(args);
  const start = performance.now();
  const rows = await run(options, (benchmark) => console.error(`... ${benchmark}`));
  const seconds = Math.round(performance.now() - start) / 1000;
  const report: Report = { format: 1, machine, smoke: options.smoke, seconds, rows, bars: judge(rows) };
  console.log(options.json ? JSON.stringify(report, undefined, 1) : print(report));
}

await main(process.argv.slice(2));
