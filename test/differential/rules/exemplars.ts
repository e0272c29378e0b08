/** Data points may have exemplars. The official SDK has none. */
import { allPoints } from '../collected.ts';
import type { Rule } from '../rule.ts';

export const exemplars: Rule = {
  name: 'Exemplars',
  apply: (program) => ({
    program,
    expected: (official, ours) => {
      if (program.keepsExemplars) for (const { point } of allPoints(ours)) delete point.exemplars;
      return official;
    },
  }),
};
