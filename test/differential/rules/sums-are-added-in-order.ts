/**
 * A sum is one running addition; the official SDK adds up each cycle by itself and then the cycles, so the last digits may differ.
 * Zero has no sign.
 */
import { allPoints } from '../collected.ts';
import { setKey } from '../kept-attributes.ts';
import type { Observation, Program } from '../program.ts';
import type { Rule } from '../rule.ts';
import { streamOfMetric, streamsOf } from '../streams.ts';

/** Largest difference between two ways to add up all values of each series. */
function largestDifferences(program: Program): Map<string, number> {
  const streams = streamsOf(program);
  const series = new Map<string, number[]>();
  const add = ({ instrument, attributes, value }: Observation): void => {
    const key = streams[instrument]! + setKey(attributes as object);
    if (!series.has(key)) series.set(key, []);
    if (Number.isFinite(value)) series.get(key)!.push(value as number);
  };
  for (const step of program.steps)
    if (step.step === 'record') add(step);
    else if (step.step === 'collect') step.observations.forEach(add);
  return new Map([...series].map(([key, values]) => [key, largestDifference(values)]));
}

function largestDifference(values: readonly number[]): number {
  if (values.every((value) => Number.isInteger(value * 8) && Math.abs(value) < 2 ** 40)) return 0; // then every addition is exact
  return values.length * Number.EPSILON * values.reduce((sum, value) => sum + Math.abs(value), 0);
}

export const sumsAreAddedInOrder: Rule = {
  name: 'Sums are added in order',
  apply: (program) => {
    const tolerances = largestDifferences(program);
    const near = (official: number, ours: unknown, tolerance: number): number =>
      typeof ours === 'number' && (official === ours || Math.abs(official - ours) <= tolerance)
        ? ours
        : official;
    return {
      program,
      expected: (official, ours) => {
        const points = allPoints(ours);
        allPoints(official).forEach(({ scope, metric, point }, i) => {
          const value = points[i]?.point.value;
          const tolerance = tolerances.get(streamOfMetric(scope, metric) + setKey(point.attributes)) ?? 0;
          if (typeof point.value === 'number') {
            // A last value is not added up: only the sign of its zero is no matter.
            if (metric.isMonotonic !== undefined) point.value = near(point.value, value, tolerance);
            else if (point.value === value) point.value = value;
          } else if (typeof value === 'object') {
            if (point.value.sum !== undefined) point.value.sum = near(point.value.sum, value.sum, tolerance);
            if (value.min !== undefined && point.value.min === value.min) point.value.min = value.min;
            if (value.max !== undefined && point.value.max === value.max) point.value.max = value.max;
          }
        });
        return official;
      },
    };
  },
};
