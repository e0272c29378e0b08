/** NaN and the infinities do not enter sums, nor NaN a histogram; what is no number is not recorded, and never throws. */
import { allPoints, withoutEmpty, type ExponentialValue, type Point } from '../collected.ts';
import { createSteps, hrTimeOf, mapSteps, type AggregationName, type CreateStep } from '../program.ts';
import type { Rule } from '../rule.ts';
import { setKey } from '../kept-attributes.ts';
import { streamOfMetric, viewOf } from '../streams.ts';

/** What is observed of an integer must be finite in both SDKs; said here, so that other rules need not know. */
function isRefused(
  { kind, options }: CreateStep,
  aggregation: AggregationName | undefined,
  value: unknown,
): boolean {
  if (typeof value !== 'number') return true;
  const isOfGauge = kind === 'GAUGE' || kind === 'OBSERVABLE_GAUGE';
  const isLastValue = aggregation === undefined || aggregation === 'default' || aggregation === 'last value';
  if (isOfGauge && !isLastValue && !Number.isFinite(value)) return true;
  if (kind === 'OBSERVABLE_GAUGE') return options?.valueType === 0 && !Number.isFinite(value);
  if (kind === 'GAUGE') return false;
  return kind === 'HISTOGRAM' && aggregation !== 'sum' ? Number.isNaN(value) : !Number.isFinite(value);
}

function keyOf({ scope, metric, point }: ReturnType<typeof allPoints>[number]): string {
  return streamOfMetric(scope, metric) + setKey(point.attributes);
}

function isExponential(value: Point['value']): value is ExponentialValue {
  return typeof value === 'object' && 'scale' in value;
}

export const valuesWithoutSenseAreRefused: Rule = {
  name: 'Values without sense are refused',
  apply: (program) => {
    const instruments = createSteps(program);
    const aggregations = instruments.map(
      (create) => (create.standsFor?.view ?? viewOf(program, create))?.aggregation,
    );
    const refused = ({
      instrument,
      value,
    }: {
      readonly instrument: number;
      readonly value: unknown;
    }): boolean => isRefused(instruments[instrument]!, aggregations[instrument], value);
    const infinities = new Set<string>(); // when some were recorded
    mapSteps(program, (step, now) => {
      if (step.step === 'record' && (step.value === Infinity || step.value === -Infinity))
        infinities.add(hrTimeOf(now).join());
      return step;
    });
    return {
      program: mapSteps(program, (step) => {
        if (step.step === 'record') return refused(step) ? undefined : step;
        if (step.step !== 'collect') return step;
        return { ...step, observations: step.observations.filter((one) => !refused(one)) };
      }),
      // Exponential histograms refuse the infinities as well. The official SDK makes points of them, or begins them with one: which then come
      // earlier among the others.
      expected: (official, ours) => {
        const places = new Map(allPoints(ours).map((one, i) => [keyOf(one), i]));
        for (const { metrics } of official)
          for (const metric of metrics)
            metric.dataPoints = metric.dataPoints.filter(
              ({ value }) => !isExponential(value) || value.count > 0,
            );
        const left = withoutEmpty(official);
        if (infinities.size > 0)
          for (const scope of left)
            for (const metric of scope.metrics)
              if (metric.dataPoints.some(({ value }) => isExponential(value)))
                metric.dataPoints = [...metric.dataPoints].sort(
                  (a, b) =>
                    (places.get(keyOf({ scope, metric, point: a })) ?? 0) -
                    (places.get(keyOf({ scope, metric, point: b })) ?? 0),
                );
        const starts = new Map(allPoints(ours).map((one) => [keyOf(one), one.point.startTime]));
        for (const one of allPoints(left)) {
          const { point } = one;
          if (isExponential(point.value) && infinities.has(point.startTime.join()))
            point.startTime = starts.get(keyOf(one)) ?? point.startTime;
        }
        return left;
      },
    };
  },
};
