/** Metrics come in the order in which their instruments were made, and scopes in the order of their first instruments. */
import type { Metric, Scope } from '../collected.ts';
import { createSteps } from '../program.ts';
import type { Rule } from '../rule.ts';

export const orderOfCreation: Rule = {
  name: 'Order of creation',
  apply: (program) => {
    const instruments = createSteps(program);
    const placeOf = ({ scope }: Scope, metric?: Metric): number =>
      instruments.findIndex(({ meter, kind, name, options }) => {
        const { name: library, version, schemaUrl } = program.meters[meter]!;
        if (library !== scope.name || (version ?? '') !== scope.version || schemaUrl !== scope.schemaUrl) return false;
        if (metric === undefined) return true;
        const { type, unit, valueType } = metric.descriptor;
        return metric.descriptor.name === name && type === kind && unit === (options?.unit ?? '') && valueType === (options?.valueType ?? 1);
      });
    return {
      program,
      expected: (official) => {
        for (const scope of official) scope.metrics.sort((a, b) => placeOf(scope, a) - placeOf(scope, b));
        return official.sort((a, b) => placeOf(a) - placeOf(b));
      },
    };
  },
};
