/** Sums of a delta histogram are unknown, and left out, once an infinite value was recorded. */
import { allPoints, DELTA } from '../collected.ts';
import type { Rule } from '../rule.ts';

export const deltaIsADifference: Rule = {
  name: 'Delta is a difference',
  apply: (program) => {
    const isSpoilt = program.steps.some(
      (step) => step.step === 'record' && (step.value === Infinity || step.value === -Infinity),
    );
    return {
      program,
      expected: (official, ours) => {
        if (!isSpoilt) return official;
        const points = allPoints(ours);
        allPoints(official).forEach(({ metric, point }, i) => {
          const value = points[i]?.point.value;
          if (metric.aggregationTemporality !== DELTA || typeof point.value !== 'object') return;
          if (typeof value === 'object' && !('sum' in value)) delete point.value.sum;
        });
        return official;
      },
    };
  },
};
