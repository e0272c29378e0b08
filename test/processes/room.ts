/** Row 5: no room. A full file system, a limit of the process, and a limit of its group. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MetricStore, SeqlockMeterProvider, SeqlockMetricReader } from '../../src/index.ts';
import { newFolder } from '../support/store-directories.ts';
import { Child, type ChildOptions } from './children.ts';
import { STREAMS, type FillerJob, type FillerMessage } from './jobs.ts';
import { check, skip } from './report.ts';

const FILLERS = 3;

interface Filled {
  readonly recorded: number;
  readonly refused: readonly string[];
  /** Ended by a signal, SIGBUS for one. */
  readonly signals: readonly string[];
  /** Of each process. */
  readonly warnings: readonly (readonly string[])[];
}

async function fill(directory: string, series: number, options: ChildOptions = {}): Promise<Filled> {
  const children = Array.from({ length: FILLERS }, (_, i) => {
    const job: FillerJob = { directory, series, name: `filler ${i}` };

    return new Child('filler', job, options);
  });
  for (const child of children) await child.end();
  const said = children.map((child) => child.messages[0] as FillerMessage | undefined);
  return {
    recorded: said.reduce((sum, one) => sum + (one?.recorded ?? 0), 0),
    refused: said.flatMap((one) => one?.refused ?? []),
    signals: children.flatMap(({ process: { signalCode } }) => signalCode ?? []),
    warnings: said.map((one) => one?.warnings ?? []),
  };
}

/** What a reader finds in all, overflow series included, and what was counted as lost. */
function totalOf(directory: string): number {
  const reader = new SeqlockMetricReader();
  const store = MetricStore.open({ directory });
  void new SeqlockMeterProvider({ store, readers: [reader] });
  let total = store.lostMeasurements;
  for (const { metrics } of reader.snapshot().scopeMetrics)
    for (const { dataPoints } of metrics) for (const { value } of dataPoints) total += value as number;
  return total;
}

/** True for a run whose every measurement is in the store or counted as lost. A stream that is made when all is full warns of that, too. */
function isExact(filled: Filled, total: number): boolean {
  const { recorded, refused, signals, warnings } = filled;
  return (
    total === recorded &&
    recorded > 0 &&
    refused.length === 0 &&
    signals.length === 0 &&
    warnings.every(({ length }) => length >= 1 && length <= 2 * STREAMS)
  );
}

function described({ recorded, refused, signals, warnings }: Filled, total: number): string {
  return `${recorded} recorded, ${total} in the store; refused [${refused.join()}], ended by [${signals.join()}], warnings ${warnings.map(({ length }) => length).join()}`;
}

export async function checkRoom(series: number): Promise<void> {
  await checkFullFileSystem(series);
  await checkFileSizeLimit();
  await checkMemoryGroup(series);
}

async function checkFullFileSystem(series: number): Promise<void> {
  const mount = join(newFolder(), 'full');
  mkdirSync(mount);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', mount], {
    encoding: 'utf8',
  });
  if (status !== 0) return skip(`a full file system: no mounts (${stderr.trim()}); run it as root`);
  try {
    const directory = join(mount, 'store');
    const filled = await fill(directory, series);
    const total = totalOf(directory);
    check(isExact(filled, total), `a file system of 1 MiB that fills up: ${described(filled, total)}`);
    const texts = filled.warnings.flat();
    check(
      texts.every((text) => text.includes('is full (ENOSPC)') && text.includes('Free space there')),
      `what is said of it: ${texts[0]}`,
    );

    const second = join(mount, 'second');
    writeFileSync(join(mount, 'rest'), '');
    spawnSync('dd', ['if=/dev/zero', `of=${join(mount, 'rest')}`, 'bs=4096'], { stdio: 'ignore' });
    const refused = await fill(second, 10);
    check(
      refused.signals.length === 0 &&
        refused.refused.length === FILLERS &&
        refused.refused.every((code) => code === 'E_MEMORY'),
      `a store on a file system that is full: ${described(refused, 0)}`,
    );
  } finally {
    spawnSync('umount', ['--lazy', mount]); // this process has mapped the file
  }
}

/** The region's file is longer than the process may make one. */
async function checkFileSizeLimit(): Promise<void> {
  const directory = join(newFolder(), 'store');
  const limited = await fill(directory, 10, { within: ['prlimit', `--fsize=${2 ** 20}`] });
  check(
    limited.signals.length === 0 &&
      limited.refused.length === FILLERS &&
      limited.refused.every((code) => code === 'E_MEMORY'),
    `a store that is longer than RLIMIT_FSIZE allows: ${described(limited, 0)}`,
  );
}

/** The kernel ends a process of a group that wants more memory than the group may have: that is no SIGBUS, and the others' totals stand. */
async function checkMemoryGroup(series: number): Promise<void> {
  const group = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].find((path) =>
    existsSync(join(path, path.endsWith('memory') ? 'memory.limit_in_bytes' : 'memory.max')),
  );
  if (group === undefined) return skip('a memory limit of a group: no cgroup controls memory here');
  const own = join(group, `seqlock-metrics-${process.pid}`);
  const version1 = group.endsWith('memory');
  try {
    mkdirSync(own);
    writeFileSync(join(own, version1 ? 'memory.limit_in_bytes' : 'memory.max'), String(120 * 2 ** 20));
  } catch (error) {
    return skip(`a memory limit of a group: ${String(error)}`);
  }
  const directory = join(newFolder(), 'store');
  const filled = await fill(directory, series * 4, {
    within: ['sh', '-c', `echo $$ > ${own}/cgroup.procs && exec "$0" "$@"`],
  });
  const total = totalOf(directory);
  check(
    !filled.signals.includes('SIGBUS') && total >= filled.recorded,
    `three processes in a group of 120 MiB: ${described(filled, total)}`,
  );
  rmSync(directory, { recursive: true });
  rmdirSync(own);
}
