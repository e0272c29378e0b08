/**
 * Attributes are copied when a series is made, and nothing in them can make a call throw: what is no object counts as no
 * attributes, an empty key and a value that is undefined as no attribute, a bigint as its digits, what cannot be read or written
 * as JSON as null; arrays and objects are kept as JSON. NaN, the infinities and null are values of their own.
 */
import { allPoints } from '../collected.ts';
import { inCallOrder } from '../callbacks.ts';
import { keptAttributes, setKey, withoutMarks } from '../kept-attributes.ts';
import { createSteps, mapSteps, type Observation } from '../program.ts';
import type { Rule } from '../rule.ts';
import { isRecorded, streamsOf, through, viewOf } from '../streams.ts';

export const attributesAreCopied: Rule = {
  name: 'Attributes are copied',
  apply: (program) => {
    const instruments = createSteps(program);
    const streams = streamsOf(program);
    const views = instruments.map((create) => viewOf(program, create));
    const first = new Map<string, object>(); // of equal sets the one that made the series
    const copied = <T extends Observation>(one: T): T => {
      const view = views[one.instrument];
      const kept = keptAttributes(one.attributes);
      const attributes = view === undefined ? kept : keptAttributes(through(view, kept)); // which the official SDK then does not change
      const series = streams[one.instrument]! + setKey(attributes);
      if (!first.has(series) && isRecorded(instruments[one.instrument]!, one.value as number))
        first.set(series, attributes);
      return { ...one, attributes: first.get(series) ?? attributes };
    };
    return {
      program: mapSteps(program, (step) => {
        if (step.step === 'record') return copied(step);
        if (step.step !== 'collect') return step;
        const copies = new Map(inCallOrder(step.observations).map((one) => [one, copied(one)]));
        return { ...step, observations: step.observations.map((one) => copies.get(one)!) };
      }),
      expected: (official) => {
        for (const { point } of allPoints(official))
          point.attributes = withoutMarks(point.attributes) as typeof point.attributes;
        return official;
      },
    };
  },
};
