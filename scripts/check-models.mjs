/**
 * Runs every Spin model of test/model: the real protocols must hold, the broken ones must fail.
 *
 *   node scripts/check-models.mjs [name part]
 *
 * Needs `spin` (Debian: spin) and a C compiler as `cc`. Without them it says so and, unless CI=true, exits 0.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODELS = fileURLToPath(new URL('../test/model/', import.meta.url));
const MACHINES = ['x64', 'x64, free compiler', 'arm64'];

/** `ends: false` accepts executions that stop short: on arm64 a lost reservation is no execution. */
const cases = [];
const add = (model, what, defines, holds, ends = false) => cases.push({ model, what, defines, holds, ends });

for (const [machine, name] of MACHINES.entries()) {
  const on = `MACHINE=${machine}`;
  add('two-slot', `FAST on ${name}`, [on, 'FORM=0'], machine === 0);
  add('two-slot', `STRICT on ${name}`, [on, 'FORM=1'], true);
  add('two-slot', `STRICT on ${name}, no second look`, [on, 'FORM=1', 'NO_RECHECK'], false);
  add('two-slot', `STRICT on ${name}, accepts the next version`, [on, 'FORM=1', 'CLOSE'], false);
  add('two-slot', `STRICT on ${name}, one slot`, [on, 'FORM=1', 'ONE_SLOT'], false);
  for (const sequence of [0, 1]) {
    add(
      'histogram',
      `FAST on ${name}, order ${sequence}`,
      [on, 'FORM=0', `SEQUENCE=${sequence}`],
      machine === 0,
    );
    add('histogram', `STRICT on ${name}, order ${sequence}`, [on, 'FORM=1', `SEQUENCE=${sequence}`], true);
  }
  add('move', `FAST on ${name}`, [on, 'FORM=0'], machine === 0);
  add('move', `STRICT on ${name}`, [on, 'FORM=1'], true);
  add('move', `STRICT on ${name}, within one array`, [on, 'FORM=1', 'ONE_ARRAY'], false);
  add('move', `STRICT on ${name}, after the publish`, [on, 'FORM=1', 'LATE'], false);
  add('carry', `FAST on ${name}`, [on, 'FORM=0'], machine === 0);
  add('carry', `STRICT on ${name}`, [on, 'FORM=1'], true);
  add('carry', `STRICT on ${name}, reader ignores what is unfinished`, [on, 'FORM=1', 'IGNORES'], false);
  add('carry', `STRICT on ${name}, link before the record`, [on, 'FORM=1', 'FLIP_FIRST'], false);
  add('carry', `STRICT on ${name}, finished before the publish`, [on, 'FORM=1', 'CLEAR_FIRST'], false);
  add('carry', `STRICT on ${name}, link loaded before the version`, [on, 'FORM=1', 'LINK_FIRST'], false);
  add('histogram', `STRICT on ${name}, no redo entry`, [on, 'FORM=1', 'NO_REDO'], false);
  add('histogram', `STRICT on ${name}, reader ignores the entry`, [on, 'FORM=1', 'NO_OVERLAY'], false);
}
add('two-slot', 'STRICT on x64, two readers', ['MACHINE=0', 'FORM=1', 'READERS=2'], true);
add('two-slot', 'STRICT on arm64, two readers', ['MACHINE=2', 'FORM=1', 'READERS=2'], true);
add('two-slot', 'FAST on x64, publishes first', ['MACHINE=0', 'FORM=0', 'PUBLISH_FIRST'], false);
add('two-slot', 'FAST, free compiler, plain version loads', ['MACHINE=1', 'FORM=0', 'PLAIN_LOADS'], false);
add('two-slot', 'STRICT, free compiler, plain version loads', ['MACHINE=1', 'FORM=1', 'PLAIN_LOADS'], false);
add('two-slot', 'arm64, Atomics.store publishes', ['MACHINE=2', 'FORM=1', 'STORE_PUBLISH'], false);
add('two-slot', 'arm64, Atomics.load looks again', ['MACHINE=2', 'FORM=1', 'LOAD_RECHECK'], false);

add('writer-death', 'two slots', [], true, true);
add('writer-death', 'classic seqlock', ['CLASSIC'], false, true);

add('writer-lock', 'taken over on proof of death', [], true, true);
add('writer-lock', 'taken over after a time', ['NO_PROOF'], false, true);
add('writer-lock', 'taken over in two steps', ['TWO_STEPS'], false, true);
add('writer-lock', 'sleeps without a time-out', ['NO_TIMEOUT'], false, true);
add('writer-lock', 'sleeps without a time-out, nobody dies', ['NO_TIMEOUT', 'NO_DEATH'], true, true);
add(
  'writer-lock',
  'the same, taken without the waiters bit',
  ['NO_TIMEOUT', 'NO_DEATH', 'TAKES_BARE'],
  false,
  true,
);

add('slab-lock', 'a lock that the kernel frees', [], true, true);
for (const [define, what] of [
  ['BY_NUMBER', 'owners told by thread ids, in PID namespaces'],
  ['BY_TIME', 'owners taken for dead after a time'],
  ['NOT_KEPT', 'the lock given back once the slab is taken'],
  ['LOST', 'the lock lost by a thread that lives'],
  ['CLAIM_FIRST', 'memory claimed before it is backed'],
  ['NO_HELP', 'the end not moved for a dead claimer'],
  ['TRIES_ONCE', 'a lock that is looked at taken for held'],
])
  add('slab-lock', what, [define], false, true);

add('removal', 'told by the standings of parts', [], true, true);
for (const [define, what] of [
  ['ENDED_FIRST', "the remover's part ended before others are told"],
  ['LOOKS_ONCE', 'parts looked at once'],
  ['NO_NUMBERS', 'removals without numbers'],
])
  add('removal', what, [define], false, true);

function missingTool() {
  for (const [tool, argument] of [
    ['spin', '-V'],
    ['cc', '--version'],
  ]) {
    if (spawnSync(tool, [argument]).error !== undefined) return tool;
  }
  return undefined;
}

/** Whether the model holds; throws when the search was not complete and found nothing. */
function check({ model, defines, ends }, directory) {
  const flags = defines.map((define) => `-D${define}`);
  const run = (command, args) =>
    execFileSync(command, args, { cwd: directory, encoding: 'utf8', maxBuffer: 2 ** 26 });
  run('spin', ['-a', ...flags, join(MODELS, `${model}.pml`)]);
  run('cc', ['-O2', '-w', '-DSAFETY', '-DMEMLIM=4000', '-o', 'pan', 'pan.c']);
  const output = run('./pan', ['-m1000000', ...(ends ? [] : ['-E'])]);
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const states = /(\d+) states, stored/.exec(output)?.[1];
  if (errors === undefined || states === undefined) throw new Error(`no verdict:\n${output}`);
  if (errors === '0' && /search depth too small|memory limit|out of memory/i.test(output)) {
    throw new Error(`search not complete:\n${output}`);
  }
  const why = /assertion violated/.test(output)
    ? ' (assertion)'
    : /invalid end state/.test(output)
      ? ' (stuck)'
      : '';
  return { held: errors === '0', states, why };
}

const missing = missingTool();
if (missing !== undefined) {
  console.log(`SKIPPED: no model was checked, because ${missing} is not installed.`);
  process.exit(process.env.CI === 'true' ? 1 : 0);
}
const wanted = cases.filter(({ model, what }) => `${model} ${what}`.includes(process.argv[2] ?? ''));
let failed = 0;
for (const each of wanted) {
  const directory = mkdtempSync(join(tmpdir(), 'model-'));
  let verdict;
  let right = false;
  try {
    const { held, states, why } = check(each, directory);
    right = held === each.holds;
    verdict = `${held ? 'holds' : 'fails'} ${states.padStart(8)} states${why}`;
  } catch (error) {
    verdict = `ERROR ${error.message}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  if (!right) failed++;
  const expected = each.holds ? 'must hold' : 'must fail';
  console.log(
    `${right ? 'ok ' : 'BAD'} ${each.model.padEnd(12)} ${each.what.padEnd(50)} ${expected}: ${verdict}`,
  );
}
console.log(`${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && wanted.length > 0 ? 0 : 1;
