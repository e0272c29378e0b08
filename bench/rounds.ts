import type { Contender, Rounds } from './row.ts';

/** How long a run takes. */
export interface Effort {
  readonly rounds: number;
  /** Time measured per contender and round. */
  readonly millis: number;
  /** Time each contender runs before the first round. */
  readonly warmUpMillis: number;
}

/** One contender's work: `batch` is timed, `prepare` before each batch is not. */
export interface Work {
  readonly contender: Contender;
  readonly batch: () => void;
  readonly prepare?: () => void;
}

/**
 * Nanoseconds per operation of each contender, in rounds: in each, everyone runs for a while, in an order that changes from
 * round to round, so that nobody always runs after the same neighbour.
 */
export function timeInTurns(works: readonly Work[], operationsPerBatch: number, effort: Effort): Rounds {
  for (const work of works) timed(work, operationsPerBatch, effort.warmUpMillis);
  const rounds: Partial<Record<Contender, number[]>> = {};
  for (let round = 0; round < effort.rounds; round++) {
    for (let turn = 0; turn < works.length; turn++) {
      const work = works[(round + turn) % works.length]!;
      (rounds[work.contender] ??= []).push(timed(work, operationsPerBatch, effort.millis));
    }
  }
  return rounds;
}

function timed({ batch, prepare }: Work, operationsPerBatch: number, millis: number): number {
  let spent = 0;
  let batches = 0;
  do {
    prepare?.();
    const start = performance.now();
    batch();
    spent += performance.now() - start;
    batches++;
  } while (spent < millis);
  return (spent * 1e6) / (batches * operationsPerBatch);
}
