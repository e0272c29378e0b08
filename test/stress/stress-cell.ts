/** The torn-read stress of one cell, for the tests and for the long run. */
import type { CellProtocol } from '../support/cell-protocol.ts';
import { Crew } from './stress-job.ts';
import type { ReaderReport } from './stress-job.ts';

export interface StressReport extends ReaderReport {
  readonly writes: number;
  readonly leastReads: number;
}

export interface StressOptions {
  readonly readers?: number;
  readonly version?: number;
  readonly seconds: number;
  readonly untilTorn?: boolean;
}

/** One writer and some readers on one cell of `protocol`, each in a thread of its own. */
export async function stress(protocol: CellProtocol, options: StressOptions): Promise<StressReport> {
  const { readers = 1, version = 0, seconds, untilTorn = false } = options;
  const memory = new SharedArrayBuffer(protocol.cellWords * 8);
  const words = new Int32Array(memory);
  words[0] = version;
  protocol.init({ words, doubles: new Float64Array(memory) }, 0);
  const crew = new Crew(memory);
  const reading = Array.from({ length: readers }, () => crew.start<ReaderReport>('read cell', protocol.name));
  const writing = crew.start<number>('write cell', protocol.name);
  await crew.up();
  await crew.run(seconds, untilTorn);
  const reports = await Promise.all(reading);
  const total = (key: keyof ReaderReport): number => reports.reduce((sum, report) => sum + report[key], 0);
  return {
    writes: await writing,
    leastReads: Math.min(...reports.map(({ reads }) => reads)),
    reads: total('reads'),
    torn: total('torn'),
    backwards: total('backwards'),
    gaveUp: total('gaveUp'),
  };
}
