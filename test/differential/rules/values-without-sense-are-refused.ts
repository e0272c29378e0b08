/** NaN and the infinities do not enter sums, nor NaN a histogram; what is no number is not recorded, and never throws. */
import { createSteps, mapSteps, type SyncKind } from '../program.ts';
import type { Rule } from '../rule.ts';

function isRefused(kind: SyncKind, value: unknown): boolean {
  if (typeof value !== 'number') return true;
  if (kind === 'GAUGE') return false;
  return kind === 'HISTOGRAM' ? Number.isNaN(value) : !Number.isFinite(value);
}

export const valuesWithoutSenseAreRefused: Rule = {
  name: 'Values without sense are refused',
  apply: (program) => {
    const instruments = createSteps(program);
    return {
      program: mapSteps(program, (step) =>
        step.step === 'record' && isRefused(instruments[step.instrument]!.kind, step.value) ? undefined : step,
      ),
    };
  },
};
