/**
 * A stream has as many attribute sets as the limit says, for good, and the overflow series besides. The official SDK admits one
 * fewer, and as many again after each collection. The overflow series is there, unseen, from the stream's beginning: it
 * comes first among the points and starts when the stream was made.
 */
import { allPoints } from '../collected.ts';
import { createSteps, mapSteps, type CreateStep, type Program } from '../program.ts';
import type { Rule } from '../rule.ts';

const OVERFLOW = 'otel.metric.overflow';

function streamOf(program: Program, { meter, kind, name, options }: CreateStep): string {
  const scope = program.meters[meter];
  return JSON.stringify([scope?.name, scope?.version ?? '', scope?.schemaUrl, kind, name, options?.unit ?? '', options?.valueType ?? 1]);
}

/** Whether a number is recorded at all: the official SDK would refuse it without making a series. */
function isRecorded({ kind, options }: CreateStep, value: number): boolean {
  if (value < 0 && (kind === 'COUNTER' || kind === 'HISTOGRAM')) return false;
  return Number.isFinite(value) || options?.valueType !== 0;
}

export const theCardinalityLimitIsHard: Rule = {
  name: 'The cardinality limit is hard',
  apply: (program) => {
    const instruments = createSteps(program);
    const sets = new Map<string, Set<string>>();
    const made = new Map<string, number>();
    const limited = mapSteps(program, (step, now) => {
      if (step.step === 'create') {
        const stream = streamOf(program, step);
        if (!made.has(stream)) made.set(stream, now);
      }
      if (step.step !== 'record') return step;
      const instrument = instruments[step.instrument]!;
      if (!isRecorded(instrument, step.value as number)) return step;
      const stream = streamOf(program, instrument);
      let known = sets.get(stream);
      if (known === undefined) sets.set(stream, (known = new Set()));
      const set = JSON.stringify(Object.entries(step.attributes as object).sort());
      if (known.has(set)) return step;
      if (known.size >= program.cardinalityLimit) return { ...step, attributes: { [OVERFLOW]: true } };
      known.add(set);
      return step;
    });
    return {
      program: { ...limited, cardinalityLimit: 1e9 },
      expected: (official) => {
        for (const { scope, metric, point } of allPoints(official)) {
          if (point.attributes[OVERFLOW] !== true) continue;
          const { name, type, unit, valueType } = metric.descriptor;
          const meter = scope.scope;
          const stream = JSON.stringify([meter.name, meter.version, meter.schemaUrl, type, name, unit, valueType]);
          const millis = made.get(stream)!;
          point.startTime = [Math.floor(millis / 1000), (millis % 1000) * 1e6];
          metric.dataPoints = [point, ...metric.dataPoints.filter((other) => other !== point)];
        }
        return official;
      },
    };
  },
};
