/** What other code and other people do to a store's files while it is in use: rows 11, 12 and 14. */
import {
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { MetricStore } from '../../src/index.ts';
import { REGION_FILE } from '../../src/memory/mapped-file.ts';
import { newFolder } from '../support/store-directories.ts';
import { Child, sleep } from './children.ts';
import type { FillerJob, FillerMessage, RecorderJob } from './jobs.ts';
import { Judge } from './judge.ts';
import { check, skip } from './report.ts';

function recorder(judge: Judge, place: number, program = 'recorder'): Child {
  const job: RecorderJob = {
    directory: judge.directory,
    acknowledged: judge.acknowledgedPath,
    place,
    threads: 0,
  };
  return new Child(program, job);
}

/** Row 11. */
export async function checkRobbedOwner(): Promise<void> {
  const judge = new Judge();
  const robbed = recorder(judge, 0, 'robbed');
  const { closed } = await robbed.message<{ readonly closed: number }>();
  // Of the same kind as the robbed one: they look for a slab of a dead one, and record into the same series.
  for (let i = 0; i < 4; i++) {
    const other = recorder(judge, 1 + i);
    await other.message();
    judge.look();
    await sleep(100);
    await other.kill();
  }
  const isLast = (message: unknown): boolean => (message as object).hasOwnProperty('warnings');
  const { warnings } = await robbed.message<{ readonly warnings: readonly string[] }>(isLast);
  await robbed.end();
  check(
    closed > 0 && judge.isSound(4) && warnings.length === 0,
    `a process whose descriptors other code closed, ${closed} of them with a lock, keeps its slab: ${judge.findings}; it said [${warnings.join(' | ')}]`,
  );
}

/** What a new process is told that opens a directory. */
async function refusalOf(directory: string): Promise<string> {
  const job: FillerJob = { directory, series: 1, name: 'newcomer' };
  const child = new Child('filler', job);
  await child.end();
  return (child.messages[0] as FillerMessage | undefined)?.refused ?? `exit ${child.process.exitCode}`;
}

/** Row 12. */
export async function checkReplacedFiles(): Promise<void> {
  const judge = new Judge();
  const survivor = recorder(judge, 0);
  await survivor.message();
  rmSync(judge.directory, { recursive: true });
  await sleep(200);
  const isNew =
    (await refusalOf(judge.directory)) === 'exit 0' && existsSync(join(judge.directory, REGION_FILE));
  judge.look();
  const before = judge.counted;
  await sleep(700);
  const wentOn = !survivor.hasEnded;
  await survivor.kill();
  check(
    isNew && wentOn && judge.isSound(1) && judge.counted > before,
    `a store directory that is removed: newcomers make a new store, those that had it go on; ${judge.findings}`,
  );

  const plant = async (what: string, code: string, put: (folder: string) => string): Promise<void> => {
    const refused = await refusalOf(put(newFolder()));
    check(refused === code, `${what}: ${refused}`);
  };
  await plant('a link in the place of a store directory', 'E_TYPE', (folder) => {
    mkdirSync(join(folder, 'elsewhere'));
    symlinkSync('elsewhere', join(folder, 'store'));
    return join(folder, 'store');
  });
  await plant('a file in the place of a store directory', 'E_TYPE', (folder) => {
    writeFileSync(join(folder, 'store'), '');
    return join(folder, 'store');
  });
  for (const name of [REGION_FILE, 'bell', 'leader', 'writers']) {
    await plant(`a link in the place of ${name}`, 'E_TYPE', (folder) => {
      mkdirSync(join(folder, 'store'), { mode: 0o700 });
      writeFileSync(join(folder, 'elsewhere'), '');
      symlinkSync(join(folder, 'elsewhere'), join(folder, 'store', name));
      return join(folder, 'store');
    });
    await plant(`a FIFO in the place of ${name}`, 'E_TYPE', (folder) => {
      mkdirSync(join(folder, 'store'), { mode: 0o700 });
      execFileSync('mkfifo', [join(folder, 'store', name)]);
      return join(folder, 'store');
    });
  }
  if (process.getuid!() !== 0) return skip('a store directory of another user: run it as root');
  await plant('a store directory of another user', 'E_PERM', (folder) => {
    mkdirSync(join(folder, 'store'), { mode: 0o700 });
    chownSync(join(folder, 'store'), 65534, 65534);
    return join(folder, 'store');
  });
}

/** Row 14, of the directory: another `maxBytes`, and another format. */
export async function checkOtherStores(): Promise<void> {
  const judge = new Judge();
  const { maxBytes } = judge.store;
  const job: FillerJob = { directory: judge.directory, series: 10, name: 'other size' };
  const child = new Child('filler', job);
  await child.end();
  const said = child.messages[0] as FillerMessage;
  check(
    said.refused === undefined && MetricStore.open({ directory: judge.directory }).maxBytes === maxBytes,
    `another maxBytes than the store has: joined, and ${said.warnings.length} warning`,
  );

  // The region of another format has another name; ours is left alone, and theirs is not touched.
  const folder = newFolder();
  mkdirSync(join(folder, 'store'), { mode: 0o700 });
  writeFileSync(join(folder, 'store', 'region-1'), 'of another format');
  check(
    (await refusalOf(join(folder, 'store'))) === 'exit 0',
    'another format beside: each has its own file',
  );

  const damaged = new Judge();
  const region = join(damaged.directory, REGION_FILE);
  const copy = execFileSync('head', ['-c', '65536', region]);
  renameSync(region, `${region}.old`);
  writeFileSync(region, copy.fill(0xff, 0, 8), { mode: 0o600 });
  const refused = await refusalOf(damaged.directory);
  check(/^E_(MAGIC|RANGE|CRC|TYPE)$|^exit 0$/.test(refused), `a region that is none: ${refused}`);
  unlinkSync(region);
}
