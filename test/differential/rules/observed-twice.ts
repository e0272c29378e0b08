/** What callbacks observe more than once in a round. */
import { observedDirectly, inCallOrder, withObservationsMade } from '../callbacks.ts';
import { keptAttributes, setKey } from '../kept-attributes.ts';
import { createSteps, mapSteps, type CreateStep, type Observation } from '../program.ts';
import type { Rule } from '../rule.ts';
import { isLevel, observedValue, streamsOf, through, viewOf } from '../streams.ts';

/**
 * For the rules that follow, observations are as they reach instruments. Where views select them, or callbacks are of several instruments, the
 * official SDK is given each from a callback of its own, so that it has none twice.
 */
export const observationsAreMadeOnce: Rule = {
  name: 'The later observation counts',
  apply: (program) => {
    const made = withObservationsMade(program);
    const isPlain = program.views.length === 0 && !program.callbacks.some(({ isShared }) => isShared);
    return { program: isPlain ? made : observedDirectly(made) };
  },
};

/**
 * Of two observations of a series in one round the later counts, whichever callbacks made them: those of callbacks added later come later.
 * The official SDK adds up what callbacks of several identical instruments observe, from round to round.
 */
export const theLaterObservationCounts: Rule = {
  name: 'The later observation counts',
  apply: (program) => {
    const streams = streamsOf(program);
    return {
      program: mapSteps(program, (step) => {
        if (step.step !== 'collect') return step;
        const latest = new Map<string, Observation>();
        for (const one of step.observations) {
          if (one.fails === true) continue;
          const series = streams[one.instrument]! + setKey(one.attributes as object);
          if ((latest.get(series)?.rank ?? -1) <= one.rank!) latest.set(series, one);
        }
        const last = new Set(latest.values());
        const isMade = (one: Observation): boolean =>
          one.fails === true ? one.callback !== undefined : last.has(one);
        return { ...step, observations: step.observations.filter(isMade) };
      }),
    };
  },
};

function nameOf({ name, standsFor }: CreateStep): string {
  return (standsFor?.instrument ?? name).toLowerCase();
}

/**
 * Where a view leaves the same attributes of several sets that are observed in one round, or gives several instruments one name, totals add up,
 * and of gauges the last counts. In the official SDK the last counts of all.
 */
export const totalsAddUpInViews: Rule = {
  name: 'Observed totals add up in views',
  apply: (program) => {
    const instruments = createSteps(program);
    const views = instruments.map((create) => create.standsFor?.view ?? viewOf(program, create));
    if (views.every((view) => view === undefined)) return { program };
    const streams = streamsOf(program);
    return {
      program: mapSteps(program, (step) => {
        if (step.step !== 'collect') return step;
        const left = new Map(
          step.observations.map((one) => {
            const view = views[one.instrument];
            return [one, keptAttributes(view === undefined ? one.attributes : through(view, one.attributes))];
          }),
        );
        const seriesOf = (one: Observation): string =>
          `${streams[one.instrument]} ${setKey(left.get(one)!)} ${one.fails === true}`;
        // Of one set of one instrument the later counts, and comes later.
        const latest = new Map<string, Observation>();
        for (const one of step.observations) {
          const view = views[one.instrument];
          const name = nameOf(instruments[one.instrument]!);
          const key =
            view === undefined
              ? seriesOf(one)
              : `${streams[one.instrument]} ${one.fails === true} ${name} ${setKey(keptAttributes(one.attributes))}`;
          latest.delete(key);
          latest.set(key, one);
        }
        const totals = new Map<string, { value: number; rank: number }>();
        [...latest.values()].forEach((one, rank) => {
          const create = instruments[one.instrument]!;
          const before = isLevel(program, create) ? 0 : (totals.get(seriesOf(one))?.value ?? 0);
          totals.set(seriesOf(one), { value: before + observedValue(create, one.value as number), rank });
        });
        // Each where its first observation was. What is of no account has a series all the same.
        const known = new Set<string>();
        const observations: Observation[] = [];
        for (const one of inCallOrder(step.observations)) {
          const series = seriesOf(one);
          if (known.has(series)) continue;
          known.add(series);
          observations.push({
            ...one,
            ...(totals.get(series) ?? { fails: true }),
            attributes: left.get(one),
          });
        }
        return { ...step, observations };
      }),
    };
  },
};
