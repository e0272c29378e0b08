/** The programs of others that the end-to-end tests run, and what to say where one is missing. */
import { spawnSync } from 'node:child_process';
import { goPrograms } from './go-programs.ts';

export type ProgramName = 'collector' | 'prometheus' | 'prometheus 2' | 'promtool' | 'openssl' | 'python';

interface Program {
  readonly path: string;
  readonly probe: readonly string[];
  /** How a user gets it. */
  readonly from: string;
}

const BUILT = 'npm run e2e:programs (needs Go 1.26 and the Go module proxy)';
const { collector, prometheus } = goPrograms();

const programs: Readonly<Record<ProgramName, Program>> = {
  collector: { path: collector, probe: ['--version'], from: BUILT },
  prometheus: { path: prometheus, probe: ['--version'], from: BUILT },
  'prometheus 2': { path: 'prometheus', probe: ['--version'], from: 'apt-get install prometheus' },
  promtool: { path: 'promtool', probe: ['--version'], from: 'apt-get install prometheus' },
  openssl: { path: 'openssl', probe: ['version'], from: 'apt-get install openssl' },
  // Debian's interpreter, since the package is for that one.
  python: {
    path: '/usr/bin/python3',
    probe: ['-c', 'import prometheus_client'],
    from: 'apt-get install python3-prometheus-client',
  },
};

export function pathOf(name: ProgramName): string {
  return programs[name].path;
}

const found = new Set<ProgramName>();

function isThere(name: ProgramName): boolean {
  const { path, probe } = programs[name];
  if (!found.has(name) && spawnSync(path, [...probe]).status === 0) found.add(name);
  return found.has(name);
}

/** What says how to get the programs that are missing; undefined when none is. */
export function missing(names: readonly ProgramName[]): string | undefined {
  const lines = names.filter((name) => !isThere(name)).map((name) => `${name}: ${programs[name].from}`);
  return lines.length === 0 ? undefined : lines.join('; ');
}

/** For a `before` hook: skips the suite where a program is missing, and says so; fails where CI=true. */
export function needs(context: Mocha.Context, ...names: readonly ProgramName[]): void {
  const lacks = missing(names);
  if (lacks === undefined) return;
  if (process.env['CI'] === 'true') throw new Error(`not found: ${lacks}`);
  console.error(`\n  SKIPPED, NOTHING WAS TESTED. Not found: ${lacks}\n`);
  context.skip();
}
