/**
 * A sum is one running addition; the official SDK adds up each cycle by itself and then the cycles, so the last digits may differ.
 * Zero has no sign.
 */
import { allPoints } from '../collected.ts';
import type { Program } from '../program.ts';
import type { Rule } from '../rule.ts';

/** Largest difference between two ways to add up all values of a program. */
function largestDifference(program: Program): number {
  const values = program.steps.flatMap((step) => {
    if (step.step === 'record') return [step.value];
    return step.step === 'collect' ? step.observations.map(({ value }) => value) : [];
  });
  const finite = values.filter((value): value is number => Number.isFinite(value));
  if (finite.every((value) => Number.isInteger(value * 8) && Math.abs(value) < 2 ** 40)) return 0; // then every addition is exact
  return finite.length * Number.EPSILON * finite.reduce((sum, value) => sum + Math.abs(value), 0);
}

export const sumsAreAddedInOrder: Rule = {
  name: 'Sums are added in order',
  apply: (program) => {
    const tolerance = largestDifference(program);
    const near = (official: number, ours: unknown): number =>
      typeof ours === 'number' && (official === ours || Math.abs(official - ours) <= tolerance)
        ? ours
        : official;
    return {
      program,
      expected: (official, ours) => {
        const points = allPoints(ours);
        allPoints(official).forEach(({ metric, point }, i) => {
          const value = points[i]?.point.value;
          if (typeof point.value === 'number') {
            // A last value is not added up: only the sign of its zero is no matter.
            if (metric.isMonotonic !== undefined) point.value = near(point.value, value);
            else if (point.value === value) point.value = value;
          } else if (typeof value === 'object') {
            if (point.value.sum !== undefined) point.value.sum = near(point.value.sum, value.sum);
            if (value.min !== undefined && point.value.min === value.min) point.value.min = value.min;
            if (value.max !== undefined && point.value.max === value.max) point.value.max = value.max;
          }
        });
        return official;
      },
    };
  },
};
