/**
 * Attributes are copied when a series is made, and nothing in them can make a call throw: what is no object counts as no
 * attributes, a bigint as its digits, what cannot be read or written as JSON as null; arrays and objects are kept as JSON.
 */
import { allPoints } from '../collected.ts';
import { createSteps, mapSteps, type Observation } from '../program.ts';
import type { Rule } from '../rule.ts';
import { isRecorded, setKey, streamsOf, viewed, viewsOf } from '../streams.ts';

function keptValue(read: () => unknown): unknown {
  try {
    const value = read();
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'symbol' || typeof value === 'function') return null;
    return typeof value === 'object' ? (JSON.parse(JSON.stringify(value) ?? 'null') as unknown) : value;
  } catch {
    return null;
  }
}

/** The attributes as this SDK keeps them. */
export function keptAttributes(attributes: unknown): object {
  const kept = {};
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) return kept;
  for (const key of Object.keys(attributes).sort()) {
    const value = keptValue(() => (attributes as Record<string, unknown>)[key]);
    Object.defineProperty(kept, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return kept;
}

export const attributesAreCopied: Rule = {
  name: 'Attributes are copied',
  apply: (program) => {
    const instruments = createSteps(program);
    const streams = streamsOf(program);
    const first = new Map<string, object>(); // of equal sets the one that made the series
    const copied = <T extends Observation>(one: T): T => {
      const views = viewsOf(program, instruments[one.instrument]!);
      const attributes = viewed(keptAttributes(one.attributes), views); // which the official SDK then does not change
      const series = streams[one.instrument]! + setKey(attributes);
      if (!first.has(series) && isRecorded(instruments[one.instrument]!, one.value as number))
        first.set(series, attributes);
      return { ...one, attributes: first.get(series) ?? attributes };
    };
    return {
      program: mapSteps(program, (step) => {
        if (step.step === 'record') return copied(step);
        if (step.step !== 'collect') return step;
        const inOrder = [...step.observations].sort((a, b) => a.instrument - b.instrument);
        return { ...step, observations: inOrder.map(copied) };
      }),
      // What was given had its keys in order; what code of a view made of it may not.
      expected: (official) => {
        if (program.views.some(({ code }) => code !== undefined))
          for (const { point } of allPoints(official))
            point.attributes = keptAttributes(point.attributes) as typeof point.attributes;
        return official;
      },
    };
  },
};
