import type { Warnings } from '../base/warnings.ts';
import { DEFAULT_BOUNDARIES, type InstrumentDescriptor } from './instrument-descriptor.ts';

/** What a registration came to. */
export interface Registration<T> {
  /** What was registered first under this identity; the same for every instrument that is identical. */
  readonly value: T;
  /** True when an earlier registration's value is used and this description is longer than all before it. */
  readonly longerDescription: boolean;
}

interface Entry<T> {
  readonly descriptor: InstrumentDescriptor;
  readonly value: T;
  description: string;
}

/**
 * The instruments of one meter by name, and the rules for two of one name (specification, duplicate instrument
 * registration): identical ones share a stream; ones that differ only in description, case of the name or advice are taken
 * for identical and warned of; ones that differ in kind, unit or value type both work, and are warned of.
 */
export class InstrumentRegistry<T> {
  readonly #meter: string;
  readonly #warnings: Warnings;
  readonly #entries = new Map<string, Entry<T>[]>();

  constructor(meter: string, warnings: Warnings) {
    this.#meter = meter;
    this.#warnings = warnings;
  }

  /** Returns what an identical instrument was registered with, or registers `make()`. */
  register(descriptor: InstrumentDescriptor, make: () => T): Registration<T> {
    const name = descriptor.name.toLowerCase();
    let entries = this.#entries.get(name);
    if (entries === undefined) this.#entries.set(name, (entries = []));
    const same = entries.find((entry) => isCompatible(entry.descriptor, descriptor));
    if (same !== undefined) {
      this.#warnOfSmallDifferences(same, descriptor);
      const longerDescription = descriptor.description.length > same.description.length;
      if (longerDescription) same.description = descriptor.description;
      return { value: same.value, longerDescription };
    }
    if (entries.length > 0) this.#warnOfConflict(entries[0]!.descriptor, descriptor);
    const entry = { descriptor, value: make(), description: descriptor.description };
    entries.push(entry);
    return { value: entry.value, longerDescription: false };
  }

  #warnOfSmallDifferences(first: Entry<T>, second: InstrumentDescriptor): void {
    const { descriptor } = first;
    if (descriptor.name !== second.name)
      this.#warn(
        second,
        'case',
        `was registered as ${descriptor.name} before; names are compared without regard to case, and the first is used`,
      );
    if (first.description !== second.description)
      this.#warn(
        second,
        `description ${second.description}`,
        `was registered with another description before (${JSON.stringify(first.description)}, now ${JSON.stringify(second.description)}); the longer is used. Give both the same description`,
      );
    const used = descriptor.boundaries ?? DEFAULT_BOUNDARIES;
    if (second.boundaries !== undefined && used.join() !== second.boundaries.join())
      this.#warn(
        second,
        `boundaries ${second.boundaries.join()}`,
        `was registered with other explicitBucketBoundaries before (${descriptor.boundaries?.join() ?? 'the default'}); those are used. Give both the same advice`,
      );
  }

  #warnOfConflict(first: InstrumentDescriptor, second: InstrumentDescriptor): void {
    const differences = (['kind', 'unit', 'valueType'] as const)
      .filter((field) => first[field] !== second[field])
      .map((field) => `${field} ${JSON.stringify(first[field])} and ${JSON.stringify(second[field])}`)
      .join(', ');
    this.#warn(
      second,
      `conflict ${differences}`,
      `is registered twice with different ${differences}. Both are recorded and exported under one name, which backends may refuse. Rename one of them, or make them agree`,
    );
  }

  #warn({ name }: InstrumentDescriptor, cause: string, message: string): void {
    this.#warnings.once(
      `${this.#meter}/${name} ${cause}`,
      `metric ${name} of meter ${this.#meter || '(unnamed)'} ${message}`,
    );
  }
}

function isCompatible(a: InstrumentDescriptor, b: InstrumentDescriptor): boolean {
  return a.kind === b.kind && a.unit === b.unit && a.valueType === b.valueType;
}
