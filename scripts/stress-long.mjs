/**
 * The long torn-read stress: both forms on each supported Node line.
 *
 *   node scripts/stress-long.mjs [--seconds N] [--lines 20,24]     after `npm run build`; N = 60 per form and line
 *
 * Other Node lines than this process's are fetched from npm. On a machine where FAST is not chosen only STRICT runs.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LINES, nodeBinary } from './node-binaries.mjs';

const RUN = fileURLToPath(new URL('../build/test/stress/long-run.js', import.meta.url));
const option = (name) => {
  const index = process.argv.indexOf(`--${name}`);
  return index < 0 ? undefined : process.argv[index + 1];
};
const seconds = Number(option('seconds') ?? 60);
if (!(seconds > 0)) throw new RangeError(`--seconds must be a positive number, got ${option('seconds')}`);
const lines = option('lines')?.split(',').map(Number) ?? LINES;

let passed = 0;
let failed = 0;
const millions = (count) => `${(count / 1e6).toFixed(1)} M`.padStart(10);
for (const line of lines) {
  const node = nodeBinary(line);
  for (const form of process.arch === 'x64' ? ['fast', 'strict'] : ['strict']) {
    const env = { ...process.env, SEQLOCK_METRICS_MEMORY_ORDER: form === 'strict' ? 'strict' : '' };
    const { stdout, stderr, status } = spawnSync(node, [RUN, String(seconds)], { encoding: 'utf8', env });
    const rows = stdout.split('\n').flatMap((text) => (text === '' ? [] : [JSON.parse(text)]));
    const broken = rows.filter(({ what }) => what.startsWith('broken'));
    const real = rows.filter((row) => !broken.includes(row));
    const caught = broken.filter(({ ok }) => ok).length;
    // The Seqlock comes last: with it, all cells had their turn.
    const ended = status === 0 && real.at(-1)?.what.startsWith('Seqlock') === true;
    const complete = ended && broken.length > 0 && caught === broken.length;
    if (complete) passed++;
    else failed++;
    console.log(
      `${complete ? 'ok ' : 'BAD'} Node ${line} ${form}: ${caught} of ${broken.length} broken protocols caught${stderr && `\n${stderr}`}`,
    );
    for (const { what, ok, reads, writes, gaveUp, torn, backwards } of real) {
      if (ok) passed++;
      else failed++;
      console.log(
        `${ok ? 'ok ' : 'BAD'} Node ${line} ${what.padEnd(28)} reads ${millions(reads)}  writes ${millions(writes)}  ` +
          `given up ${gaveUp}  torn ${torn}  backwards ${backwards}`,
      );
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
