/**
 * Bytes a record call leaves for the garbage collector, the caller's own taken off: how much the heap grows over some
 * batches during which nothing was collected, less the same for the loop without the call. Run it with a young generation
 * that has room for all of it.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as afterEvents } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { BATCH } from './attribute-columns.ts';
import { floorWork, nameOf, recordWork, type RecordCase } from './record-loop.ts';
import { rowOf, type Contender, type Row } from './row.ts';
import { timeInTurns, type Work } from './rounds.ts';
import { KINDS, official, ours, SUBJECTS, type Subject } from './subjects.ts';
import { VIEW_SETTINGS, viewCase } from './views.ts';

/** Flags of the process that measures. */
export const GARBAGE_FLAGS: readonly string[] = [
  '--expose-gc',
  '--min-semi-space-size=256',
  '--max-semi-space-size=256',
];

export interface GarbageEffort {
  readonly rounds: number;
  /** Batches of one measurement. The hungriest call leaves 7 MB in each. */
  readonly batches: number;
  /** Time each loop runs first, until its code is optimised. Code that is not allocates more. */
  readonly warmUpMillis: number;
}

function garbageCases(): RecordCase[] {
  return KINDS.flatMap((kind): RecordCase[] => [
    { kind, attributes: 0, form: 'none', series: 1 },
    ...([1, 3, 6] as const).map((attributes): RecordCase => ({
      kind,
      attributes,
      form: 'fresh',
      series: 100,
    })),
    { kind, attributes: 3, form: 'fresh', series: 2000 },
    { kind, attributes: 3, form: 'run-time', series: 100 },
    { kind, attributes: 3, form: 'two orders', series: 100 },
    { kind, attributes: 3, form: 'reused', series: 100 },
    { kind, attributes: 3, form: 'bound', series: 100 },
  ]);
}

/** Counts collections. Their entries come by way of the event loop. */
class CollectionCount {
  #count = 0;
  readonly #observer = new PerformanceObserver((list) => {
    this.#count += list.getEntries().length;
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  async now(): Promise<number> {
    await afterEvents();
    await afterEvents();
    return this.#count;
  }

  stop(): void {
    this.#observer.disconnect();
  }
}

/**
 * Counts fewer batches after an attempt that a collection disturbed: some contenders fill the young generation. Throws where every attempt
 * was: no figure is better than a wrong one.
 */
async function bytesPerOperation(
  { batch, prepare }: Work,
  most: number,
  collections: CollectionCount,
): Promise<number> {
  for (let attempt = 0, batches = most; attempt < 5; attempt++, batches = Math.ceil(batches / 2)) {
    globalThis.gc!({ type: 'minor' }); // empties the young generation, where all that is counted will lie
    const before = await collections.now();
    let bytes = 0;
    for (let i = 0; i < batches; i++) {
      prepare?.();
      const start = getHeapStatistics().used_heap_size;
      batch();
      bytes += getHeapStatistics().used_heap_size - start;
    }
    if ((await collections.now()) === before) return bytes / (batches * BATCH);
  }
  throw new Error('garbage was collected during each attempt to count it');
}

export async function benchGarbage({ rounds, batches, warmUpMillis }: GarbageEffort): Promise<Row[]> {
  const subjects = SUBJECTS.map((make) => make());
  const cases = garbageCases().map((recordCase) =>
    measured(`${recordCase.kind}, ${nameOf(recordCase)}`, recordCase, subjects),
  );
  for (const [setting, options] of Object.entries(VIEW_SETTINGS)) {
    const viewed = [ours(options), official(options)];
    subjects.push(...viewed);
    for (const kind of KINDS) cases.push(measured(`${kind}, ${setting}`, viewCase(kind), viewed));
  }
  const collections = new CollectionCount();
  const rows: Row[] = [];
  for (const { floor, works } of cases) for (const work of [floor, ...works]) warmUp(work, 0);
  for (const { name, floor, works } of cases) {
    const bytes: Partial<Record<Contender, number[]>> = {};
    for (const work of [floor, ...works]) warmUp(work, warmUpMillis);
    for (let round = 0; round < rounds; round++) {
      const own = await bytesPerOperation(floor, batches, collections);
      (bytes.floor ??= []).push(own);
      for (const work of works)
        (bytes[work.contender] ??= []).push((await bytesPerOperation(work, batches, collections)) - own);
    }
    rows.push(rowOf('garbage', name, 'B', bytes));
  }
  collections.stop();
  for (const subject of subjects) await subject.close();
  return rows;
}

interface Measured {
  readonly name: string;
  readonly floor: Work;
  readonly works: readonly Work[];
}

function measured(name: string, recordCase: RecordCase, subjects: readonly Subject[]): Measured {
  const works = subjects
    .map((subject) => recordWork(subject, recordCase))
    .filter((work) => work !== undefined);
  return { name, floor: floorWork(recordCase), works };
}

function warmUp(work: Work, millis: number): void {
  timeInTurns([work], BATCH, { rounds: 0, millis: 0, warmUpMillis: millis });
}
