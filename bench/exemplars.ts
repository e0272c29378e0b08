/**
 * What it costs a record call to ask whether it is made inside of a sampled span, where it is not: with a context manager that is asked, as an app
 * that traces has one, beside the same calls with exemplars turned off. In a process of its own, for that manager is the whole process's.
 */
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BATCH } from './attribute-columns.ts';
import { nameOf, recordWork, type RecordCase } from './record-loop.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';
import { KINDS, ours } from './subjects.ts';

/** Loops of each case: two that are alike differ by some nanoseconds, as the engine laid them out, which is as much as is looked for. */
const COPIES = 7;

export interface ExemplarFigures {
  readonly name: string;
  /** Nanoseconds per call, a value a round and loop. */
  readonly rounds: { readonly off: readonly number[]; readonly ours: readonly number[] };
}

/** Everything runs before the first of it is measured, as in `benchRecording`. */
export async function measureExemplars(effort: Effort): Promise<ExemplarFigures[]> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const [off, asking] = [ours({ exemplarFilter: 'always_off' }), ours({ exemplarFilter: 'trace_based' })];
  const cases: RecordCase[] = KINDS.flatMap((kind) => [
    { kind, attributes: 3 as const, form: 'fresh' as const, series: 100 },
    { kind, attributes: 3 as const, form: 'bound' as const, series: 100 },
  ]);
  const measured = cases.map((recordCase) => ({
    name: `${recordCase.kind}, ${nameOf(recordCase)}`,
    copies: Array.from({ length: COPIES }, (): Work[] => [
      { ...recordWork(off, recordCase)!, contender: 'off' },
      recordWork(asking, recordCase)!,
    ]),
  }));
  for (const { copies } of measured)
    for (const works of copies)
      timeInTurns(works, BATCH, { rounds: 0, millis: 0, warmUpMillis: effort.warmUpMillis / 2 });
  const figures = measured.map(({ name, copies }) => {
    const rounds = copies.map((works) => timeInTurns(works, BATCH, effort));
    return {
      name,
      rounds: {
        off: rounds.flatMap(({ off: nanos = [] }) => nanos),
        ours: rounds.flatMap(({ ours: nanos = [] }) => nanos),
      },
    };
  });
  for (const subject of [off, asking]) await subject.close();
  return figures;
}
