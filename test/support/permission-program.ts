/**
 * Counts in threads of which Node's permission model shows /proc to some and not to others; prints what came of it as JSON. Run it with
 * the model on: workers without `execArgv` inherit it, workers with their own do not.
 */
import { statSync } from 'node:fs';
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { MARK_KIND } from '../../src/memory/liveness.ts';
import { slabsUsed } from '../../src/memory/slab.ts';

const EACH = 100_000;
const WORKERS = 6;

function canSeeProc(): boolean {
  try {
    return statSync('/proc/self/task', { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

const reader = isMainThread ? new SeqlockMetricReader() : undefined;
const provider = new SeqlockMeterProvider({ readers: reader ? [reader] : [] });
const meter = provider.getMeter('permission');
const counter = meter.createCounter('hits');
const gauge = meter.createGauge('depth');

if (reader === undefined) {
  const { finished, number } = workerData as { finished: Int32Array; number: number };
  gauge.record(number, { number });
  // With others in between: a second writer in a slab of this thread would lose what this one adds.
  for (let i = 0; i < EACH; i++) counter.add(1);
  Atomics.add(finished, 0, 1);
  Atomics.notify(finished, 0);
  Atomics.wait(finished, 1, 0); // alive until all have been looked at
} else {
  counter.add(1);
  const finished = new Int32Array(new SharedArrayBuffer(8));
  const sees: boolean[] = [canSeeProc()];
  const workers: Worker[] = [];
  for (let number = 0; number < WORKERS; number++) {
    const workerOptions = number % 2 === 1 ? { execArgv: [] } : {};
    workers.push(
      new Worker(new URL(import.meta.url), { ...workerOptions, workerData: { finished, number } }),
    );
    if (number < 2) continue;
    // One after the other from here on, so that a slab that wrongly counts as a dead thread's is taken.
    while (Atomics.load(finished, 0) <= number) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  counter.add(1);
  const { scopeMetrics } = reader.snapshot();
  const points = (name: string): readonly { readonly value: unknown }[] =>
    scopeMetrics[0]!.metrics.find(({ descriptor }) => descriptor.name === name)!.dataPoints;
  const alive = {
    markKind: MARK_KIND,
    sees,
    expected: WORKERS * EACH + 2,
    counted: points('hits')[0]!.value,
    gauges: points('depth').length,
    slabs: slabsUsed(provider.store.region),
  };
  const exits = workers.map((worker) => once(worker, 'exit'));
  Atomics.store(finished, 1, 1);
  Atomics.notify(finished, 1);
  await Promise.all(exits);
  const after = reader.snapshot().scopeMetrics[0]!.metrics;
  const gaugesAfter = after.find(({ descriptor }) => descriptor.name === 'depth')?.dataPoints.length ?? 0;
  console.log(JSON.stringify({ ...alive, gaugesAfter }));
}
