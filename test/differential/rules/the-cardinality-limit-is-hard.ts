/**
 * A stream has as many attribute sets as the limit says, for good, and the overflow series besides. The official SDK admits one
 * fewer, and as many again after each collection. The overflow series is there, unseen, from the stream's beginning: it
 * starts when the stream was made. What is observed of sets in it adds up, or of gauges the last counts, in each round anew.
 */
import { allPoints } from '../collected.ts';
import { createSteps, hrTimeOf, mapSteps, type Observation } from '../program.ts';
import type { Rule } from '../rule.ts';
import { creations, isRecorded, observedValue, setKey, streamOfMetric, streamsOf } from '../streams.ts';

const OVERFLOW = 'otel.metric.overflow';

export const theCardinalityLimitIsHard: Rule = {
  name: 'The cardinality limit is hard',
  apply: (program) => {
    const instruments = createSteps(program);
    const streams = streamsOf(program);
    const made = creations(program);
    const sets = new Map<string, Set<string>>();
    /** Whether a set has, or now gets, a series of its own. */
    const isAdmitted = (instrument: number, attributes: unknown): boolean => {
      const stream = streams[instrument]!;
      let known = sets.get(stream);
      if (known === undefined) sets.set(stream, (known = new Set()));
      const set = setKey(attributes as object);
      if (known.size < program.cardinalityLimit) known.add(set);
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
      for (const observation of [...step.observations].sort((a, b) => a.instrument - b.instrument)) {
        const create = instruments[observation.instrument]!;
        const value = observation.value as number;
        if (!isRecorded(create, value) || isAdmitted(observation.instrument, observation.attributes)) {
          observations.push(observation);
          continue;
        }
        if (step.throwing.includes(observation.instrument)) continue;
        const stream = streams[observation.instrument]!;
        let ofStream = overflow.get(stream);
        if (ofStream === undefined) overflow.set(stream, (ofStream = new Map()));
        const set = setKey(observation.attributes as object);
        ofStream.delete(set); // the later counts, and comes later
        ofStream.set(set, { ...observation, value: observedValue(create, value) });
      }
      for (const ofStream of overflow.values()) {
        const all = [...ofStream.values()];
        const last = all.at(-1)!;
        const isGauge = instruments[last.instrument]!.kind === 'OBSERVABLE_GAUGE';
        const value = isGauge ? last.value : all.reduce((sum, one) => sum + one.value, 0);
        observations.push({ ...last, value, attributes: { [OVERFLOW]: true } });
      }
      return { ...step, observations };
    });
    return {
      program: { ...limited, cardinalityLimit: 1e9 },
      expected: (official) => {
        for (const { scope, metric, point } of allPoints(official))
          if (point.attributes[OVERFLOW] === true)
            point.startTime = hrTimeOf(made.get(streamOfMetric(scope, metric))!);
        return official;
      },
    };
  },
};
