/** What is said of a series of an asynchronous instrument: in which collections it is there, and since when it counts. */
import { CUMULATIVE, isObserved, withoutEmpty } from '../collected.ts';
import { hrTimeOf, momentsOf, type Moment } from '../program.ts';
import type { Rule } from '../rule.ts';
import { setKey } from '../kept-attributes.ts';
import { creations, streamOfMetric, streamsOf } from '../streams.ts';

/** A series that callbacks of a collection did not observe is not in it. The official SDK repeats its last value, for cumulative readers. */
export const whatIsNotObservedDisappears: Rule = {
  name: 'What is not observed disappears',
  apply: (program) => {
    const streams = streamsOf(program);
    const observed = momentsOf(program).map(
      ({ step: { observations } }) =>
        new Set(
          observations
            .filter(({ fails }) => fails !== true)
            .map(({ instrument, attributes }) => streams[instrument]! + setKey(attributes as object)),
        ),
    );
    return {
      program,
      expected: (official, _ours, { index }) => {
        for (const scope of official)
          for (const metric of scope.metrics)
            if (isObserved(metric))
              metric.dataPoints = metric.dataPoints.filter(({ attributes }) =>
                observed[index]!.has(streamOfMetric(scope, metric) + setKey(attributes)),
              );
        return withoutEmpty(official);
      },
    };
  },
};

/**
 * Cumulative points of asynchronous instruments start when the instrument was made; after a counter was set back, when the reader
 * collected before. The official SDK starts them at their first collection, and after that.
 */
export const observedTotalsStartWithTheInstrument: Rule = {
  name: 'Observed totals start with the instrument',
  apply: (program) => {
    const made = creations(program);
    const last = new Map<string, number>();
    const setBack = new Map<string, number>();
    const startOf = (stream: string, series: string, value: unknown, { step, previous }: Moment): number => {
      const key = `${step.reader} ${stream} ${series}`;
      if (typeof value === 'number') {
        if (value < (last.get(key) ?? -Infinity)) setBack.set(key, previous!);
        last.set(key, value);
      }
      return setBack.get(key) ?? made.get(stream)!;
    };
    return {
      program,
      expected: (official, _ours, moment) => {
        for (const scope of official)
          for (const metric of scope.metrics) {
            if (!isObserved(metric) || metric.aggregationTemporality !== CUMULATIVE) continue;
            const stream = streamOfMetric(scope, metric);
            for (const point of metric.dataPoints) {
              const total = metric.isMonotonic === true ? point.value : undefined;
              point.startTime = hrTimeOf(startOf(stream, setKey(point.attributes), total, moment));
            }
          }
        return official;
      },
    };
  },
};
