import { BATCH, type AttributeCount } from './attribute-columns.ts';
import { floorWork, nameOf, recordWork, type Form, type RecordCase } from './record-loop.ts';
import { rowOf, type Row } from './row.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';
import { KINDS, SUBJECTS, type Kind } from './subjects.ts';

export const SERIES_COUNTS = [1, 100, 2000] as const;

/** Strings made at run time take far longer to make than to record: less of them is measured. */
const RUN_TIME_SHARE = 0.25;

/** Counters are crossed in full; gauges and histograms, which find their series the same way, in part. */
export function recordCases(kind: Kind): RecordCase[] {
  const cases: RecordCase[] = [{ kind, attributes: 0, form: 'none', series: 1 }];
  const cross = (
    counts: readonly AttributeCount[],
    forms: readonly Form[],
    series: readonly number[],
  ): void => {
    for (const attributes of counts)
      for (const form of forms) for (const n of series) cases.push({ kind, attributes, form, series: n });
  };
  if (kind === 'counter') {
    cross([1, 3, 6], ['fresh', 'run-time', 'reused'], SERIES_COUNTS);
    cross([3], ['two orders'], [100]);
  } else {
    cross([1, 6], ['fresh'], [100]);
    cross([3], ['fresh'], SERIES_COUNTS);
    cross([3], ['run-time', 'reused'], [100]);
  }
  cross([3], ['bound'], SERIES_COUNTS);
  return cases;
}

/**
 * Times the record calls of some kinds. Before the first of them is measured, every loop of every kind has run: so each
 * implementation has met all instruments, all attribute counts, all key orders and all kinds of strings.
 */
export async function benchRecording(kinds: ReadonlySet<Kind>, effort: Effort): Promise<Row[]> {
  const subjects = SUBJECTS.map((make) => make());
  const prepared = KINDS.flatMap(recordCases).map((recordCase) => ({
    recordCase,
    works: [floorWork(recordCase), ...subjects.map((subject) => recordWork(subject, recordCase))].filter(
      (work): work is Work => work !== undefined,
    ),
  }));
  for (const { works } of prepared)
    timeInTurns(works, BATCH, { rounds: 0, millis: 0, warmUpMillis: effort.warmUpMillis / 8 });
  const rows: Row[] = [];
  for (const { recordCase, works } of prepared) {
    if (!kinds.has(recordCase.kind)) continue;
    const share = recordCase.form === 'run-time' ? RUN_TIME_SHARE : 1;
    const rounds = timeInTurns(works, BATCH, {
      ...effort,
      millis: effort.millis * share,
      warmUpMillis: effort.warmUpMillis * share,
    });
    rows.push(rowOf(recordCase.kind, nameOf(recordCase), 'ns', rounds));
  }
  for (const subject of subjects) await subject.close();
  return rows;
}
