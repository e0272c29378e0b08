import type { Warnings } from '../base/warnings.ts';
import { selectionKey } from '../state/stream-choices.ts';
import { DEFAULT_BOUNDARIES } from './aggregation.ts';
import type { StreamPlan } from './stream-plan.ts';

/** The result of a registration. */
export interface Registration<T> {
  /** The value that was registered first under this identity; identical streams share it. */
  readonly value: T;
  /** True if an earlier registration's value is used and this description is longer than all earlier ones. */
  readonly longerDescription: boolean;
}

interface Entry<T> {
  readonly plan: StreamPlan;
  readonly value: T;
  description: string;
}

/**
 * The streams of one meter by name, and the rules for two of one name (specification, duplicate instrument
 * registration). Identical streams are one. Streams that differ only in description, case of the name or
 * advice count as identical, with a warning. If they differ in kind, unit, value type or aggregation, both
 * work, with a warning.
 */
export class StreamRegistry<T> {
  readonly #meter: string;
  readonly #warnings: Warnings;
  readonly #entries = new Map<string, Entry<T>[]>();

  constructor(meter: string, warnings: Warnings) {
    this.#meter = meter;
    this.#warnings = warnings;
  }

  /** Returns the value of an identical stream, or registers `make()`. */
  register(plan: StreamPlan, make: () => T): Registration<T> {
    const name = plan.name.toLowerCase();
    let entries = this.#entries.get(name);
    if (entries === undefined) this.#entries.set(name, (entries = []));
    const same = entries.find((entry) => areOne(entry.plan, plan));
    if (same !== undefined) {
      this.#warnOfSmallDifferences(same, plan);
      this.#warnOfUnion(same.plan, plan);
      const longerDescription = plan.description.length > same.description.length;
      if (longerDescription) same.description = plan.description;
      return { value: same.value, longerDescription };
    }
    const rival = entries.find((entry) => meet(entry.plan, plan));
    if (rival !== undefined) this.#warnOfConflict(rival.plan, plan);
    const entry = { plan, value: make(), description: plan.description };
    entries.push(entry);
    return { value: entry.value, longerDescription: false };
  }

  #warnOfSmallDifferences(first: Entry<T>, second: StreamPlan): void {
    if (first.plan.name !== second.name)
      this.#warn(
        second,
        'case',
        '',
        `was registered as ${first.plan.name} before. The case of letters does not matter in names, so both are one metric, under the first name. Use one spelling`,
      );
    if (first.description !== second.description)
      this.#warn(
        second,
        'description',
        second.description,
        `was registered with another description before (${JSON.stringify(first.description)}, now ${JSON.stringify(second.description)}); the longer is used. Give both the same description`,
      );
    this.#warnOfMerge(first.plan, second);
    const advised = first.plan.instrument.boundaries;
    const { boundaries } = second.instrument;
    const used = advised ?? DEFAULT_BOUNDARIES;
    if (
      second.aggregation.type === 'default' &&
      boundaries !== undefined &&
      used.join() !== boundaries.join()
    )
      this.#warn(
        second,
        'boundaries',
        boundaries.join(),
        `was registered with other explicitBucketBoundaries before (${advised?.join() ?? 'the default'}); those are used. Give both the same advice`,
      );
  }

  #warnOfMerge(first: StreamPlan, second: StreamPlan): void {
    if (second.merge === undefined || second.merge === (first.merge ?? 'most-recent')) return;
    this.#warn(
      second,
      'merge',
      second.merge,
      `was registered with merge ${first.merge ?? 'most-recent'} before, which is used, not ${second.merge}. Give both the same merge, or set it by a view`,
    );
  }

  #warnOfConflict(first: StreamPlan, second: StreamPlan): void {
    const differences = DIFFERENCES.map(([what, of]) => [what, of(first), of(second)] as const)
      .filter(([, a, b]) => a !== b)
      .map(([what, a, b]) => `${what} ${JSON.stringify(a)} and ${JSON.stringify(b)}`)
      .join(', ');
    this.#warn(
      second,
      'conflict',
      differences,
      `is registered twice with different ${differences || 'attributes, by two views'}. Both are recorded and exported under one name, which backends may refuse. ${wayOut(first, second)}`,
    );
  }

  /**
   * Views gave two instruments one name. Their measurements are added together, like those of one instrument
   * that is used in two places.
   */
  #warnOfUnion(first: StreamPlan, second: StreamPlan): void {
    const [a, b] = [first.instrument.name, second.instrument.name];
    if (a.toLowerCase() !== b.toLowerCase())
      this.#warn(
        second,
        'union',
        b,
        `is the name that views give to both instruments ${a} and ${b}, so their measurements are added together. Give the views different names to keep them apart`,
      );
  }

  #warn({ name }: StreamPlan, kind: string, cause: string, message: string): void {
    this.#warnings.once(
      kind,
      `${this.#meter}/${name} ${cause}`,
      `metric ${name} of meter ${this.#meter || '(unnamed)'} ${message}`,
    );
  }
}

const DIFFERENCES: readonly (readonly [string, (plan: StreamPlan) => unknown])[] = [
  ['kind', ({ instrument }) => instrument.kind],
  ['unit', ({ instrument }) => instrument.unit],
  ['valueType', ({ instrument }) => instrument.valueType],
  ['aggregation', ({ aggregation }) => selectionKey(aggregation)],
];

/**
 * The remedy for a conflict: a view, if it can select one of the two alone (specification, duplicate
 * registration).
 */
function wayOut({ instrument: first }: StreamPlan, { instrument: second }: StreamPlan): string {
  if (first === second) return 'Give one of the views another name';
  const selector =
    first.kind !== second.kind
      ? `instrumentType: ${JSON.stringify(second.kind)}`
      : first.unit !== second.unit
        ? `instrumentUnit: ${JSON.stringify(second.unit)}`
        : undefined;
  return selector === undefined
    ? 'Rename one of them, or give both the same options'
    : `Give both the same options, or rename one, in the code or by a view: { instrumentName: ${JSON.stringify(second.name)}, ${selector}, name: 'another.name' }`;
}

function areOne(a: StreamPlan, b: StreamPlan): boolean {
  return (
    a.instrument.kind === b.instrument.kind &&
    a.instrument.unit === b.instrument.unit &&
    a.instrument.valueType === b.instrument.valueType &&
    a.selection === b.selection &&
    a.viewIndex === b.viewIndex &&
    selectionKey(a.aggregation) === selectionKey(b.aggregation)
  );
}

/** True if one reader shows both. */
function meet(a: StreamPlan, b: StreamPlan): boolean {
  return a.selection === b.selection || a.selection === undefined || b.selection === undefined;
}
