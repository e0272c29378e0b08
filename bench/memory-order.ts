/**
 * What the form of the cell protocol costs that this process runs (SEQLOCK_METRICS_MEMORY_ORDER): the writes, and reads
 * of one cell that nobody writes meanwhile, so that each succeeds at the first try.
 */
import { readerOf } from '../src/collect/directory/store-reader.ts';
import { MEMORY_ORDER, type MemoryOrder } from '../src/memory/memory-order.ts';
import { readExponentialInto } from '../src/state/cells/exponential-histogram-cell.ts';
import { ExponentialShape } from '../src/state/cells/exponential-histogram-cell.ts';
import { readHistogramInto } from '../src/state/cells/histogram-cell.ts';
import { readLastValueInto } from '../src/state/cells/last-value-cell.ts';
import { readSumInto } from '../src/state/cells/sum-cell.ts';
import { BATCH, columnsOf, keysOf, objectsOf } from './attribute-columns.ts';
import { recordWork, type RecordCase } from './record-loop.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';
import { instrumentName, KINDS, ours, type Kind, type OwnSubject } from './subjects.ts';

const SERIES = 100;
const ATTRIBUTES = 3;
const BUCKETS = 16;
const EXPONENTIAL = new ExponentialShape(160, 20, false);

export interface OrderFigures {
  readonly order: MemoryOrder;
  /** Nanoseconds per operation, a value a round. */
  readonly nanos: Readonly<Record<string, readonly number[]>>;
}

export async function measureMemoryOrder(effort: Effort): Promise<OrderFigures> {
  const subject = ours();
  const recorded: RecordCase[] = KINDS.flatMap((kind) => [
    { kind, attributes: 0 as const, form: 'none' as const, series: 1 },
    { kind, attributes: ATTRIBUTES, form: 'fresh' as const, series: SERIES },
    { kind, attributes: ATTRIBUTES, form: 'bound' as const, series: SERIES },
  ]);
  const named: [string, Work][] = [
    ...recorded.map((c): [string, Work] => [
      `${c.kind}, ${c.attributes} attributes, ${c.form}`,
      recordWork(subject, c)!,
    ]),
    ...KINDS.map((kind): [string, Work] => [`read one ${kind} cell`, cellReads(subject, kind)]),
    ['readStats()', { contender: 'ours', batch: readStats(subject) }],
  ];
  for (const [, work] of named)
    timeInTurns([work], BATCH, { rounds: 0, millis: 0, warmUpMillis: effort.warmUpMillis });
  const nanos: Record<string, readonly number[]> = {};
  for (const [name, work] of named)
    nanos[name] = timeInTurns([work], BATCH, { ...effort, warmUpMillis: 0 }).ours!;
  await subject.close();
  return { order: MEMORY_ORDER, nanos };
}

/** Sums what was read, so that no read can be left out. Throws when one did not succeed at the first try. */
function cellReads(subject: OwnSubject, kind: Kind): Work {
  const keys = keysOf(ATTRIBUTES);
  const objects = objectsOf(keys, columnsOf(ATTRIBUTES, SERIES));
  const instrument = subject.create(kind, `read_${kind}`, keys);
  for (const attributes of objects)
    (subject.bind!(instrument, attributes) as Recorder)[kind === 'counter' ? 'add' : 'record'](2);
  const cells = cellsOf(subject, instrumentName(kind, `read_${kind}`));
  const { words, doubles } = subject.store.region;
  const into = new Float64Array(EXPONENTIAL.copyWords);
  const read = readOf(kind);
  let total = 0;
  const batch = (): void => {
    let attempts = 0;
    for (let j = 0; j < BATCH; j++) {
      attempts += read(words, doubles, cells[j]!, into);
      total += into[0]!;
    }
    if (attempts !== BATCH || Number.isNaN(total)) throw new Error(`${attempts} attempts for ${BATCH} reads`);
  };
  return { contender: 'ours', batch };
}

interface Recorder {
  add(value: number): void;
  record(value: number): void;
}

/** Each kind reads through a function of its own, as a snapshot does. */
function readOf(
  kind: Kind,
): (words: Int32Array, doubles: Float64Array, at: number, into: Float64Array) => number {
  if (kind === 'counter') return readSumInto;
  if (kind === 'gauge') return readLastValueInto;
  if (kind === 'exponential')
    return (words, doubles, at, into) => readExponentialInto(words, doubles, at, EXPONENTIAL, into);
  return (words, doubles, at, into) => readHistogramInto(words, doubles, at, BUCKETS, into);
}

function cellsOf({ store }: OwnSubject, name: string): Int32Array {
  const reader = readerOf(store.region);
  reader.refresh();
  const stream = reader.scopes
    .flatMap(({ streams }) => streams)
    .find(({ description }) => description.name === name)!;
  const live = Array.from({ length: stream.size }, (_, series) => stream.cellOf(stream.firstOf(series)));
  return Int32Array.from({ length: BATCH }, (_, j) => live[(j * 37) % live.length]!);
}

function readStats({ reader }: OwnSubject): () => void {
  let total = 0;
  return () => {
    for (let j = 0; j < BATCH; j++) total += reader.readStats().fastPathReads;
    if (Number.isNaN(total)) throw new Error('readStats gave no number');
  };
}
