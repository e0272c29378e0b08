/** The `MetricsProvider` interface on shared memory, on the official SDK, and prom-client's calls that do the same. */
import * as prom from 'prom-client';
import {
  SeqlockMetricsProvider,
  StandardMetricsProvider,
  type MetricsCounter,
  type MetricsProvider,
} from '../src/index.ts';
import { SampledCellReader } from '../src/collect/rows/cell-reader.ts';
import { rowOf, type Contender, type Row } from './row.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';

const BATCH = 4096;
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METRICS = 1000;

type Operation = () => number | void;

interface Side {
  readonly contender: 'ours' | 'official' | 'prom';
  readonly operations: Readonly<Record<string, Operation>>;
  readonly close: () => void;
}

function sideOf(contender: 'ours' | 'official', metrics: MetricsProvider): Side {
  const counter = metrics.counter('c', 'help');
  const gauge = metrics.gauge('g', 'help');
  const histogram = metrics.histogram('h', 'help', BUCKETS);
  const labelled = metrics.counter('l', 'help', { labelNames: ['method', 'status'] });
  return {
    contender,
    operations: {
      'counter.inc()': () => counter.inc(),
      'counter.incBy(5)': () => counter.incBy(5),
      'counter.labels({..}).inc()': () => labelled.labels({ method: 'GET', status: 200 }).inc(),
      'gauge.set(1.5)': () => gauge.set(1.5),
      'gauge.inc()': () => gauge.inc(),
      'histogram.observe(0.123)': () => histogram.observe(0.123),
      'counter.value()': () => counter.value(),
      'gauge.value()': () => gauge.value(),
      'histogram.stats()': () => histogram.stats().count,
    },
    close: () => void metrics.shutdown(),
  };
}

function promSide(): Side {
  const registers = [new prom.Registry()];
  const counter = new prom.Counter({ name: 'c', help: 'help', registers });
  const gauge = new prom.Gauge({ name: 'g', help: 'help', registers });
  const histogram = new prom.Histogram({ name: 'h', help: 'help', buckets: BUCKETS, registers });
  const labelNames = ['method', 'status'];
  const labelled = new prom.Counter({ name: 'l', help: 'help', labelNames, registers });
  return {
    contender: 'prom', // reads of it are asynchronous
    operations: {
      'counter.inc()': () => counter.inc(),
      'counter.incBy(5)': () => counter.inc(5),
      'counter.labels({..}).inc()': () => labelled.labels({ method: 'GET', status: 200 }).inc(),
      'gauge.set(1.5)': () => gauge.set(1.5),
      'gauge.inc()': () => gauge.inc(),
      'histogram.observe(0.123)': () => histogram.observe(0.123),
    },
    close: () => registers[0]!.clear(),
  };
}

export function benchProvider(effort: Effort): Row[] {
  const sides = [
    sideOf('ours', new SeqlockMetricsProvider()),
    sideOf('official', new StandardMetricsProvider()),
    promSide(),
  ];
  const rows = Object.keys(sides[0]!.operations).map((name) =>
    rowOf('provider', name, 'ns', timeInTurns(worksOf(sides, name), BATCH, effort)),
  );
  for (const { close } of sides) close();
  return [...rows, accountRow(effort)];
}

function worksOf(sides: readonly Side[], name: string): Work[] {
  return sides.flatMap(({ contender, operations }) => {
    const operation = operations[name];
    return operation === undefined ? [] : [{ contender, batch: loopOf(operation) }];
  });
}

/** Sums what is read, so that no read can be left out. */
function loopOf(operation: Operation): () => void {
  let total = 0;
  return () => {
    for (let i = 0; i < BATCH; i++) total += operation() ?? 0;
    if (Number.isNaN(total)) throw new Error('a read gave no number');
  };
}

/** What keeping `readStats` adds to a read. */
function accountRow(effort: Effort): Row {
  const account = new SampledCellReader();
  const counted: Work = {
    contender: 'ours',
    batch: () => {
      for (let i = 0; i < BATCH; i++) {
        const started = account.begin();
        account.count(1, 0);
        account.end(started);
      }
      if (account.stats().totalReads < BATCH) throw new Error('nothing was counted');
    },
  };
  const floor: Work = {
    contender: 'floor',
    batch: () => {
      let total = 0; // of the batch: a variable that outlives it would be boxed at each turn
      for (let i = 0; i < BATCH; i++) total += i;
      if (Number.isNaN(total)) throw new Error('no number');
    },
  };
  return rowOf('provider', 'account of one read', 'ns', timeInTurns([counted, floor], BATCH, effort));
}

/** Bytes a metric takes that is made by name and counted once: heap, and shared memory. */
export function benchMetricMemory(): Row {
  const names = Array.from({ length: METRICS }, (_, i) => `requests_of_route_${i}_total`);
  const measured: Partial<Record<Contender, number[]>> = {};
  const measure = (contender: Contender, used: () => number, make: (name: string) => unknown): void => {
    const kept: unknown[] = [];
    make('first_total');
    globalThis.gc!();
    const before = used();
    for (const name of names) kept.push(make(name));
    globalThis.gc!();
    measured[contender] = [(used() - before) / kept.length];
  };
  const heap = (): number => process.memoryUsage().heapUsed;
  const counted = (metrics: MetricsProvider) => (name: string) => {
    const counter: MetricsCounter = metrics.counter(name, 'help');
    counter.inc();
    return counter;
  };
  const seqlock = new SeqlockMetricsProvider();
  const { store } = seqlock.meterProvider;
  measure('ours', () => heap() + store.usedBytes, counted(seqlock));
  const standard = new StandardMetricsProvider();
  measure('official', heap, counted(standard));
  const registers = [new prom.Registry()];
  measure('prom', heap, (name) => {
    const counter = new prom.Counter({ name, help: 'help', registers });
    counter.inc();
    return counter;
  });
  void seqlock.shutdown();
  void standard.shutdown();
  return rowOf('metric-memory', `one of ${METRICS} counters`, 'B', measured);
}
