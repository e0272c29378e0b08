/**
 * Runs every benchmark for a moment and checks what it says: one JSON document on stdout and nothing else, every row, every
 * figure a finite number. It judges no speed. `npm run bench:smoke`.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { judge } from './bars.ts';
import { BENCHMARKS } from './options.ts';
import { nameOf } from './record-loop.ts';
import { recordCases } from './recording.ts';
import type { Report } from './report.ts';
import { KINDS } from './subjects.ts';

const entry = fileURLToPath(new URL('./main.js', import.meta.url));
const text = execFileSync(process.execPath, ['--expose-gc', entry, '--smoke', '--json'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const report = JSON.parse(text) as Report;
const problems: string[] = [];

for (const benchmark of BENCHMARKS)
  if (!report.rows.some((row) => row.benchmark === benchmark)) problems.push(`no row of ${benchmark}`);
for (const kind of KINDS)
  for (const name of recordCases(kind).map(nameOf))
    if (!report.rows.some((row) => row.benchmark === kind && row.name === name))
      problems.push(`no row ${kind}: ${name}`);
for (const { benchmark, name, values, ratios, rounds } of report.rows) {
  // JSON has null where a number is not finite.
  const numbers: unknown[] = [
    ...Object.values(values),
    ...Object.values(ratios),
    ...Object.values(rounds).flat(),
  ];
  if (Object.keys(values).length < (benchmark === 'order' ? 1 : 2))
    problems.push(`${benchmark}: ${name} compares nothing`);
  if (!numbers.every((value) => Number.isFinite(value)))
    problems.push(`${benchmark}: ${name} has a figure that is no number`);
}
if (report.bars.length !== judge([]).length) problems.push(`${report.bars.length} bars`);

for (const problem of problems) console.error(problem);
console.log(`${report.rows.length} rows in ${report.seconds} s, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
