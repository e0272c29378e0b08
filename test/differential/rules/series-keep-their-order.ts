/** Points of a metric stand in the order in which the store got their series: two of them in the same order in every collection. */
import type { Point } from '../collected.ts';
import type { Rule } from '../rule.ts';
import { setKey } from '../kept-attributes.ts';
import { streamOfMetric } from '../streams.ts';

export const seriesKeepTheirOrder: Rule = {
  name: 'Series keep their order',
  apply: (program) => {
    const seen = new Set<string>(); // pairs, the earlier first
    return {
      program,
      expected: (official, ours) => {
        const orders = new Map<string, Map<string, number>>();
        for (const scope of ours)
          for (const metric of scope.metrics) {
            const stream = streamOfMetric(scope, metric);
            const sets = metric.dataPoints.map(({ attributes }) => stream + setKey(attributes));
            for (const [i, later] of sets.entries())
              for (const earlier of sets.slice(0, i)) {
                if (seen.has(JSON.stringify([later, earlier]))) return official; // they have changed places
                seen.add(JSON.stringify([earlier, later]));
              }
            orders.set(stream, new Map(sets.map((set, i) => [set, i])));
          }
        for (const scope of official)
          for (const metric of scope.metrics) {
            const stream = streamOfMetric(scope, metric);
            const place = ({ attributes }: Point): number =>
              orders.get(stream)?.get(stream + setKey(attributes)) ?? Infinity;
            metric.dataPoints.sort((a, b) => place(a) - place(b));
          }
        return official;
      },
    };
  },
};
