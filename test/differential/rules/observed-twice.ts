/**
 * Of two observations of a series in one round the later counts, whichever callbacks made them: those of instruments made later come later.
 * The official SDK adds up what callbacks of several identical instruments observe, from round to round.
 */
import { createSteps, mapSteps, type Observation } from '../program.ts';
import type { Rule } from '../rule.ts';
import { observedValue, setKey, streamOf, streamsOf, viewed, viewOf, viewsOf } from '../streams.ts';
import { keptAttributes } from './attributes-are-copied.ts';

export const theLaterObservationCounts: Rule = {
  name: 'The later observation counts',
  apply: (program) => {
    const streams = streamsOf(program);
    return {
      program: mapSteps(program, (step) => {
        if (step.step !== 'collect') return step;
        const latest = new Map<string, Observation>();
        const counts = ({ instrument }: Observation): boolean => !step.throwing.includes(instrument);
        step.observations
          .filter(counts)
          .sort((a, b) => a.instrument - b.instrument)
          .forEach((observation) => {
            latest.set(
              streams[observation.instrument]! + setKey(observation.attributes as object),
              observation,
            );
          });
        const last = new Set(latest.values());
        return { ...step, observations: step.observations.filter((one) => !counts(one) || last.has(one)) };
      }),
    };
  },
};

/**
 * Where a view leaves the same attributes of several sets that are observed in one round, totals add up, and of gauges the last counts. In the
 * official SDK the last counts of all.
 */
export const totalsAddUpInViews: Rule = {
  name: 'Observed totals add up in views',
  apply: (program) => {
    const instruments = createSteps(program);
    return {
      program: mapSteps(program, (step) => {
        if (step.step !== 'collect') return step;
        const latest = new Map<string, Observation>();
        const rest: Observation[] = [];
        for (const one of [...step.observations].sort((a, b) => a.instrument - b.instrument)) {
          const create = instruments[one.instrument]!;
          const view = viewOf(program, create);
          if (view?.keys === undefined) {
            rest.push(one);
            continue;
          }
          // Of one set of one instrument the later counts, and comes later.
          const key = `${streamOf(program, create)} ${setKey(keptAttributes(one.attributes))} ${step.throwing.includes(one.instrument)}`;
          const { attributes } = latest.get(key) ?? one; // of equal sets the first is kept
          latest.delete(key);
          latest.set(key, { ...one, attributes });
        }
        const sums = new Map<string, Observation>();
        for (const one of latest.values()) {
          const create = instruments[one.instrument]!;
          const attributes = viewed(keptAttributes(one.attributes), viewsOf(program, create));
          const key = `${streamOf(program, create)} ${setKey(attributes)} ${step.throwing.includes(one.instrument)}`;
          const earlier = sums.get(key);
          const before = create.kind === 'OBSERVABLE_GAUGE' ? 0 : ((earlier?.value as number) ?? 0);
          const value = before + observedValue(create, one.value as number);
          sums.set(key, { ...one, attributes: earlier?.attributes ?? attributes, value });
        }
        return { ...step, observations: [...rest, ...sums.values()] };
      }),
    };
  },
};
