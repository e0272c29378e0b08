import type { Verdict } from './bars.ts';
import type { Machine } from './machine.ts';
import type { Compared, Contender, Row } from './row.ts';
import { figure, table } from './table.ts';

/** What `--json` prints. */
export interface Report {
  readonly format: 1;
  readonly machine: Machine;
  readonly smoke: boolean;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly bars: readonly Verdict[];
}

const TITLES: Readonly<Record<string, string>> = {
  counter: 'Counter `add`, ns',
  gauge: 'Gauge `record`, ns',
  histogram: 'Histogram `record`, ns',
  views: 'Record calls with views, and with two readers: 3 fresh attributes, 100 series, ns',
  exponential: 'Exponential histogram `record`, ns',
  exemplars: 'Record calls outside of spans, with exemplars and without, ns',
  garbage: "Garbage of a record call, bytes, the caller's own taken off",
  memory: 'Memory per series, bytes (heap, typed arrays and shared memory)',
  collect: 'Reading all series, ms',
  order: 'The two forms of the cell protocol, ns',
  provider: 'The `MetricsProvider` interface, ns',
  'metric-memory': 'Memory per metric made by name, bytes (heap and shared memory)',
  contention: 'Reading while others write, writing while others read, ns',
  hang: 'Scrapes of an app that hangs, and what a scrape does to one that does not, ms or %',
  text: 'Making the Prometheus text of all series, ms',
  scrape: 'Whole scrapes over HTTP, ms or MB',
  processes: 'A store of several processes, beside a store of one and prom-client in a cluster, ns or ms',
  otlp: 'Making the OTLP request of all series, ms of CPU',
  start: 'Starts, ms or MB',
  service: 'Answers of a service that is scraped every second, ms',
};

const HEADERS: Readonly<Record<Contender, string>> = {
  floor: 'caller alone',
  none: 'no metrics',
  off: 'no exemplars',
  ours: 'seqlock-metrics',
  handler: "seqlock-metrics, app's thread",
  official: 'official SDK',
  prom: 'prom-client',
  pio: '@prometheus-io/client',
  fast: 'FAST',
  strict: 'STRICT',
  shared: 'seqlock-metrics, shared store',
  quiet: 'alone',
  spinning: 'others compute',
  busy: 'others at it',
};
const CONTENDERS = Object.keys(HEADERS) as Contender[];
const COMPARED: readonly Compared[] = ['ours', 'official', 'prom', 'pio', 'strict', 'shared', 'busy'];

export function print({ machine, smoke, seconds, rows, bars }: Report): string {
  const blocks = [describe(machine)];
  if (smoke) blocks.push('SMOKE RUN: too short for its figures to mean anything.');
  for (const benchmark of new Set(rows.map((row) => row.benchmark)))
    blocks.push(
      benchmarkTable(
        benchmark,
        rows.filter((row) => row.benchmark === benchmark),
      ),
    );
  blocks.push(barTable(bars), `${figure(seconds)} s in all.`);
  return blocks.join('\n\n');
}

function describe(machine: Machine): string {
  const packages = Object.entries(machine.packages).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}`,
    `Node ${machine.node}, V8 ${machine.v8}, cell protocol ${machine.memoryOrder.toUpperCase()}`,
    packages.join(', '),
    `${machine.startedAt}, load average at the start ${machine.loadAverage}: ${machine.command}`,
  ].join('\n');
}

function benchmarkTable(benchmark: string, rows: readonly Row[]): string {
  const contenders = CONTENDERS.filter((contender) =>
    rows.some((row) => row.values[contender] !== undefined),
  );
  const compared = COMPARED.filter((other) => rows.some((row) => row.ratios[other] !== undefined));
  const header = [
    '',
    ...contenders.map((contender) => HEADERS[contender]),
    ...compared.map((other) => (other === 'ours' ? `times ${HEADERS.none}` : `${HEADERS[other]}, times`)),
  ];
  const lines = rows.map((row) => [
    row.name,
    ...contenders.map((contender) => figure(row.values[contender])),
    ...compared.map((other) => figure(row.ratios[other])),
  ]);
  return `${TITLES[benchmark] ?? benchmark}\n\n${table(header, lines)}`;
}

function barTable(bars: readonly Verdict[]): string {
  const lines = bars.map(({ what, peer, bar, isMost, measured, rows, met }) => [
    what,
    peer === null ? '' : HEADERS[peer],
    isMost ? `at most ${figure(bar)}` : `${figure(bar)} times`,
    figure(measured),
    Object.values(rows).length > 4 ? '' : Object.values(rows).map(figure).join(' / '),
    met === null ? 'not measured' : met ? 'met' : 'NOT MET',
  ]);
  return `Bars (the worst of the rows counts)\n\n${table(['', 'against', 'bar', 'measured', 'rows', 'verdict'], lines)}`;
}
