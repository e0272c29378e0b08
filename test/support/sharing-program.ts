/**
 * One of the processes of a store: `node sharing-program.js <directory> <jobs as JSON>`. Says what it did in lines of JSON, and does the jobs
 * one after the other.
 */
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { slabProcess, slabsUsed } from '../../src/memory/slab.ts';
import { MetricStore } from '../../src/state/store.ts';

export type SharingJob =
  | { readonly do: 'count'; readonly times: number }
  | {
      readonly do: 'gauge';
      readonly value: number;
      readonly merge: 'most-recent' | 'sum' | 'max' | 'per-writer';
    }
  | { readonly do: 'observe'; readonly value: number }
  | { readonly do: 'histogram'; readonly values: readonly number[] }
  /** As code does that closes all descriptors it does not know. */
  | { readonly do: 'close descriptors' }
  | { readonly do: 'many'; readonly series: number }
  /** The first job of all: a provider with a resource and views of its own. Says the store's resource, and what was warned of. */
  | { readonly do: 'configured'; readonly as: string; readonly views: readonly string[] }
  /** Says `{ ready: true }` and waits for a byte on stdin. */
  | { readonly do: 'wait' }
  | { readonly do: 'hang' }
  | { readonly do: 'collect' }
  | { readonly do: 'crash' };

/** What `collect` says: of each metric its points, attributes as JSON. */
export interface Collected {
  readonly metrics: Record<string, Record<string, unknown>>;
  readonly slabs: number;
  /** Process ids of the slabs' latest owners. */
  readonly owners: readonly (number | undefined)[];
  readonly usedBytes: number;
}

const [directory, text] = process.argv.slice(2);
const jobs = JSON.parse(text!) as SharingJob[];
const said: string[] = [];
const note = (message: string): void => void said.push(message);
diag.setLogger({ error: note, warn: note, info: note, debug: note, verbose: note }, DiagLogLevel.WARN);

const store = MetricStore.open({ directory: directory! });
const reader = new SeqlockMetricReader();
const configured = jobs.find((job) => job.do === 'configured');
const provider = new SeqlockMeterProvider({
  store,
  readers: [reader],
  ...(configured && {
    resource: { attributes: { 'service.name': configured.as, 'process.pid': process.pid } },
    views: configured.views.map((name) => ({ instrumentName: 'x', name })),
  }),
});
const meter = provider.getMeter('sharing');

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function linkOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // the one by which the list was read
  }
}

async function collected(): Promise<Collected> {
  const { resourceMetrics } = await reader.collect();
  const metrics: Collected['metrics'] = {};
  for (const { descriptor, dataPoints } of resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) => all)) {
    const points: Record<string, unknown> = (metrics[descriptor.name] = {});
    for (const { attributes, value } of dataPoints) points[JSON.stringify(attributes)] = value;
  }
  const slabs = slabsUsed(store.region);
  const owners = Array.from({ length: slabs }, (_, slab) => slabProcess(store.region, slab));
  return { metrics, slabs, owners, usedBytes: store.usedBytes };
}

async function run(job: SharingJob): Promise<void> {
  switch (job.do) {
    case 'count': {
      const counter = meter.createCounter('hits');
      for (let i = 0; i < job.times; i++) counter.add(1, { kind: i % 3 });
      return;
    }
    case 'gauge':
      meter.createGauge('depth', { merge: job.merge }).record(job.value);
      return;
    case 'observe':
      meter.createObservableGauge('seen').addCallback((result) => {
        result.observe(job.value, { pid: process.pid });
      });
      return;
    case 'histogram': {
      const histogram = meter.createHistogram('sizes', {
        advice: { explicitBucketBoundaries: [1, 10, 100] },
      });
      for (const value of job.values) histogram.record(value);
      return;
    }
    case 'close descriptors':
      for (const fd of readdirSync('/proc/self/fd').map(Number))
        if (linkOf(fd).startsWith(directory!)) closeSync(fd);
      return;
    case 'many': {
      const counter = meter.createCounter('many');
      for (let i = 0; i < job.series; i++) counter.add(1, { i });
      return;
    }
    case 'configured':
      say({ resource: (await reader.collect()).resourceMetrics.resource.attributes, said });
      return;
    case 'wait':
      say({ ready: true });
      await new Promise((resolve) => process.stdin.once('data', resolve));
      return;
    case 'hang':
      say({ ready: true });
      for (;;);
    case 'collect':
      say(await collected());
      return;
    case 'crash':
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => {});
  }
}

for (const job of jobs) await run(job);
process.exit();
