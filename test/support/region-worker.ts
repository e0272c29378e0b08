/** A thread that does one job on a region, for tests that need real threads. Started by `startRegionWorker`. */
import { parentPort, workerData } from 'node:worker_threads';
import { EXTENT_HEADER_BYTES } from '../../src/memory/layout.ts';
import { OWN_MARK } from '../../src/memory/liveness.ts';
import { Region } from '../../src/memory/region.ts';
import { RegionClock } from '../../src/memory/region-clock.ts';
import { acquireSlab } from '../../src/memory/slab.ts';
import { StoreWriter } from '../../src/state/store-writer.ts';
import { counter } from './descriptions.ts';
import { ACKNOWLEDGED, GO, PASSED, READY, type RegionJob } from './region-job.ts';
import { recordTo } from './record-to.ts';

const {
  job,
  buffer,
  control: controlBuffer,
  number,
} = workerData as {
  job: RegionJob;
  buffer: SharedArrayBuffer;
  control: SharedArrayBuffer;
  number: number;
};
const control = new Int32Array(controlBuffer);
const region = Region.attach(buffer);

function waitForStart(): void {
  Atomics.add(control, READY, 1);
  Atomics.notify(control, READY);
  Atomics.wait(control, GO, 0);
}

function claim(claims: number): object {
  const extents = [];
  waitForStart();
  for (let i = 0; i < claims; i++) {
    const extent = region.claimExtent(number, 1 + ((i * 7 + number * 3) % 5) * 4096);
    if (extent === undefined) break;
    region.bytes.fill(number + 1, extent.offset + EXTENT_HEADER_BYTES, extent.offset + extent.bytes);
    extents.push(extent);
  }
  return extents;
}

/** Stays alive until all threads have what they want: whoever ends earlier is rightly inherited from. */
function acquire(count: number, threads: number): object {
  waitForStart();
  const slabs = Array.from({ length: count }, () => acquireSlab(region));
  Atomics.add(control, PASSED, 1);
  Atomics.notify(control, PASSED);
  for (let now; (now = Atomics.load(control, PASSED)) < threads;) Atomics.wait(control, PASSED, now, 1000);
  return slabs;
}

/** Threads pass a token round; each takes ticks while it holds it, so all ticks are ordered by happens-before. */
function tick(rounds: number, threads: number): object {
  const clock = new RegionClock(region.words);
  const ticks: [number, number][] = [];
  waitForStart();
  for (let turn = number; turn < rounds * threads; turn += threads) {
    for (let now; (now = Atomics.load(control, PASSED)) !== turn;) Atomics.wait(control, PASSED, now, 1000);
    for (let i = 0; i <= turn % 3; i++) ticks.push([turn, clock.now()]);
    Atomics.store(control, PASSED, turn + 1);
    Atomics.notify(control, PASSED);
  }
  return ticks;
}

function tickFreely(rounds: number): object {
  const clock = new RegionClock(region.words);
  const ticks = [];
  waitForStart();
  for (let i = 0; i < rounds; i++) ticks.push(clock.now());
  return ticks;
}

/** Counts to `times` (or for ever), one acknowledgement after each count. */
function count(times: number, end: 'return' | 'exit' | 'throw'): object {
  const writer = new StoreWriter(region);
  const stream = writer.stream(counter('requests'), 2000);
  waitForStart();
  for (let i = 0; i < times; i++) {
    recordTo(stream, 1, { worker: 'any', i: i % 10 });
    Atomics.add(control, ACKNOWLEDGED, 1);
  }
  if (end === 'exit') process.exit(0);
  if (end === 'throw') throw new Error('crash on purpose');
  return { adopted: writer.adopted };
}

/** Owns a slab, then never comes back to its event loop. */
function hold(how: 'suspended' | 'busy'): object {
  const owned = acquireSlab(region);
  parentPort!.postMessage({ owned, mark: OWN_MARK });
  if (how === 'suspended') for (;;) Atomics.wait(control, GO, 0);
  while (Atomics.load(control, GO) === 0);
  return {};
}

function result(): object {
  switch (job.kind) {
    case 'claim':
      return claim(job.claims);
    case 'acquire':
      return acquire(job.count, job.threads);
    case 'tick':
      return tick(job.rounds, job.threads);
    case 'tick-freely':
      return tickFreely(job.rounds);
    case 'count':
      return count(job.times, job.end);
    case 'hold':
      return hold(job.how);
  }
}

parentPort!.postMessage(result());
