/**
 * Looks at the machine code V8 makes of the cell protocol: the FAST form is right only if the compiler keeps what it
 * does not promise, the order of plain stores, and both only if no data load leaves the two looks at the version.
 *
 *   node scripts/check-jit.mjs [--all]      after `npm run build`; --all: Node 22, 24 and 26 too, fetched from npm
 *
 * A function's code is reduced to a line of letters: L, S = load, store of a float64 element; v, V = load, store of an
 * int32 element; <Load> = call of Atomics.load. The functions in jit-broken.mjs must be found wrong.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LINES, nodeBinary } from './node-binaries.mjs';

const PROBE = fileURLToPath(new URL('./jit-probe.mjs', import.meta.url));
const built = (path) => new URL(`../build/src/${path}`, import.meta.url);
const BROKEN = new URL('./jit-broken.mjs', import.meta.url);

/** All slot stores, then one version store and nothing more. `stores`: how many the source has. */
const writerFast = (stores) => (code) => new RegExp(`^(?:L*S){${stores}}V$`).test(code.replaceAll('v', ''));
/** All slot stores, the exchange and nothing more. */
const writerStrict = (stores) => (code) =>
  new RegExp(`^(?:L*S){${stores}}<Exchange>$`).test(code.replaceAll('v', ''));
/** Every data load between the two looks at the version, which are calls. */
const readerFast = (code) => /^<Load>(?:L+S+)+<Load>$/.test(code);
const readerStrict = (code) => /^<Load>(?:L+S+)+<Add>$/.test(code);

/**
 * The same with both second looks, of which one is taken, and with a look at the link after some of the data. What is copied in a function that was not
 * inlined does not show; it is called between the looks.
 */
const readerOfBothForms = (code) =>
  /^<Load>[LSv]*L[LSv]*(?:<Load>[LSv]*)?(?:<Load><Add>|<Add><Load>)S*$/.test(code) ||
  /^<Load>[Sv]*<Load>[LSv]*L[LSv]*(?:<Load><Add>|<Add><Load>)S*$/.test(code);

const SUBJECTS = [
  { module: built('state/cells/sum-cell.js'), name: 'addToSumFast', isRight: writerFast(1), right: true },
  {
    module: built('state/cells/last-value-cell.js'),
    name: 'setLastValueFast',
    isRight: writerFast(2),
    right: true,
  },
  {
    module: built('state/cells/shared-value-cell.js'),
    name: 'addToSharedFast',
    isRight: writerFast(2),
    right: true,
  },
  {
    module: built('state/cells/histogram-cell.js'),
    name: 'recordToHistogramFast',
    isRight: writerFast(7),
    right: true,
  },
  { module: built('memory/cell.js'), name: 'readConsistentFast', isRight: readerFast, right: true },
  { module: built('state/cells/sum-cell.js'), name: 'addToSumStrict', isRight: writerStrict(1), right: true },
  {
    module: built('state/cells/last-value-cell.js'),
    name: 'setLastValueStrict',
    isRight: writerStrict(2),
    right: true,
  },
  {
    module: built('state/cells/shared-value-cell.js'),
    name: 'addToSharedStrict',
    isRight: writerStrict(2),
    right: true,
  },
  {
    module: built('state/cells/histogram-cell.js'),
    name: 'recordToHistogramStrict',
    isRight: writerStrict(7),
    right: true,
  },
  { module: built('memory/cell.js'), name: 'readConsistentStrict', isRight: readerStrict, right: true },
  {
    module: built('state/cells/exponential-histogram-cell.js'),
    name: 'recordToExponentialFast',
    isRight: writerFast(9),
    right: true,
  },
  {
    module: built('state/cells/exponential-histogram-cell.js'),
    name: 'recordToExponentialStrict',
    isRight: writerStrict(9),
    right: true,
  },
  {
    module: built('state/cells/exponential-histogram-cell.js'),
    name: 'copyExponential',
    isRight: readerOfBothForms,
    right: true,
  },
  {
    module: built('state/cells/carried.js'),
    name: 'readCarryingIn',
    isRight: readerOfBothForms,
    right: true,
  },
  { module: BROKEN, name: 'addToSumFastPublishFirst', isRight: writerFast(1), right: false },
  { module: BROKEN, name: 'addToSumFastTwoPublishes', isRight: writerFast(1), right: false },
  { module: BROKEN, name: 'addToSumStrictStoreLast', isRight: writerStrict(1), right: false },
  { module: BROKEN, name: 'readConsistentFastPlainRecheck', isRight: readerFast, right: false },
  { module: BROKEN, name: 'readConsistentStrictLoadRecheck', isRight: readerStrict, right: false },
];

const ELEMENT = String.raw`\[r\w+\+r\w+\*`; // base + index * scale; the stack and V8's own tables have no index
const OPERATIONS = [
  [new RegExp(`^v?movsd ${ELEMENT}[18]\\]`), () => 'S'],
  [new RegExp(`^v?\\w+sd xmm.*${ELEMENT}[18]\\]`), () => 'L'],
  [new RegExp(`^(?:mov|add|inc|xchg)l ${ELEMENT}[14]\\]`), () => 'V'],
  [new RegExp(`^(?:mov|cmp|and|test)l .*${ELEMENT}[14]\\]`), () => 'v'],
  [/^call .*\(Atomics(\w+)\)/, (match) => `<${match[1]}>`],
];

/** The letters of the code `tier` made of `name`, undefined if the output has none. */
function reduce(output, name, tier) {
  const blocks = output.split(/^(?=--- Code ---|kind = )/m).reverse();
  const code = blocks.find(
    (block) => block.includes(`\nname = ${name}\n`) && block.includes(`\ncompiler = ${tier}\n`),
  );
  if (code === undefined) return undefined;
  let letters = '';
  for (const [, instruction] of code
    .split('Source positions')[0]
    .matchAll(/^0x[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +(?:REX\.W )?(.*)$/gm)) {
    for (const [pattern, letter] of OPERATIONS) {
      const match = pattern.exec(instruction);
      if (match === null) continue;
      letters += letter(match);
      break;
    }
  }
  return letters;
}

function compile(node, { module, name }, tier) {
  const flags = tier === 'maglev' ? ['--maglev', '--print-maglev-code'] : ['--no-maglev'];
  // Now and then V8 has compiled the function by itself just before it is told to; then there is nothing to see.
  for (let attempt = 0; attempt < 5; attempt++) {
    const { stdout, status, stderr } = spawnSync(
      node,
      [
        '--allow-natives-syntax',
        ...flags,
        '--print-opt-code',
        `--print-opt-code-filter=${name}`,
        PROBE,
        module.href,
        name,
        tier,
      ],
      { encoding: 'utf8', maxBuffer: 2 ** 28 },
    );
    if (status !== 0) throw new Error(`${node} ended with ${status}: ${stderr}`);
    const letters = reduce(stdout, name, tier);
    if (letters !== undefined) return letters;
  }
  return undefined;
}

/** Whether `node` has V8's middle compiler: Node 24 and later do. */
function hasMaglev(node) {
  const { stdout, status } = spawnSync(node, ['--allow-natives-syntax', '-p', '%IsMaglevEnabled()'], {
    encoding: 'utf8',
  });
  return status === 0 && stdout.trim() === 'true';
}

if (process.arch !== 'x64') {
  console.log('SKIPPED: the check reads x64 code, and the FAST form is used on x64 alone.');
  process.exit(0);
}
if (!existsSync(built('memory/cell.js'))) throw new Error('run `npm run build` first');
const own = Number.parseInt(process.versions.node, 10);
const lines = process.argv.includes('--all')
  ? [...new Set([own, ...LINES.filter((line) => line !== 20)])]
  : [own];
let passed = 0;
let failed = 0;
for (const line of lines) {
  const node = nodeBinary(line);
  const tiers = hasMaglev(node) ? ['turbofan', 'maglev'] : ['turbofan'];
  for (const tier of tiers) {
    for (const subject of SUBJECTS) {
      const letters = compile(node, subject, tier);
      const ok = letters !== undefined && subject.isRight(letters) === subject.right;
      if (ok) passed++;
      else failed++;
      const what = `${ok ? 'ok ' : 'BAD'} Node ${line} ${tier.padEnd(8)} ${subject.name.padEnd(32)}`;
      console.log(`${what} ${subject.right ? '' : 'must be found wrong: '}${letters ?? 'no code seen'}`);
    }
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
