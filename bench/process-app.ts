/** One of the processes whose metrics are scraped as one. Argument: its task as JSON; it does what messages say. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as prom from 'prom-client';
import { createPrometheusHandler, MetricStore, SeqlockMeterProvider } from '../src/index.ts';
import { slabProcess, slabsUsed } from '../src/memory/slab.ts';
import { labelsOf, MAX_SERIES, PROM_BUCKETS, PROM_LABELS } from './exposed.ts';

export interface ProcessTask {
  readonly contender: 'ours' | 'prom' | 'none';
  /** Of `ours`. */
  readonly directory?: string;
  readonly series: number;
  /** Answers scrapes, and says at which port. */
  readonly serves?: boolean;
}

export interface ProcessReport {
  readonly port?: number;
  /** From before the store was opened until every series was recorded once. */
  readonly readyMillis?: number;
  /** The slab that this process writes. */
  readonly slab?: number | undefined;
}

const task = JSON.parse(process.argv[2]!) as ProcessTask;
const say = (report: ProcessReport): void => void process.send!(report);
const labels = Array.from({ length: task.series }, (_, i) => labelsOf(i));

function recordAll(record: (of: (typeof labels)[number], value: number) => void): void {
  for (const [i, one] of labels.entries()) record(one, i % 1000);
}

async function startOurs(): Promise<void> {
  const started = performance.now();
  const store = MetricStore.open({
    maxBytes: 512 * 2 ** 20,
    ...(task.directory !== undefined && { directory: task.directory }),
  });
  const views = [{ instrumentName: '*', aggregationCardinalityLimit: MAX_SERIES }];
  const provider = new SeqlockMeterProvider({ store, views });
  const histogram = provider.getMeter('bench').createHistogram('requests');
  recordAll((one, value) => histogram.record(value, one));
  const readyMillis = performance.now() - started;
  const slabs = Array.from({ length: slabsUsed(store.region) }, (_, slab) => slab);
  const slab = slabs.find((one) => slabProcess(store.region, one) === process.pid);
  let port: number | undefined;
  if (task.serves === true) {
    const handler = createPrometheusHandler(store);
    const server = createServer((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  }
  process.on('message', () => {
    recordAll((one, value) => histogram.record(value, one));
    say({});
  });
  say({ readyMillis, slab, ...(port !== undefined && { port }) });
}

function startProm(): void {
  void new prom.AggregatorRegistry(); // answers the primary
  const histogram = new prom.Histogram({
    name: 'requests',
    help: 'h',
    labelNames: PROM_LABELS,
    buckets: PROM_BUCKETS,
  });
  const record = (one: (typeof labels)[number], value: number): void => histogram.observe(one, value);
  recordAll(record);
  process.on('message', (message) => {
    if (message !== 'record') return;
    recordAll(record);
    say({});
  });
  say({});
}

await (task.contender === 'prom' ? startProm() : startOurs());
