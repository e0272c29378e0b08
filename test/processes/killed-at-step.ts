/**
 * Loaded before a program: kills its process just before the step of the given number. Steps are what a death can fall between and others
 * can see: calls of the system, and writes to the shared memory that are atomic. Counting begins with `countSteps()`.
 */
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { addonPath } from '../../src/memory/native.ts';

const deadly = Number(process.env['KILLED_AT_STEP'] ?? Infinity);
let step = -1;

/** Of the last step, to say where it was. */
export const steps = { count: 0, names: [] as string[] };

export function countSteps(): void {
  step = 0;
}

function noteStep(name: string): void {
  if (step < 0) return;
  if (step++ === deadly) process.kill(process.pid, 'SIGKILL');
  steps.count = step;
  steps.names.push(name);
}

function before<T extends object>(target: T, name: keyof T & string): void {
  const original = target[name] as (...args: unknown[]) => unknown;
  Object.defineProperty(target, name, {
    configurable: true,
    value: (...args: unknown[]): unknown => {
      noteStep(name);
      return original.apply(target, args);
    },
  });
}

for (const name of [
  'openSync',
  'closeSync',
  'mkdirSync',
  'chmodSync',
  'fchmodSync',
  'ftruncateSync',
  'renameSync',
  'linkSync',
  'unlinkSync',
  'rmSync',
  'writeSync',
  'writeFileSync',
] as const)
  before(fs, name);
syncBuiltinESMExports();
for (const name of ['compareExchange', 'store', 'add', 'sub', 'exchange'] as const) before(Atomics, name);

// The addon's functions cannot be replaced; what is loaded in its place can.
const require = createRequire(import.meta.url);
const addon = { ...(require(addonPath()) as object) } as Record<string, unknown>;
for (const name of Object.keys(addon)) before(addon, name);
require.cache[addonPath()]!.exports = addon;
