/** Advised boundaries with NaN among them are not used at all; a repeated boundary is used once. */
import { mapSteps } from '../program.ts';
import type { Rule } from '../rule.ts';

export const adviceIsChecked: Rule = {
  name: 'Advice is checked',
  apply: (program) => ({
    program: mapSteps(program, (step) => {
      if (step.step !== 'create') return step;
      const { advice, ...options } = step.options ?? {};
      const boundaries = advice?.explicitBucketBoundaries;
      if (boundaries === undefined || boundaries.some(Number.isNaN)) return { ...step, options };
      return { ...step, options: { ...options, advice: { explicitBucketBoundaries: [...new Set(boundaries)] } } };
    }),
  }),
};
