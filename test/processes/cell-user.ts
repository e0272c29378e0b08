/** One process that writes or reads one cell in a mapped file, for some seconds. */
import { closeSync, openSync } from 'node:fs';
import { mapFile } from '../../src/memory/native.ts';
import { BROKEN_CELLS } from '../support/broken-cells.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { CELL_FILE_BYTES, CONTROL_INDEX, type CellJob, type CellReport } from './jobs.ts';

const job = JSON.parse(process.argv.at(-1)!) as CellJob;
const fd = openSync(job.file, 'r+');
const buffer = new SharedArrayBuffer(CELL_FILE_BYTES, { maxByteLength: CELL_FILE_BYTES });
mapFile(buffer, fd);
closeSync(fd);
const words = new Int32Array(buffer, 0, CELL_FILE_BYTES >> 2);
const doubles = new Float64Array(buffer, 0, CELL_FILE_BYTES >> 3);
const { init, write, read, updateOf, expected } = [...REAL_CELLS, ...BROKEN_CELLS].find(
  ({ name }) => name === job.cell,
)!;
const AT = 0;
const report: CellReport = { writes: 0, reads: 0, torn: 0, backwards: 0 };

if (job.writes) {
  words[0] = 0x7fffff00; // the version passes its largest value on the way
  words[1] = words[0];
  init({ words, doubles }, AT);
  Atomics.store(words, CONTROL_INDEX, 1);
  const until = performance.now() + job.seconds * 1000;
  while (performance.now() < until && Atomics.load(words, CONTROL_INDEX) === 1)
    for (let i = 0; i < 5000; i++) write(words, doubles, AT, ++report.writes);
  Atomics.store(words, CONTROL_INDEX, 2);
} else {
  const into = new Float64Array(expected(0).length);
  while (Atomics.load(words, CONTROL_INDEX) === 0);
  for (let newest = 0; Atomics.load(words, CONTROL_INDEX) === 1;)
    for (let i = 0; i < 100; i++) {
      if (read(words, doubles, AT, into) === 0) continue;
      report.reads++;
      const update = updateOf(into);
      if (update < 0) {
        report.torn++;
        if (job.endsWhenTorn) Atomics.store(words, CONTROL_INDEX, 2);
      } else if (update < newest) report.backwards++;
      else newest = update;
    }
}
process.send!(report);
process.disconnect();
