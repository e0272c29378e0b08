/** A meter may have attributes, which are part of its identity. For the official SDK, which has none, they are written into the version. */
import type { Rule } from '../rule.ts';

export const scopeAttributes: Rule = {
  name: 'Scope attributes',
  apply: (program) => {
    const written = (version: string | undefined, attributes: object | undefined): string | undefined =>
      attributes === undefined || Object.keys(attributes).length === 0
        ? version
        : `${version ?? ''}~${JSON.stringify(attributes)}`;
    return {
      program: {
        ...program,
        meters: program.meters.map(({ attributes, ...meter }) => ({
          ...meter,
          version: written(meter.version, attributes),
        })),
      },
      expected: (official, ours) => {
        for (const { scope } of ours) {
          const { attributes } = scope;
          delete scope.attributes;
          if (attributes !== undefined) scope.version = written(scope.version, attributes);
        }
        return official;
      },
    };
  },
};
