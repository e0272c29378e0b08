/** Metrics come in the order in which their instruments were made, and scopes in the order of their first instruments. */
import type { Scope } from '../collected.ts';
import { createSteps } from '../program.ts';
import type { Rule } from '../rule.ts';
import { isDropped, streamOf, streamOfMetric } from '../streams.ts';

export const orderOfCreation: Rule = {
  name: 'Order of creation',
  apply: (program) => {
    const kept = createSteps(program).filter((step) => !isDropped(program, step));
    const streams = kept.map((step) => streamOf(program, step));
    const placeOfScope = ({ scope }: Scope): number =>
      kept.findIndex(({ meter }) => {
        const { name, version, schemaUrl } = program.meters[meter]!;
        return name === scope.name && (version ?? '') === scope.version && schemaUrl === scope.schemaUrl;
      });
    return {
      program,
      expected: (official) => {
        for (const scope of official)
          scope.metrics.sort(
            (a, b) => streams.indexOf(streamOfMetric(scope, a)) - streams.indexOf(streamOfMetric(scope, b)),
          );
        return official.sort((a, b) => placeOfScope(a) - placeOfScope(b));
      },
    };
  },
};
