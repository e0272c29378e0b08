/** Histograms in seconds that have no advice have the bounds that the semantic conventions have for durations. */
import { mapSteps } from '../program.ts';
import type { Rule } from '../rule.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export const secondsHaveBoundsOfTheirOwn: Rule = {
  name: 'Seconds have bounds of their own',
  apply: (program) => ({
    program: mapSteps(program, (step) => {
      if (step.step !== 'create' || step.kind !== 'HISTOGRAM' || step.options?.unit !== 's') return step;
      if (step.options.advice?.explicitBucketBoundaries !== undefined) return step;
      return { ...step, options: { ...step.options, advice: { explicitBucketBoundaries: SECONDS } } };
    }),
  }),
};
