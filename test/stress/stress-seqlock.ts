/** The stress of one `Seqlock` by several writers, for the tests and for the long run. */
import type { MemoryOrder } from '../../src/memory/memory-order.ts';
import { Seqlock } from '../../src/memory/seqlock.ts';
import type { StressReport } from './stress-cell.ts';
import { Crew, PAYLOAD_WORDS } from './stress-job.ts';
import type { ReaderReport } from './stress-job.ts';

const VERSION_INDEX = 2; // behind lock and shape

export interface SeqlockReport extends StressReport {
  /** Versions published; equal to `writes` (mod 2^32) if writers came one after the other. */
  readonly versions: number;
}

/** Three writers that count and two readers, each in a thread of its own. */
export async function stressSeqlock(order: MemoryOrder, seconds: number): Promise<SeqlockReport> {
  const memory = new SharedArrayBuffer(Seqlock.byteLength(PAYLOAD_WORDS));
  const crew = new Crew(memory, order);
  const reading = [0, 1].map(() => crew.start<ReaderReport>('read seqlock'));
  const writing = [0, 1, 2].map(() => crew.start<number>('count in seqlock'));
  await crew.up();
  await crew.run(seconds);
  const reports = await Promise.all(reading);
  const total = (key: keyof ReaderReport): number => reports.reduce((sum, report) => sum + report[key], 0);
  return {
    writes: (await Promise.all(writing)).reduce((sum, each) => sum + each, 0),
    versions: new Int32Array(memory)[VERSION_INDEX]!,
    leastReads: Math.min(...reports.map(({ reads }) => reads)),
    reads: total('reads'),
    torn: total('torn'),
    backwards: total('backwards'),
    gaveUp: total('gaveUp'),
  };
}
