/** All delta points of a metric start when the reader collected before, or when the instrument was made after that. */
import { DELTA } from '../collected.ts';
import { hrTimeOf } from '../program.ts';
import type { Rule } from '../rule.ts';
import { creations, streamOfMetric } from '../streams.ts';

export const deltaPointsShareOneStart: Rule = {
  name: 'Delta points share one start',
  apply: (program) => {
    const made = creations(program);
    return {
      program,
      expected: (official, _ours, { previous }) => {
        for (const scope of official)
          for (const metric of scope.metrics) {
            if (metric.aggregationTemporality !== DELTA) continue;
            const start = hrTimeOf(Math.max(made.get(streamOfMetric(scope, metric))!, previous ?? 0));
            for (const point of metric.dataPoints) point.startTime = start;
          }
        return official;
      },
    };
  },
};
