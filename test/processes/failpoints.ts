/** Processes killed just before each step of making a store, of joining one, of taking a slab over, and of recording. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REGION_FILE } from '../../src/memory/mapped-file.ts';
import { slabsUsed } from '../../src/memory/slab.ts';
import { newFolder } from '../support/store-directories.ts';
import { Child } from './children.ts';
import type { RecorderJob } from './jobs.ts';
import { Judge } from './judge.ts';
import { check } from './report.ts';

const AT_ONCE = 3;
/** After so many steps the victim makes one series after the other: those steps are alike. */
const ALL_DIFFERENT = 52;

interface Survivor {
  readonly count: number;
  readonly names: readonly string[];
}

/** A timer that fires meanwhile makes some more. */
const STEPS_THAT_VARY = 10;

/** Runs a victim that is to be killed before a step; what it says if it never comes to that step. */
async function runVictim(folder: string, place: number, step: number): Promise<Survivor | undefined> {
  const job: RecorderJob = {
    directory: join(folder, 'store'),
    acknowledged: join(folder, 'acknowledged'),
    place,
    threads: 0,
  };
  const child = new Child('step-victim', job, {
    fixture: 'killed-at-step',
    env: { KILLED_AT_STEP: String(step) },
  });
  await child.end();
  if (child.process.signalCode === 'SIGKILL') return undefined;
  if (child.process.exitCode !== 0) throw new Error(`step ${step}: ${child.errors}`);
  return child.messages[0] as Survivor;
}

/** The steps to kill at. */
function chosen({ count }: Survivor, isLong: boolean): number[] {
  return Array.from({ length: count }, (_, step) => step).filter(
    (step) => isLong || step < ALL_DIFFERENT || step % 12 === 0 || step > count - 6,
  );
}

/** Row 3. */
export async function checkFailpoints(isLong: boolean): Promise<void> {
  await checkFirstProcess(isLong);
  await checkNewcomers();
  await checkHeirs(isLong);
}

/** Runs `check` for each of the steps, some at once. */
async function eachStep(steps: readonly number[], check: (step: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < steps.length) await check(steps[next++]!);
    }),
  );
}

/** Each victim is the first of a store of its own. */
async function checkFirstProcess(isLong: boolean): Promise<void> {
  const survivor = (await runVictim(newFolder(), 0, Infinity))!;
  const steps = chosen(survivor, isLong);
  const wrong: string[] = [];
  await eachStep(steps, async (step) => {
    const folder = newFolder();
    const survived = (await runVictim(folder, 0, step)) !== undefined;
    const judge = new Judge(folder);
    const goesOn = judge.canGoOn();
    const files = readdirSync(judge.directory).filter((name) => name.startsWith('region'));
    const sound = judge.isSound(1) && slabsUsed(judge.store.region) <= 2;
    // How many steps there are differs by a few: one that is to die at the last may live.
    const isWrongToLive = survived && step < survivor.count - STEPS_THAT_VARY;
    if (isWrongToLive || !goesOn || !sound || files.join() !== REGION_FILE)
      wrong.push(`before ${survivor.names[step]} (${step}): ${files.join()}; ${judge.findings}`);
  });
  check(
    wrong.length === 0,
    `${steps.length} first processes killed, each before another of ${survivor.count} steps: the next goes on` +
      wrong.map((one) => `\n      ${one}`).join(''),
  );
}

/** Steps from the lock of a new slab until it is in the table, and some more. */
const STEPS_OF_TAKING = 10;

/** Each victim joins a store of its own and takes a new slab in it; the next of its kind must find that slab. */
async function checkNewcomers(): Promise<void> {
  const joined = (): { readonly folder: string; readonly judge: Judge } => {
    const folder = newFolder();
    const judge = new Judge(folder);
    judge.canGoOn(); // it has a slab, and is of another kind
    return { folder, judge };
  };
  const { names } = (await runVictim(joined().folder, 0, Infinity))!;
  const first = names.indexOf('ftruncateSync'); // the lock file is made as long as its mapping
  const steps = Array.from({ length: STEPS_OF_TAKING }, (_, i) => first + i);
  const wrong: string[] = [];
  await eachStep(steps, async (step) => {
    const { folder, judge } = joined();
    const survived = (await runVictim(folder, 0, step)) !== undefined;
    await runVictim(folder, 1, Infinity);
    if (survived || !judge.isSound(1) || slabsUsed(judge.store.region) !== 2)
      wrong.push(`before ${names[step]} (${step}): ${judge.findings}`);
  });
  check(
    wrong.length === 0,
    `${steps.length} processes killed while they took a new slab: the next of the kind takes that one` +
      wrong.map((one) => `\n      ${one}`).join(''),
  );
}

/** Each victim takes over what the one before left, in one store. */
async function checkHeirs(isLong: boolean): Promise<void> {
  const folder = newFolder();
  await runVictim(folder, 0, Infinity); // makes the store, and writes its configuration
  await runVictim(folder, 1, Infinity);
  const judge = new Judge(folder);
  const { count, names } = (await runVictim(folder, 2, Infinity))!;
  const slabs = slabsUsed(judge.store.region);
  const steps = chosen({ count, names }, isLong);
  const wrong: string[] = [];
  let deaths = 0;
  for (const [i, step] of steps.entries()) {
    // How many steps there are depends on what the one before left: some live.
    if ((await runVictim(folder, 3 + i, step)) === undefined) deaths++;
    if (!judge.isSound(deaths)) wrong.push(`before ${names[step]} (${step}): ${judge.findings}`);
  }
  if (!judge.canGoOn()) wrong.push('nobody can go on');
  check(
    wrong.length === 0 && deaths > steps.length / 2 && slabsUsed(judge.store.region) <= slabs + 1,
    `${deaths} heirs killed, each before another of ${count} steps: ${judge.findings}` +
      wrong.map((one) => `\n      ${one}`).join(''),
  );
}
