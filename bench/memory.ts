/**
 * Memory a series takes while it lives: heap, typed arrays beside the heap, and shared memory, writer and reader both
 * alive, all series recorded to and collected twice. One contender a process.
 */
import { setImmediate as afterEvents } from 'node:timers/promises';
import { keysOf } from './attribute-columns.ts';
import { touchAll } from './record-loop.ts';
import { official, ours, promClient, type Kind, type Subject } from './subjects.ts';

export interface MemoryTask {
  readonly contender: Subject['contender'];
  readonly kind: Kind;
  readonly series: number;
}

const MAKERS: Readonly<Record<Subject['contender'], () => Subject>> = { ours, official, prom: promClient };
const ATTRIBUTES = 3;
/** Recorded to another instrument beforehand, so that the code that runs is there too. */
const WARM_UP_SERIES = 2_000;

/** Bytes per series. Needs --expose-gc. */
export async function measureMemory({ contender, kind, series }: MemoryTask): Promise<number> {
  const subject = MAKERS[contender]();
  const store = (): number => ('store' in subject ? (subject as ReturnType<typeof ours>).store.usedBytes : 0);
  const keys = keysOf(ATTRIBUTES);
  const instrument = subject.create(kind, 'measured', keys);
  // The strings in the attributes belong to the program and are there before; the objects are made for the call.
  const touch = touchAll(subject, instrument, kind, ATTRIBUTES, series);
  const warmUp = touchAll(subject, subject.create(kind, 'warm_up', keys), kind, ATTRIBUTES, WARM_UP_SERIES);
  for (let i = 0; i < 3; i++) {
    warmUp();
    await collectAndDrop(subject);
  }
  const before = liveBytes() + store();
  for (let i = 0; i < 2; i++) {
    touch();
    await collectAndDrop(subject);
  }
  const after = liveBytes() + store();
  touch(); // everything that was measured lives up to here
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
