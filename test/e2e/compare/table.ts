/** The table at the end of a run: what was compared with what, and whether it was equal. */
import { expect } from 'chai';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Books } from '../app/account.ts';

export interface Row {
  readonly scenario: string;
  readonly what: string;
  /** Numbers compared: one for each series, and five more for a histogram's count, sum, extremes and buckets. */
  readonly numbers: number;
  readonly recorded: number | string;
  readonly arrived: number | string;
  readonly good: boolean;
}

const rows: Row[] = [];

after(function printTable() {
  if (rows.length === 0) return;
  console.log(`\n  Sent and arrived`);
  console.table(rows);
});

/** Compares books number by number; the table has the sum over their sums and counts. */
export function compareBooks(scenario: string, what: string, recorded: Books, arrived: Books): void {
  const good = isDeepStrictEqual(arrived, recorded) && numbersIn(recorded) > 0;
  rows.push({
    scenario,
    what,
    numbers: numbersIn(recorded),
    recorded: totalOf(recorded),
    arrived: totalOf(arrived),
    good,
  });
  if (!good) expect(arrived, what).to.deep.equal(recorded);
  expect(good, what).to.equal(true);
}

/** Looks until the books are as they should be, or for 20 seconds; gives what it saw last. */
export async function settled(expected: Books, look: () => Promise<Books>): Promise<Books> {
  for (const deadline = performance.now() + 20_000; ; await wait(100)) {
    const seen = await look();
    if (isDeepStrictEqual(seen, expected) || performance.now() > deadline) return seen;
  }
}

export function compareNumber(scenario: string, what: string, recorded: number, arrived: number): void {
  rows.push({ scenario, what, numbers: 1, recorded, arrived, good: recorded === arrived });
  expect(arrived, what).to.equal(recorded);
}

/** A measured figure, and what it must not exceed. */
export function compareLimit(scenario: string, what: string, limit: number, measured: number): void {
  const arrived = Math.round(measured);
  rows.push({ scenario, what, numbers: 1, recorded: `at most ${limit}`, arrived, good: measured <= limit });
  expect(measured, what).to.be.at.most(limit);
}

function numbersIn(books: Books): number {
  return Object.values(books).reduce<number>(
    (sum, value) => sum + (typeof value === 'number' ? 1 : 4 + value.buckets.length),
    0,
  );
}

function totalOf(books: Books): number {
  return Object.values(books).reduce<number>(
    (sum, value) => sum + (typeof value === 'number' ? value : value.sum + value.count),
    0,
  );
}
