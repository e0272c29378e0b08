/**
 * Runs the built tests under other Node.js lines than the installed one, without the stress tests, which `npm run test:stress`
 * runs on all of them. Run `npm run build` before.
 *
 *   node scripts/check-nodes.mjs [line ...]      default: 22 24 26
 *
 * Last line: N passed, M failed, over all versions.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LINES, nodeBinary } from './node-binaries.mjs';

const lines = process.argv.length > 2 ? process.argv.slice(2).map(Number) : LINES.filter((line) => line > 20);
const folder = mkdtempSync(join(tmpdir(), 'seqlock-metrics-nodes-'));
let passed = 0;
let failed = 0;
if (!existsSync('build/test')) {
  console.error('build/test is missing: run npm run build first');
  failed++;
} else for (const line of lines) runTests(line);
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function runTests(line) {
  const report = join(folder, `${line}.json`);
  let node;
  try {
    node = nodeBinary(line);
  } catch (error) {
    console.error(`Node ${line} could not be had: ${error.message}`);
    failed++;
    return;
  }
  // Its folder comes first in PATH, so that what the tests start is this version too.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` };
  const args = [
    'node_modules/mocha/bin/mocha.js',
    '--reporter',
    'json',
    '--reporter-option',
    `output=${report}`,
    '--ignore',
    'build/test/stress/**',
  ];
  const { status, stdout, stderr } = spawnSync(node, args, { env, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!existsSync(report)) {
    console.error(`Node ${line}: no report (exit code ${status})\n${stdout}\n${stderr}`);
    failed++;
    return;
  }
  const { stats, failures } = JSON.parse(readFileSync(report, 'utf8'));
  for (const { fullTitle, err } of failures)
    console.error(`Node ${line}: ${fullTitle}\n${err.stack ?? err.message}\n`);
  // A run that ends badly without a failed test, or that ran nothing, is a failure too.
  const broken = failures.length === 0 && (status !== 0 || stats.passes === 0);
  if (broken) console.error(`Node ${line}: exit code ${status}, ${stats.passes} tests run\n${stderr}`);
  console.log(
    `Node ${line}: ${stats.passes} passed, ${stats.failures + Number(broken)} failed, ${stats.pending} skipped`,
  );
  passed += stats.passes;
  failed += stats.failures + Number(broken);
}
