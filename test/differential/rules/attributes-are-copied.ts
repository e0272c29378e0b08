/**
 * Attributes are copied when a series is made, and nothing in them can make a call throw: what is no object counts as no
 * attributes, a bigint as its digits, what cannot be read or written as JSON as null; arrays and objects are kept as JSON.
 */
import { mapSteps } from '../program.ts';
import type { Rule } from '../rule.ts';

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
  apply: (program) => ({
    program: mapSteps(program, (step) =>
      step.step === 'record' ? { ...step, attributes: keptAttributes(step.attributes) } : step,
    ),
  }),
};
