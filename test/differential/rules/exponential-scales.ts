/**
 * An exponential histogram has the highest scale at which all that was ever recorded to it fits, in deltas too. The official SDK chooses a
 * scale for each cycle by itself, and for ever a scale that is too low after a cycle without a value that has a bucket, of either sign.
 */
import { allPoints, DELTA, type ExponentialValue } from '../collected.ts';
import type { Rule } from '../rule.ts';

type Buckets = ExponentialValue['positive'];

/** Buckets `steps` scales lower, without empty ones at the ends. */
function coarser({ offset, bucketCounts }: Buckets, steps: number): Buckets {
  const counts = new Map<number, number>();
  bucketCounts.forEach((count, i) => {
    const index = (offset + i) >> steps;
    if (count > 0) counts.set(index, (counts.get(index) ?? 0) + count);
  });
  if (counts.size === 0) return { offset: 0, bucketCounts: [] };
  const low = Math.min(...counts.keys());
  const length = Math.max(...counts.keys()) - low + 1;
  return { offset: low, bucketCounts: Array.from({ length }, (_, i) => counts.get(low + i) ?? 0) };
}

function atScale(value: ExponentialValue, scale: number): unknown {
  const [positive, negative] = [value.positive, value.negative].map((range) =>
    coarser(range, value.scale - scale),
  );
  return { count: value.count, zeroCount: value.zeroCount, positive, negative };
}

export const exponentialScales: Rule = {
  name: 'Exponential histograms',
  apply: (program) => {
    // Also of one sign alone.
    const hasEmptyCycles = program.steps.some(
      ({ step, value }: { step: string; value?: unknown }) =>
        step === 'record' &&
        ((value as number) < 0 || Math.trunc(value as number) === 0 || !Number.isFinite(value)),
    );
    return {
      program,
      expected: (official, ours) => {
        const points = allPoints(ours);
        allPoints(official).forEach(({ metric, point }, i) => {
          const value = points[i]?.point.value;
          if (typeof point.value !== 'object' || !('scale' in point.value)) return;
          if (typeof value !== 'object' || !('scale' in value)) return;
          const isDelta = metric.aggregationTemporality === DELTA;
          const mayDiffer =
            value.scale === point.value.scale || (value.scale < point.value.scale ? isDelta : hasEmptyCycles);
          const scale = Math.min(value.scale, point.value.scale);
          const same = JSON.stringify(atScale(value, scale)) === JSON.stringify(atScale(point.value, scale));
          if (mayDiffer && same) {
            const { positive, negative } = value;
            Object.assign(point.value, { positive, negative, scale: value.scale });
          }
        });
        return official;
      },
    };
  },
};
