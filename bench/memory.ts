/**
 * Memory a series takes while it lives: heap, typed arrays beside the heap, and shared memory, writer and reader both
 * alive, all series recorded to and collected twice. One contender a process. Series of histograms have recorded 64 latencies then
 * (latencies.ts), one of them between the collections, so that they use the buckets that those of a program use.
 */
import { setImmediate as afterEvents } from 'node:timers/promises';
import { keysOf } from './attribute-columns.ts';
import { latencies, LATENCIES_A_SERIES } from './latencies.ts';
import { touchAll } from './record-loop.ts';
import { official, ours, prometheusIoClient, promClient, type Kind, type Subject } from './subjects.ts';

export interface MemoryTask {
  readonly contender: Subject['contender'];
  readonly kind: Kind;
  readonly series: number;
  /** Nothing but ones instead: a histogram has one bucket then. */
  readonly ones?: boolean;
}

const MAKERS: Readonly<Record<Subject['contender'], () => Subject>> = {
  ours,
  official,
  prom: promClient,
  pio: prometheusIoClient,
};
const ATTRIBUTES = 3;
/** Recorded to another instrument beforehand, so that the code that runs is there too. */
const WARM_UP_SERIES = 2_000;

/** Bytes per series. Needs --expose-gc. */
export async function measureMemory({ contender, kind, series, ones = false }: MemoryTask): Promise<number> {
  const subject = MAKERS[contender]();
  const store = (): number => ('store' in subject ? (subject as ReturnType<typeof ours>).store.usedBytes : 0);
  const keys = keysOf(ATTRIBUTES);
  const instrument = subject.create(kind, 'measured', keys);
  // The strings in the attributes belong to the program and are there before; the objects are made for the call.
  const spread = kind === 'counter' || ones ? undefined : latencies();
  const touch = touchAll(subject, instrument, kind, ATTRIBUTES, series, series, spread);
  const warmUpSeries = subject.create(kind, 'warm_up', keys);
  const warmUp = touchAll(subject, warmUpSeries, kind, ATTRIBUTES, WARM_UP_SERIES, WARM_UP_SERIES, spread);
  for (let i = 0; i < 3; i++) {
    warmUp();
    await collectAndDrop(subject);
  }
  const before = liveBytes() + store();
  for (let i = 1; i < (spread === undefined ? 1 : LATENCIES_A_SERIES - 1); i++) touch();
  for (let i = 0; i < 2; i++) {
    touch();
    await collectAndDrop(subject);
  }
  const after = liveBytes() + store();
  touch(); // everything that was measured lives up to here
  await subject.expectSeries(kind, 'measured', series);
  await subject.close();
  return (after - before) / series;
}

/** A suspended caller would keep what was collected alive: so it is collected, and let go, one call further down. */
async function collectAndDrop(subject: Subject): Promise<void> {
  await subject.collect();
  await afterEvents();
}

/**
 * Heap and the memory of ArrayBuffers after a full collection. The buffer of a store is not part of either figure
 * (a growable SharedArrayBuffer is not allocated by Node's allocator, which counts `arrayBuffers`).
 */
function liveBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc!();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
