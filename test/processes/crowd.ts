/** Processes that come and go, or want the same: rows 7 and 15. */
import { slabsUsed } from '../../src/memory/slab.ts';
import { Child, sleep } from './children.ts';
import type { LeaderJob, PasserJob } from './jobs.ts';
import { Judge } from './judge.ts';
import { check } from './report.ts';
import { together } from './together.ts';

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;

/** Row 7, of the lease itself: who has it is killed, stopped and let go on. */
export async function checkLease(followers: number, rounds: number): Promise<void> {
  const judge = new Judge();
  const { directory } = judge;
  const { lease } = judge.store.region;
  const job: LeaderJob = { directory };
  const children = Array.from({ length: followers }, () => new Child('leader', job));
  for (const child of children) await child.message((message) => message === 'wants');
  const leads = (child: Child): boolean => child.messages.includes('leads');
  const leaders = (): Child[] => children.filter((child) => !child.hasEnded && leads(child));
  const gaps: number[] = [];
  let most = 0;
  let taken = 0;
  const leader = async (): Promise<Child> => {
    for (;;) {
      most = Math.max(most, leaders().length);
      if (leaders().length > 0) return leaders()[0]!;
      await sleep(2);
    }
  };
  for (let round = 0; round < rounds; round++) {
    const first = await leader();
    first.process.kill('SIGSTOP');
    await sleep(200);
    most = Math.max(most, leaders().length); // a stopped one has it still
    if (lease.take()) taken++;
    first.process.kill('SIGCONT');
    const from = performance.now();
    await first.kill();
    await leader();
    gaps.push(performance.now() - from);
  }
  for (const child of children) if (!child.hasEnded) await child.kill();
  check(
    most === 1 && taken === 0,
    `a lease that ${followers} processes want, ${rounds} leaders stopped and killed: ${most} at once at most; the next after ${median(gaps).toFixed(0)} ms, at most ${Math.max(...gaps).toFixed(0)} ms`,
  );
}

/**
 * Row 15. `millis`: it ends then, however many there were. A machine that is busy has more of them at once, for a
 * moment, and they take one slab more: so the bytes of a slab must stay, and slabs have their bound.
 */
export async function checkInARow(processes: number, millis: number): Promise<void> {
  const judge = new Judge();
  const ATONCE = 3;
  const program = await together('passer');
  const until = performance.now() + millis;
  const sizes: { readonly bytes: number; readonly slabs: number; readonly millis: number }[] = [];
  let next = 0;
  let ended = 0;
  const look = (): void => {
    const from = performance.now();
    judge.look();
    sizes.push({
      bytes: judge.store.usedBytes,
      slabs: slabsUsed(judge.store.region),
      millis: performance.now() - from,
    });
  };
  await Promise.all(
    Array.from({ length: ATONCE }, async () => {
      while (next < processes && performance.now() < until) {
        const job: PasserJob = { directory: judge.directory, number: next++ };
        await new Child(program, job).end();
        ended++;
        if (ended % 10 === 0) look();
      }
    }),
  );
  judge.look();
  const settled = sizes[Math.min(sizes.length - 1, 5)]!;
  const last = sizes.at(-1)!;
  const tenth = Math.max(1, Math.floor(sizes.length / 10));
  const millisOf = (part: typeof sizes): string => median(part.map((size) => size.millis)).toFixed(2);
  check(
    judge.counted === ended &&
      ended > 0 &&
      judge.timed === ended &&
      judge.decreases === 0 &&
      last.bytes / last.slabs <= 1.1 * (settled.bytes / settled.slabs) &&
      last.slabs <= 2 * (ATONCE + 1) + 17,
    `${ended} processes in a row, one in three killed: ${judge.counted} + ${judge.timed} in the store; ` +
      `${settled.bytes >> 10} KiB in ${settled.slabs} slabs after ${10 * Math.min(sizes.length, 6)}, ${last.bytes >> 10} KiB in ${last.slabs} at the end; ` +
      `a snapshot takes ${millisOf(sizes.slice(0, tenth))} ms at first, ${millisOf(sizes.slice(-tenth))} ms at last`,
  );
}
