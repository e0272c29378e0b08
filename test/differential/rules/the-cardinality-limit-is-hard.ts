/**
 * A stream has as many attribute sets as the limit says, for good, and the overflow series besides. The official SDK admits one
 * fewer, and as many again after each collection. The overflow series is there, unseen, from the stream's beginning: it
 * starts when the stream was made. What is observed of sets in it adds up, or of gauges the last counts, in each round anew.
 */
import { allPoints } from '../collected.ts';
import { inCallOrder } from '../callbacks.ts';
import { setKey } from '../kept-attributes.ts';
import {
  createSteps,
  hrTimeOf,
  mapSteps,
  limitOfKind,
  type CreateStep,
  type Observation,
  type Program,
} from '../program.ts';
import type { Rule } from '../rule.ts';
import {
  creations,
  isLevel,
  isRecorded,
  observedValue,
  streamOfMetric,
  streamsOf,
  viewOf,
} from '../streams.ts';

const OVERFLOW = 'otel.metric.overflow';

/** Of a view, else the largest of the readers. */
function limitOf(program: Program, create: CreateStep): number {
  const view = create.standsFor?.view ?? viewOf(program, create);
  const largest = Math.max(...program.readers.map(({ cardinalityLimit }) => cardinalityLimit));
  return view?.cardinalityLimit ?? limitOfKind(create.kind, largest);
}

export const theCardinalityLimitIsHard: Rule = {
  name: 'The cardinality limit is hard',
  apply: (program) => {
    const instruments = createSteps(program);
    const streams = streamsOf(program);
    const made = creations(program);
    const sets = new Map<string, Set<string>>();
    const limits = new Map<string, number>();
    instruments.forEach((create, i) => {
      if (!limits.has(streams[i]!)) limits.set(streams[i]!, limitOf(program, create));
    });
    /** Whether a set has, or now gets, a series of its own. */
    const isAdmitted = (instrument: number, attributes: unknown): boolean => {
      const stream = streams[instrument]!;
      let known = sets.get(stream);
      if (known === undefined) sets.set(stream, (known = new Set()));
      const set = setKey(attributes as object);
      if (known.size < limits.get(stream)!) known.add(set);
      return known.has(set);
    };
    const limited = mapSteps(program, (step) => {
      if (step.step === 'record') {
        if (!isRecorded(instruments[step.instrument]!, step.value as number)) return step;
        if (isAdmitted(step.instrument, step.attributes)) return step;
        return { ...step, attributes: { [OVERFLOW]: true } };
      }
      if (step.step !== 'collect') return step;
      const observations: Observation[] = [];
      const overflow = new Map<string, Map<string, Observation & { readonly value: number }>>();
      for (const observation of inCallOrder(step.observations)) {
        const create = instruments[observation.instrument]!;
        const value = observation.value as number;
        if (!isRecorded(create, value) || isAdmitted(observation.instrument, observation.attributes)) {
          observations.push(observation);
          continue;
        }
        if (observation.fails === true) continue;
        const stream = streams[observation.instrument]!;
        let ofStream = overflow.get(stream);
        if (ofStream === undefined) overflow.set(stream, (ofStream = new Map()));
        const set = setKey(observation.attributes as object);
        if ((ofStream.get(set)?.rank ?? -1) > observation.rank!) continue; // the later counts
        ofStream.set(set, { ...observation, value: observedValue(create, value) });
      }
      for (const ofStream of overflow.values()) {
        const all = [...ofStream.values()].sort((a, b) => a.rank! - b.rank!);
        const last = all.at(-1)!;
        const value = isLevel(program, instruments[last.instrument]!)
          ? last.value
          : all.reduce((sum, one) => sum + one.value, 0);
        observations.push({ ...last, value, attributes: { [OVERFLOW]: true } });
      }
      return { ...step, observations };
    });
    return {
      program: {
        ...limited,
        readers: program.readers.map((reader) => ({ ...reader, cardinalityLimit: 1e9 })),
        views: program.views.map((view) => ({ ...view, cardinalityLimit: undefined })),
      },
      expected: (official) => {
        for (const { scope, metric, point } of allPoints(official))
          if (point.attributes[OVERFLOW] === true)
            point.startTime = hrTimeOf(made.get(streamOfMetric(scope, metric))!);
        return official;
      },
    };
  },
};
