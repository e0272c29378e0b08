import type { Attributes, Context } from '@opentelemetry/api';
import type { IAttributesProcessor } from '@opentelemetry/sdk-metrics';
import type { AttributeStep } from '../state/stream-choices.ts';

/** What a view does to attributes. */
export interface AttributeFilter {
  /** In a form that other threads can follow too; it is part of a stream's identity. */
  readonly steps: readonly AttributeStep[];
  /** If the key alone decides: whether attributes with a key are kept. The answer for a key never changes. */
  readonly keeps: ((key: string) => boolean) | undefined;
  /**
   * If code decides: returns the attributes to record, given what the app passed. A value that is not an
   * object is returned as it is, without running the code, and the stream refuses it. Throws what the code
   * throws.
   */
  readonly process: ((attributes: unknown, context: Context | undefined) => unknown) | undefined;
}

/**
 * A filter that keeps `keys`, if given, and passes the rest through `processors` in their order. Undefined if
 * it does nothing.
 */
export function filterOf(
  keys: readonly string[] | undefined,
  processors: readonly IAttributesProcessor[],
): AttributeFilter | undefined {
  const first: AttributeStep[] = keys === undefined ? [] : [{ type: 'keep', keys: ordered(keys) }];
  const steps = [...first, ...processors.map(stepOf)];
  if (steps.length === 0) return undefined;
  const keeps = keysKept(steps);
  if (keeps !== undefined) return { steps, keeps, process: undefined };
  const kept = keysKept(first)!;
  const process = (attributes: unknown, context: Context | undefined): unknown => {
    const given = attributes ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) return given;
    return processors.reduce(
      (left, processor) => processor.process(left, context),
      keys === undefined ? (given as Attributes) : picked(given as Attributes, kept),
    );
  };
  return { steps, keeps: undefined, process };
}

/** The filter of another thread's view, without the steps that only that thread can do. */
export function filterOfSteps(steps: readonly AttributeStep[]): AttributeFilter | undefined {
  if (steps.length === 0) return undefined;
  return {
    steps,
    keeps: keysKept(steps.filter(({ type }) => type !== 'custom')),
    process: undefined,
  };
}

/** True if two filters certainly do the same. */
export function areEqual(a: AttributeFilter | undefined, b: AttributeFilter | undefined): boolean {
  const [stepsOfA, stepsOfB] = [a?.steps ?? [], b?.steps ?? []];
  return (
    stepsOfA.every(({ type }) => type !== 'custom') && JSON.stringify(stepsOfA) === JSON.stringify(stepsOfB)
  );
}

function ordered(keys: readonly string[]): string[] {
  return [...new Set(keys)].sort();
}

/** A copy of the attributes whose keys are kept. */
function picked(attributes: Attributes, keeps: (key: string) => boolean): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => keeps(key)));
}

function keysKept(steps: readonly AttributeStep[]): ((key: string) => boolean) | undefined {
  const rules = steps.map((step) => {
    if (step.type === 'custom') return undefined;
    const keys = new Set(step.keys);
    return step.type === 'keep'
      ? (key: string): boolean => keys.has(key)
      : (key: string): boolean => !keys.has(key);
  });
  return rules.every((rule) => rule !== undefined) ? (key) => rules.every((rule) => rule(key)) : undefined;
}

/** The field in which the official allow list and deny list keep their keys; versions 2.x and 3.x. */
const LISTS = [
  ['_allowedAttributeNames', 'keep'],
  ['_deniedAttributeNames', 'leave-out'],
] as const;
const ELSE = '\u0000another key';

/**
 * Recognizes allow and deny lists of any copy of the official SDK by what they hold, and by doing exactly
 * what such a list does.
 */
function stepOf(processor: IAttributesProcessor): AttributeStep {
  for (const [field, type] of LISTS) {
    const names: unknown = Reflect.get(processor, field);
    if (!(names instanceof Set) || Object.keys(processor).length !== 1) continue;
    const keys = [...(names as Set<unknown>)].filter((name) => typeof name === 'string');
    if (keys.length === names.size && actsAsList(processor, type, keys)) return { type, keys: ordered(keys) };
  }
  return { type: 'custom' };
}

function actsAsList(
  processor: IAttributesProcessor,
  type: 'keep' | 'leave-out',
  keys: readonly string[],
): boolean {
  const listed = Object.fromEntries(keys.map((key) => [key, 1]));
  try {
    const kept = Object.keys(processor.process({ ...listed, [ELSE]: 1 })).sort();
    const expected = type === 'keep' ? Object.keys(listed).sort() : [ELSE];
    return kept.length === expected.length && kept.every((key, i) => key === expected[i]);
  } catch {
    return false;
  }
}
