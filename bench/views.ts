/** What views and a second reader add to a record call: 3 fresh attributes, 100 series. prom-client has neither, and records as it does. */
import { AggregationType, createAllowListAttributesProcessor } from '@opentelemetry/sdk-metrics';
import { BATCH, keysOf } from './attribute-columns.ts';
import { floorWork, recordWork, type RecordCase } from './record-loop.ts';
import { rowOf, type Row } from './row.ts';
import { timeInTurns, type Effort, type Work } from './rounds.ts';
import { official, ours, promClient, type Kind, type Setting } from './subjects.ts';

const ATTRIBUTES = 3;
const SERIES = 100;

export const VIEW_SETTINGS: Readonly<Record<string, Setting>> = {
  'one view, a description': { views: [{ instrumentName: '*', description: 'of the view' }] },
  'one view, 2 of 3 attributes': {
    views: [
      {
        instrumentName: '*',
        attributesProcessors: [createAllowListAttributesProcessor(keysOf(ATTRIBUTES).slice(1))],
      },
    ],
  },
  'two readers': { readers: 2 },
  'two views, two streams': {
    views: [
      { instrumentName: '*' },
      { instrumentName: '*', aggregation: { type: AggregationType.LAST_VALUE } },
    ],
  },
};

export function viewCase(kind: Kind): RecordCase {
  return { kind, attributes: ATTRIBUTES, form: 'fresh', series: SERIES };
}

/** Everything runs before the first of it is measured, as in `benchRecording`. */
export async function benchViews(effort: Effort): Promise<Row[]> {
  const measured = Object.entries(VIEW_SETTINGS).flatMap(([setting, options]) => {
    const subjects = [ours(options), official(options), promClient()];
    return (['counter', 'histogram'] as const).map((kind) => ({
      name: `${kind}, ${setting}`,
      subjects,
      works: [
        floorWork(viewCase(kind)),
        ...subjects.map((subject) => recordWork(subject, viewCase(kind))!),
      ] satisfies Work[],
    }));
  });
  for (const { works } of measured)
    timeInTurns(works, BATCH, { rounds: 0, millis: 0, warmUpMillis: effort.warmUpMillis / 8 });
  const rows = measured.map(({ name, works }) =>
    rowOf('views', name, 'ns', timeInTurns(works, BATCH, effort)),
  );
  for (const subject of new Set(measured.flatMap(({ subjects }) => subjects))) await subject.close();
  return rows;
}
