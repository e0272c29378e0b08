/**
 * Run by scripts/stress-long.mjs: the real protocols in the memory order of this process, for a given number of seconds
 * in all, after the broken ones were caught. Prints one line of JSON per protocol.
 */
import { MEMORY_ORDER } from '../../src/memory/memory-order.ts';
import { BROKEN_CELLS } from '../support/broken-cells.ts';
import { REAL_CELLS } from '../support/real-cells.ts';
import { stress } from './stress-cell.ts';
import { stressSeqlock } from './stress-seqlock.ts';

const CATCH_SECONDS = 8;
const seconds = Number(process.argv[2]);
const print = (row: object): void => console.log(JSON.stringify(row));

for (const protocol of BROKEN_CELLS) {
  const report = await stress(protocol, { seconds: CATCH_SECONDS, untilTorn: true });
  print({ what: `broken: ${protocol.name}`, ok: report.torn > 0, ...report });
}
const cells = REAL_CELLS.filter(({ name }) => name.endsWith(MEMORY_ORDER));
const share = seconds / (cells.length + 1);
for (const protocol of cells) {
  const report = await stress(protocol, { seconds: share });
  print({
    what: protocol.name,
    ok: report.torn === 0 && report.backwards === 0 && report.reads > 1000,
    ...report,
  });
}
const report = await stressSeqlock(MEMORY_ORDER, share);
const serial = report.versions === (report.writes | 0);
print({
  what: `Seqlock ${MEMORY_ORDER}`,
  ok: report.torn === 0 && report.backwards === 0 && report.reads > 1000 && serial,
  ...report,
});
