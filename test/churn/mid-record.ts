/**
 * Writers terminated while they record. Run by `main.ts` in the STRICT memory order, where the memory shows whether a death fell in the
 * middle of a write: the scratch slot then has what the version does not say yet. Prints what came of it as JSON.
 */
import { Worker } from 'node:worker_threads';
import { Region } from '../../src/memory/region.ts';
import { HISTOGRAM_BUCKETS } from '../../src/state/cells/histogram-cell.ts';
import { counter } from '../support/descriptions.ts';
import { seriesOf, totalOf, type SeriesContents } from '../support/region-contents.ts';
import { heirOf } from '../support/writers.ts';
import { recordTo } from '../support/record-to.ts';

export interface MidRecord {
  readonly deaths: number;
  readonly midWrite: number;
  /** Measurements that count though they were not acknowledged. */
  readonly unacknowledged: number;
  /** What must not be: lost measurements, histograms whose count is not the sum of their buckets, heirs that cannot go on. */
  readonly wrong: number;
}

const VICTIM = new URL('./recording-victim.js', import.meta.url);
const BATCH = 8;
const MAX_DEATHS = 1600;
const wanted = Number(process.argv[2]);
let deaths = 0;
let midWrite = 0;
let unacknowledged = 0;
let wrong = 0;

async function kill(): Promise<{ region: Region; acknowledged: number }> {
  const region = Region.create(2 ** 18);
  const acknowledged = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { buffer: region.buffer, acknowledged };
  const worker = new Worker(VICTIM, { workerData });
  while (Atomics.load(acknowledged, 0) < 500) await new Promise((go) => setTimeout(go, 1));
  await new Promise((go) => setTimeout(go, Math.random() * 3));
  await worker.terminate();
  return { region, acknowledged: Atomics.load(acknowledged, 0) };
}

/** Whether the scratch slot of a sum or a histogram is ahead of the published one: the first word of either, a total or a count, only grows. */
function isMidWrite({ words, doubles }: Region, { cell, stream }: SeriesContents): boolean {
  const slotWords = stream.name === 'h' ? HISTOGRAM_BUCKETS : 1;
  const version = words[2 * cell]!;
  const published = cell + 1 + (version & 1) * slotWords;
  const scratch = cell + 1 + (~version & 1) * slotWords;
  return doubles[scratch]! > doubles[published]!;
}

while (midWrite < wanted && deaths < MAX_DEATHS) {
  for (const { region, acknowledged } of await Promise.all(Array.from({ length: BATCH }, kill))) {
    deaths++;
    const series = seriesOf(region);
    if (series.some((one) => isMidWrite(region, one))) midWrite++;
    const counts = series
      .filter(({ stream, live }) => live && stream.name === 'h')
      .map(({ values }) => values);
    const total = totalOf(region, 'c') + counts.reduce((sum, [count]) => sum + count!, 0);
    const beyond = total - acknowledged;
    unacknowledged += beyond;
    const heir = heirOf(VICTIM, region, (writer) => recordTo(writer.stream(counter('c'), 10), 1, { i: 0 }));
    const isWhole = counts.every((values) => values.slice(4).reduce((a, b) => a + b) === values[0]);
    if (
      beyond < 0 ||
      beyond > 1 ||
      !isWhole ||
      !heir.adopted ||
      totalOf(region, 'c') !== total - counts[0]![0]! + 1
    )
      wrong++;
  }
}
console.log(JSON.stringify({ deaths, midWrite, unacknowledged, wrong } satisfies MidRecord));
