/** A descriptor has no `advice`: it is for the SDK, and no exporter reads it. */
import type { Rule } from '../rule.ts';

export const adviceIsNotExported: Rule = {
  name: 'Advice is not exported',
  apply: (program) => ({
    program,
    expected: (official) => {
      for (const { metrics } of official) for (const { descriptor } of metrics) delete descriptor.advice;
      return official;
    },
  }),
};
