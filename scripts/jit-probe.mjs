/**
 * Run by check-jit.mjs under `--print-opt-code`: makes V8 compile one function of one tier and calls it.
 *   node --allow-natives-syntax ... jit-probe.mjs <module URL> <function> <turbofan | maglev>
 */
const [, , moduleUrl, name, tier] = process.argv;
const module = await import(moduleUrl);
const subject = module[name];

const buffer = new SharedArrayBuffer(1 << 16);
const words = new Int32Array(buffer);
const doubles = new Float64Array(buffer);
const into = new Float64Array(64);
const CELLS = [8, 88, 168]; // several cells, so that no address is a constant to the compiler

const exponential = name.includes('Exponential')
  ? await import(new URL('exponential-histogram-cell.js', moduleUrl))
  : undefined;
const shape = exponential && new exponential.ExponentialShape(8, 20, false);
if (shape) for (const at of CELLS) exponential.initExponential(doubles, at, shape);

const fields = name === 'readCarryingIn' ? new module.CarriedFields(6, 1, 3) : undefined;

/** What one of the cells has carried; see carried.ts. */
const BLOCK = 400;
if (fields || name === 'copyExponential') {
  (fields ?? shape).initBlock(doubles, BLOCK);
  words[(CELLS[1] << 1) + 1] = BLOCK << 1;
}

/** A call as the product makes it, by the shape of the function's name. */
function call(i) {
  const at = CELLS[i % CELLS.length];
  if (name.startsWith('addToSum')) return subject(words, doubles, at, i * 0.5 + 0.25);
  if (name.startsWith('setLastValue')) return subject(words, doubles, at, i * 0.5 + 0.25, i);
  if (name.startsWith('addToShared')) return subject(words, doubles, at, i * 0.5 + 0.25, i >> 3);
  if (name.startsWith('recordToHistogram')) return subject(words, doubles, at, i % 5, i * 0.5 + 0.25);
  if (name.startsWith('recordToExponential')) return subject(words, doubles, at, shape, (i % 7) * 0.5);
  if (name === 'readCarryingIn') return subject(words, doubles, at, fields, i % 7, into, i % 2 === 0);
  if (name === 'copyExponential') return subject(words, doubles, at, shape, into, i % 2 === 0);
  return subject(words, doubles, at, 2 + (i % 5), i % 7, into);
}

// Natives are syntax of their own, which no other tool parses; so they are compiled from text.
// oxlint-disable-next-line typescript/no-implied-eval
const native = (code) => Function('subject', code)(subject);
native('%PrepareFunctionForOptimization(subject)');
for (let i = 0; i < 300; i++) call(i);
native(tier === 'maglev' ? '%OptimizeMaglevOnNextCall(subject)' : '%OptimizeFunctionOnNextCall(subject)');
for (let i = 0; i < 3; i++) call(i);
