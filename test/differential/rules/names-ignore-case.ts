/** Instrument names that differ in case only are one name, as the first was written. */
import { mapSteps } from '../program.ts';
import type { Rule } from '../rule.ts';

export const namesIgnoreCase: Rule = {
  name: 'Names ignore case',
  apply: (program) => {
    const first = new Map<string, string>();
    return {
      program: mapSteps(program, (step) => {
        if (step.step !== 'create') return step;
        // The identity of an instrument: of two that conflict in one of these, each keeps its own spelling.
        const { kind, name, options } = step;
        const { attributes = {}, ...scope } = program.meters[step.meter]!;
        const identity = JSON.stringify([
          { ...scope, attributes },
          kind,
          name.toLowerCase(),
          options?.unit ?? '',
          options?.valueType ?? 1,
        ]);
        if (!first.has(identity)) first.set(identity, name);
        return { ...step, name: first.get(identity)! };
      }),
    };
  },
};
