/** prom-client's functions that make one metric of several, each as `getMetricsAsJSON` gave it. */
interface JsonValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly metricName?: string;
}

export interface JsonMetric {
  readonly help: string;
  readonly name: string;
  readonly type: unknown;
  readonly aggregator: string;
  readonly values: readonly JsonValue[];
}

type AggregatorFunction = (metrics: readonly JsonMetric[]) => JsonMetric | undefined;

/** `merge` makes one value of those with the same name and labels. */
function aggregatorOf(merge: (values: readonly JsonValue[]) => number): AggregatorFunction {
  return (metrics) => {
    if (metrics.length === 0) return undefined;
    const { help, name, type, aggregator } = metrics[0]!;
    const series = new Map<string, JsonValue[]>();
    for (const { values } of metrics)
      for (const value of values) {
        const key = `${value.metricName}_${keyOf(value.labels)}`;
        const same = series.get(key);
        if (same === undefined) series.set(key, [value]);
        else same.push(value);
      }
    const values = [...series.values()].map((same) => {
      const { labels, metricName } = same[0]!;
      return { value: merge(same), labels, ...(metricName && { metricName }) };
    });
    return { help, name, type, values, aggregator };
  };
}

function keyOf(labels: Readonly<Record<string, unknown>>): string {
  return Object.keys(labels)
    .sort()
    .filter((name) => labels[name] !== undefined)
    .map((name) => `${name}:${labels[name] as string},`)
    .join('');
}

const sumOf = (values: readonly JsonValue[]): number => values.reduce((sum, { value }) => sum + value, 0);

/** How metrics of several registries become one. `omit` leaves them out. */
export const aggregators: Readonly<
  Record<'sum' | 'first' | 'omit' | 'average' | 'min' | 'max', AggregatorFunction>
> = {
  sum: aggregatorOf(sumOf),
  first: aggregatorOf((values) => values[0]!.value),
  omit: () => undefined,
  average: aggregatorOf((values) => sumOf(values) / values.length),
  min: aggregatorOf((values) => values.reduce((least, { value }) => Math.min(least, value), Infinity)),
  max: aggregatorOf((values) => values.reduce((most, { value }) => Math.max(most, value), -Infinity)),
};
